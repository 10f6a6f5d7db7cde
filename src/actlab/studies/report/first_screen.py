"""The first screen: what is known, a lane per candidate in each slot, and what to do next."""

from dataclasses import dataclass, field

from actlab.pages.words import group_words, in_metric, in_slot, setting_words, short_name
from actlab.records import Verdict, best_record
from actlab.studies.confirm.verdict_text import wording
from actlab.studies.coverage import coverage_line
from actlab.studies.report.answer import Answer
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.judged_panel import headline_words, judged_panel
from actlab.studies.report.next_step import next_step
from actlab.studies.report.panels import Panel
from actlab.studies.report.search import search_trials
from actlab.studies.report.short_names import data_name
from actlab.studies.report.trial_panels import metric_panels, trial_panel
from actlab.text import Formatter


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
    title, text = next_step(data, form)
    if data.verdict is not None:
        return FirstScreen(
            facts=_facts(data, form),
            headline=ngettext(
                "What {count} fresh seed shows",
                "What {count} fresh seeds show",
                data.verdict.seeds,
            ).format(count=data.verdict.seeds),
            panels=tuple(judged_panel(slot, data.verdict, form) for slot in data.verdict.slots),
            pick=_pick(data.verdict, found, form),
            next_title=title,
            next_text=text,
            words=headline_words(wording(data.verdict, form)),
        )
    if not data.plan.training.measured.in_percent:
        return FirstScreen(
            facts=_facts(data, form),
            headline=_measured_headline(data, form),
            panels=metric_panels(data, form),
            next_title=title,
            next_text=text,
        )
    return FirstScreen(
        facts=_facts(data, form),
        headline=_headline(found, form),
        panels=()
        if found is None
        else tuple(trial_panel(data, found, slot, form) for slot in data.plan.space.by_slot),
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
        short_name(data.plan.network),
        data_name(data.plan.data.name),
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
        result = _("{accuracy} on valid (trial); the test data are not read yet").format(
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
