"""The first screen: what is known, a lane per candidate in each slot, and what to do next."""

from dataclasses import dataclass, field

from markupsafe import Markup

from actlab.pages.lanes import Lane, Scale, axis, lane, strip
from actlab.pages.proportions import accuracy
from actlab.pages.words import group_words, in_slot, partner_words, setting_words, slot_word
from actlab.records import Candidate, Group, Record, SlotVerdict, Verdict
from actlab.studies.confirm.prospect import Prospect, prospect
from actlab.studies.coverage import coverage_line
from actlab.studies.report.answer import Answer
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.search import activation, candidates, completed_trials, search_trials
from actlab.studies.report.verdict.candidates import accuracy_ranges
from actlab.text import Formatter

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
    """The candidates of a slot, the best first; `low` and `high` are the ends of the lanes."""

    slot: str
    title: str
    headline: str
    rows: tuple[Row, ...]
    axis: Markup
    rates_axis: Markup
    low: float
    high: float


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
        axis=_percent_axis(scale),
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


def _percent_axis(scale: Scale) -> Markup:
    ticks = [tick for tick in scale.ticks(3) if tick <= 1.0]
    return axis(scale, [(tick, f"{100 * tick:.6g}") for tick in ticks])


def judged_panel(slot: SlotVerdict, verdict: Verdict, form: Formatter) -> Panel:
    """Return the candidates of a slot by their runs with fresh seeds."""
    ranges = accuracy_ranges(slot, verdict)
    scale = Scale(*ranges[0]) if ranges else Scale(0.0, 1.0)
    scale = Scale(scale.low, min(scale.high, 1.002))
    best = slot.best
    band = None if best is None or best.mean is None else (best.mean - verdict.margin, best.mean)
    return Panel(
        slot=slot.slot,
        title=slot_word(slot.slot, form.translations),
        headline=slot_headline(slot, form.margin(verdict.margin), form),
        rows=tuple(_judged_row(row, slot, verdict, scale, band, form) for row in slot.candidates),
        axis=_percent_axis(scale),
        rates_axis=Markup(),
        low=scale.low,
        high=scale.high,
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
        value=form.percent(row.mean),
        count=ngettext("{count} seed", "{count} seeds", row.n).format(count=row.n),
        group=row.group,
        twins=f"= {', '.join(twins)}" if twins else "",
    )


def headline_words(form: Formatter) -> dict[str, str]:
    """Return the parts of a slot's headline, which the page's script fills in as well."""
    _ = form.translations.gettext
    return {
        "tied": _("{names}: equivalent within {margin} points."),
        "many": _("{name} and {count} more: equivalent within {margin} points."),
        "leads": _("{name} has the best mean."),
        "count": _("{word}: {count}"),
        "nothing": _("Nothing can be said yet."),
    }


def slot_headline(slot: SlotVerdict, margin: str, form: Formatter) -> str:
    """Return what is known of a slot in one line; the page's `margin.js` writes the same.

    Margins are written in points.
    """
    parts, words, best = headline_words(form), group_words(form.translations), slot.best
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
        gap = text.format(gap=form.points(expected.gap))
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
