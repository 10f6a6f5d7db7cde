"""The first screen: what is known, a lane per candidate in each slot, and what to do next."""

from dataclasses import dataclass, field

from markupsafe import Markup

from actlab.pages.lanes import Lane, Scale, axis, lane, strip
from actlab.pages.proportions import accuracy
from actlab.pages.words import (
    group_words,
    in_metric,
    in_slot,
    partner_words,
    setting_words,
    slot_word,
)
from actlab.records import Candidate, Group, Record, SlotVerdict, Verdict, best_record
from actlab.studies.confirm.prospect import Prospect, prospect
from actlab.studies.confirm.verdict_text import wording
from actlab.studies.coverage import coverage_line
from actlab.studies.report.answer import Answer
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.search import activation, candidates, completed_trials, search_trials
from actlab.studies.report.verdict.candidates import accuracy_ranges
from actlab.text import NOT_KNOWN, Formatter, significant

CLOSE = 4.0
"""A close-up reaches so many margins of chance below the best."""


NAMED = 3
"""A headline names so many that are equivalent to the best, and counts them beyond that."""


@dataclass(frozen=True)
class Row:
    """A candidate: its name, with whom it was trained, its lane, its value and its group.

    `twins` names the rows of the other slot that are the same trained networks.
    """

    name: str
    partner: str
    lane: Markup
    value: str
    count: str
    rates: Markup = field(default_factory=Markup)
    group: Group | None = None
    twins: str = ""


@dataclass(frozen=True)
class Panel:
    """The candidates of a slot, the best first; `low` and `high` are the ends of the lanes.

    `unit` stands at the axis: the percent sign, or the name of the metric.
    """

    slot: str
    title: str
    headline: str
    rows: tuple[Row, ...]
    axis: Markup
    rates_axis: Markup
    low: float
    high: float
    unit: str = "%"


@dataclass(frozen=True)
class FirstScreen:
    """What the first screen shows: `front` before a verdict, `pick` after it.

    `next_text` says what the next command takes and what it will show.
    """

    facts: tuple[str, ...]
    headline: str
    panels: tuple[Panel, ...]
    front: str = ""
    pick: str = ""
    next_title: str = ""
    next_text: str = ""
    words: dict[str, str] = field(default_factory=dict)

    @property
    def twins(self) -> bool:
        """Return whether some rows of the two slots are the same trained networks."""
        return any(row.twins for panel in self.panels for row in panel.rows)


def first_screen(data: ReportData, found: Answer | None, form: Formatter) -> FirstScreen:
    """Return the first screen of a study in any state."""
    ngettext = form.translations.ngettext
    title, text = _next(data, form)
    if data.verdict is not None:
        return FirstScreen(
            facts=_facts(data, form),
            headline=ngettext(
                "What holds with {count} fresh seed",
                "What holds with {count} fresh seeds",
                data.verdict.seeds,
            ).format(count=data.verdict.seeds),
            panels=tuple(judged_panel(slot, data.verdict, form) for slot in data.verdict.slots),
            pick=_pick(data.verdict, found, form),
            next_title=title,
            next_text=text,
            words=headline_words(form),
        )
    if not data.plan.training.measured.in_percent:
        return FirstScreen(
            facts=_facts(data, form),
            headline=_measured_headline(data, form),
            panels=_measured_panels(data, form),
            next_title=title,
            next_text=text,
        )
    return FirstScreen(
        facts=_facts(data, form),
        headline=_headline(found, form),
        panels=()
        if found is None
        else tuple(_panel(data, found, slot, form) for slot in data.plan.space.by_slot),
        front="" if found is None else _front(found, form),
        next_title=title,
        next_text=text,
    )


def _facts(data: ReportData, form: Formatter) -> tuple[str, ...]:
    """Return what the page's first line says: what ran, how exactly and where."""
    _, ngettext = form.translations.gettext, form.translations.ngettext
    trials = len(search_trials(data.records))
    workers = data.plan.execution.workers
    facts = [
        data.plan.name,
        data.plan.network,
        data.plan.data.name,
        *(() if data.plan.training.measured.in_percent else (data.plan.training.measured.name,)),
        ngettext("{count} trial", "{count} trials", trials).format(count=form.count(trials)),
        data.environment.precision,
        data.environment.device,
    ]
    if data.environment.coverage is not None:
        facts.append(coverage_line(data.environment.coverage, form))
    if workers:
        facts.append(ngettext("{count} worker", "{count} workers", workers).format(count=workers))
    if data.verdict is not None:
        seeds = data.verdict.seeds
        facts.append(ngettext("{count} seed", "{count} seeds", seeds).format(count=seeds))
    return (*facts, form.moment(data.environment.started).split(" ")[0])


def _headline(found: Answer | None, form: Formatter) -> str:
    _, ngettext = form.translations.gettext, form.translations.ngettext
    if found is None:
        return _("No answer yet: no trial was completed")
    if not found.others:
        return _("Not decided yet: there is one trial only")
    if not found.near:
        return _("Not decided yet: one setting is ahead, by one run")
    return ngettext(
        "Not decided yet: {count} of {all} setting is as good as the best",
        "Not decided yet: {count} of {all} settings are as good as the best",
        found.others + 1,
    ).format(count=form.count(found.near + 1), all=form.count(found.others + 1))


def _front(found: Answer, form: Formatter) -> str:
    _ = form.translations.gettext
    setting = found.best.setting
    rates = [f"{rate:.2g}" for rate in found.near_rates]
    shown = " – ".join(dict.fromkeys(rates))
    if found.test is None:
        result = _("{accuracy} on valid (trial); the test images are not read yet").format(
            accuracy=form.percent(found.valid.value)
        )
    else:
        result = _("{accuracy} on test ({low} to {high})").format(
            accuracy=form.percent(found.test.value),
            low=form.percent_number(found.test.low),
            high=form.percent_number(found.test.high),
        )
    text = _("Front-runner: {activations} · learning rate {rates} · {result}")
    activations = setting_words(setting, form.translations)
    return text.format(activations=activations, rates=shown, result=result)


def _panel(data: ReportData, found: Answer, slot: str, form: Formatter) -> Panel:
    """Return the candidates of a slot by their best trial of the search."""
    _ = form.translations.gettext
    trials = completed_trials(data.records)
    by_name: dict[str, list[Record]] = {}
    for record in trials:
        by_name.setdefault(activation(record, slot), []).append(record)
    ordered = sorted(by_name, key=lambda name: -_best(by_name[name]))
    scale = _close_up([_best(by_name[name]) for name in ordered], found)
    space = data.plan.space
    rates = Scale(space.learning_rate_low / 1.05, space.learning_rate_high * 1.05, True)
    band = (found.valid.value - found.margin, found.valid.value)
    rows = [_row(name, by_name[name], slot, found, scale, rates, band, form) for name in ordered]
    missing = [n for n in candidates(data.plan, data.records, slot) if n not in by_name]
    rows += [Row(name, "", Markup(), _("no result"), "") for name in missing]
    return Panel(
        slot=slot,
        title=slot_word(slot, form.translations),
        headline="",
        rows=tuple(rows),
        axis=_score_axis(scale),
        rates_axis=axis(rates, [(v, f"{v:g}") for v in _two(rates.ticks(1))]),
        low=scale.low,
        high=scale.high,
    )


def _row(
    name: str,
    own: list[Record],
    slot: str,
    found: Answer,
    scale: Scale,
    rates: Scale,
    band: tuple[float, float],
    form: Formatter,
) -> Row:
    ngettext = form.translations.ngettext
    best = max(own, key=lambda record: record.valid_accuracy or 0.0)
    value = best.valid_accuracy or 0.0
    error = 2.0 * accuracy(value, found.valid.images).standard_error
    lowest = found.valid.value - found.margin
    near = [r.setting.learning_rate for r in own if (r.valid_accuracy or 0.0) >= lowest]
    return Row(
        name=name,
        partner=partner_words(best.setting, slot, form),
        lane=lane(
            Lane(
                value,
                max(value - error, 0.0),
                min(value + error, 1.0),
                tuple(r.valid_accuracy or 0.0 for r in own),
                "near" if value >= lowest else "far",
            ),
            scale,
            band,
        ),
        value=form.percent(value),
        count=ngettext("{count} trial", "{count} trials", len(own)).format(count=len(own)),
        rates=strip([r.setting.learning_rate for r in own], near, rates),
    )


def _measured_headline(data: ReportData, form: Formatter) -> str:
    """Return what a search by another metric than accuracy found, by one run."""
    _ = form.translations.gettext
    best, measured = best_record(search_trials(data.records)), data.plan.training.measured
    if best is None or best.valid_metric is None:
        return _("No answer yet: no trial was completed")
    return _("Not decided yet: by one run, {activations} has {metric} {value}").format(
        activations=setting_words(best.setting, form.translations),
        metric=measured.name,
        value=in_metric(best.valid_metric, measured, form),
    )


def _measured_panels(data: ReportData, form: Formatter) -> tuple[Panel, ...]:
    """Return the candidates by their best trial; how far chance moves it, nobody knows yet."""
    ngettext, measured = form.translations.ngettext, data.plan.training.measured
    trials = [r for r in search_trials(data.records) if r.valid_metric is not None]
    if not trials:
        return ()
    space, best = data.plan.space, best_record(tuple(trials))
    rates = Scale(space.learning_rate_low / 1.05, space.learning_rate_high * 1.05, True)
    panels = []
    for slot in space.by_slot:
        by_name: dict[str, list[Record]] = {}
        for record in sorted(trials, key=lambda r: (-(r.score or 0.0), r.number)):
            by_name.setdefault(activation(record, slot), []).append(record)
        scale = _around([own[0].valid_metric or 0.0 for own in by_name.values()])
        rows = [
            Row(
                name=name,
                partner=partner_words(own[0].setting, slot, form),
                lane=lane(
                    Lane(
                        own[0].valid_metric,
                        dots=tuple(r.valid_metric or 0.0 for r in own),
                        look="near" if own[0] is best else "far",
                    ),
                    scale,
                ),
                value=in_metric(own[0].valid_metric or 0.0, measured, form),
                count=ngettext("{count} trial", "{count} trials", len(own)).format(count=len(own)),
                rates=strip(
                    [r.setting.learning_rate for r in own], [own[0].setting.learning_rate], rates
                ),
            )
            for name, own in by_name.items()
        ]
        missing = [n for n in candidates(data.plan, data.records, slot) if n not in by_name]
        lost = form.translations.gettext("no result")
        rows += [Row(name, "", Markup(), lost, "") for name in missing]
        panels.append(
            Panel(
                slot=slot,
                title=slot_word(slot, form.translations),
                headline="",
                rows=tuple(rows),
                axis=_score_axis(scale, in_percent=False),
                rates_axis=axis(rates, [(v, f"{v:g}") for v in _two(rates.ticks(1))]),
                low=scale.low,
                high=scale.high,
                unit=measured.name,
            )
        )
    return tuple(panels)


def _around(values: list[float]) -> Scale:
    """Return a range that holds all values, a little wider."""
    pad = 0.06 * (max(values) - min(values)) or 0.02 * abs(values[0]) or 0.02
    return Scale(min(values) - pad, max(values) + pad)


def _best(records: list[Record]) -> float:
    return max(record.valid_accuracy or 0.0 for record in records)


def _close_up(values: list[float], found: Answer) -> Scale:
    """Return a range for the lanes: from the lowest that is not far off to the best."""
    room = max(found.margin, 0.002)
    floor = found.valid.value - CLOSE * room
    kept = [value for value in values if value >= floor] or [found.valid.value]
    return Scale(min(kept) - 1.2 * room, min(max(values) + 1.2 * room, 1.002))


def _two(ticks: tuple[float, ...]) -> tuple[float, ...]:
    """Return the first and the last: a narrow axis has no room for more."""
    return ticks if len(ticks) < 3 else (ticks[0], ticks[-1])


def _score_axis(scale: Scale, *, in_percent: bool = True) -> Markup:
    """Return the ticks below lanes: in percent, and none above a perfect accuracy."""
    if not in_percent:
        return axis(scale, [(tick, significant(tick, 6)) for tick in scale.ticks(3)])
    ticks = [tick for tick in scale.ticks(3) if tick <= 1.0]
    return axis(scale, [(tick, f"{100 * tick:.6g}") for tick in ticks])


def judged_panel(slot: SlotVerdict, verdict: Verdict, form: Formatter) -> Panel:
    """Return the candidates of a slot by their runs with fresh seeds."""
    ranges, metric = accuracy_ranges(slot, verdict), verdict.metric
    in_percent = metric is None or metric.in_percent
    scale = Scale(*ranges[0]) if ranges else Scale(0.0, 1.0)
    if in_percent:
        scale = Scale(scale.low, min(scale.high, 1.002))
    best, band = slot.best, None
    if best is not None and best.mean is not None:
        falls = metric is not None and not metric.higher_is_better
        ends = (best.mean, best.mean + (verdict.margin if falls else -verdict.margin))
        band = (min(ends), max(ends))
    margin = form.margin(verdict.margin) if in_percent else significant(verdict.margin, 6)
    return Panel(
        slot=slot.slot,
        title=slot_word(slot.slot, form.translations),
        headline=slot_headline(slot, margin, form, in_points=in_percent),
        rows=tuple(_judged_row(row, slot, verdict, scale, band, form) for row in slot.candidates),
        axis=_score_axis(scale, in_percent=in_percent),
        rates_axis=Markup(),
        low=scale.low,
        high=scale.high,
        unit="%" if metric is None or in_percent else metric.name,
    )


def _judged_row(
    row: Candidate,
    slot: SlotVerdict,
    verdict: Verdict,
    scale: Scale,
    band: tuple[float, float] | None,
    form: Formatter,
) -> Row:
    ngettext = form.translations.ngettext
    partner, twins = "", []
    if row.setting is not None:
        setting = row.setting
        partner = partner_words(setting, slot.slot, form)
        twins = [
            in_slot(other_slot.slot, twin.name, form.translations)
            for other_slot in verdict.slots
            for twin in other_slot.candidates
            if other_slot.slot != slot.slot and twin.setting == setting and row.n
        ]
    scores = tuple(score for score in row.scores if score is not None)
    return Row(
        name=row.name,
        partner=partner,
        lane=lane(Lane(row.mean, row.low, row.high, scores, row.group), scale, band),
        value=NOT_KNOWN if row.mean is None else wording(verdict, form).score(row.mean),
        count=ngettext("{count} seed", "{count} seeds", row.n).format(count=row.n),
        group=row.group,
        twins=f"= {', '.join(twins)}" if twins else "",
    )


def headline_words(form: Formatter, *, in_points: bool = True) -> dict[str, str]:
    """Return the parts of a slot's headline, which the page's script fills in as well."""
    _ = form.translations.gettext
    tied, many = (
        _("{names}: equivalent within {margin} points."),
        _("{name} and {count} more: equivalent within {margin} points."),
    )
    if not in_points:
        tied = _("{names}: equivalent within {margin}.")
        many = _("{name} and {count} more: equivalent within {margin}.")
    return {
        "tied": tied,
        "many": many,
        "leads": _("{name} has the best mean."),
        "count": _("{word}: {count}"),
        "nothing": _("Nothing can be said yet."),
    }


def slot_headline(
    slot: SlotVerdict, margin: str, form: Formatter, *, in_points: bool = True
) -> str:
    """Return what is known of a slot in one line; the page's `margin.js` writes the same."""
    parts = headline_words(form, in_points=in_points)
    words, best = group_words(form.translations), slot.best
    if best is None:
        return parts["nothing"]
    by_group = {
        group: [row.name for row in slot.candidates if row.group == group and row.n]
        for group in words
    }
    tied = by_group["tied"]
    if len(tied) > NAMED:
        lead = parts["many"].format(name=best.name, count=len(tied), margin=margin)
    elif tied:
        lead = parts["tied"].format(names=", ".join([best.name, *tied]), margin=margin)
    else:
        lead = parts["leads"].format(name=best.name)
    counts = [
        parts["count"].format(word=words[group], count=len(by_group[group]))
        for group in ("unclear", "worse", "unreliable")
        if by_group[group]
    ]
    return f"{lead} {', '.join(counts)}".strip()


def _pick(verdict: Verdict, found: Answer | None, form: Formatter) -> str:
    """Return one line on what became of the setting that the search had found best."""
    if found is None:
        return ""
    _ = form.translations.gettext
    words = group_words(form.translations)
    setting = found.best.setting
    parts = []
    for slot in verdict.slots:
        name = setting.activations.get(slot.slot)
        row = next((row for row in slot.candidates if row.name == name), None)
        if row is not None and row.mean is not None:
            shown = in_slot(slot.slot, row.name, form.translations)
            parts.append(f"{shown}: {words[row.group]}, {form.percent(row.mean)}")
    text = _(
        "The search's pick, by one run of {accuracy} (trial {number}). With fresh seeds: {now}."
    )
    return text.format(
        accuracy=form.percent(found.valid.value),
        number=found.best.number,
        now="; ".join(parts) or _("not trained again"),
    )


def _next(data: ReportData, form: Formatter) -> tuple[str, str]:
    """Return what the next command is for, and what it takes and shows."""
    _ = form.translations.gettext
    step = data.next_step
    if step is None:
        return "", ""
    expected = prospect(
        data.plan,
        completed_trials(data.records),
        data.verdict,
        seeds=step.seeds,
        trainings=step.trainings,
        workers=step.workers,
    )
    if step.kind == "resume":
        return _("Go on"), time_text(expected, form)
    title = _("Decide it") if data.verdict is None else _("Look closer")
    return title, prospect_text(expected, form)


def prospect_text(expected: Prospect, form: Formatter) -> str:
    """Return what a confirmation takes and which gap it shows, in a line."""
    _ = form.translations.gettext
    gap = ""
    if expected.gap is not None:
        text = (
            _(
                "shows gaps from about {gap} on, if seeds differ as much as the choice of images "
                "makes them"
            )
            if expected.spread_is_assumed
            else _("shows gaps from about {gap} on")
        )
        size = form.points(expected.gap) if expected.in_percent else significant(expected.gap, 2)
        gap = text.format(gap=size)
    return " · ".join(part for part in (time_text(expected, form), gap) if part)


def time_text(expected: Prospect, form: Formatter) -> str:
    """Return how long the trainings take, nothing where no training has ended yet."""
    if expected.seconds is None:
        return ""
    return form.translations.ngettext(
        "about {time} for {count} training",
        "about {time} for {count} trainings",
        expected.trainings,
    ).format(time=form.duration(expected.seconds), count=form.count(expected.trainings))
