"""The page of a study by another metric than accuracy: every number in the metric's own unit."""

from dataclasses import dataclass
from gettext import NullTranslations

from actlab import i18n
from actlab.pages.kit import render_page
from actlab.pages.words import in_metric, outcome_word, setting_words, slot_word
from actlab.records import SlotVerdict, Verdict, best_record
from actlab.studies.confirm.verdict_text import methods, slot_notices, wording
from actlab.studies.coverage import coverage_line
from actlab.studies.report.compared import compared_activations, slot_columns
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.search import search_trials
from actlab.studies.report.settings import environment_groups, plan_groups
from actlab.text import NO_BREAK, NOT_KNOWN, Formatter
from actlab.verdicts.document import table_of
from actlab.verdicts.text import candidate_sentence, summary


@dataclass(frozen=True)
class JudgedSlot:
    """The candidates of a slot as the page shows them: a summary, a table, a sentence for each."""

    title: str
    summary: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    sentences: tuple[str, ...]


def render_measured(
    data: ReportData, language: str = "en", *, translations: NullTranslations | None = None
) -> str:
    """Return the page in "en" or "ko", for any state of the study."""
    messages = i18n.translation(language) if translations is None else translations
    form = Formatter(messages, NO_BREAK)
    plan, environment = data.plan, data.environment
    measured = plan.training.measured
    facts = [plan.name, plan.network, plan.data.name, measured.name, environment.precision]
    if environment.coverage is not None:
        facts.append(coverage_line(environment.coverage, form))
    verdict = data.verdict
    values = {
        "data": data,
        "plan": plan,
        "form": form,
        "facts": facts,
        "headline": _headline(data, form),
        "best": best_record(search_trials(data.records)),
        "judged": [] if verdict is None else [_slot(s, verdict, form) for s in verdict.slots],
        "methods": [] if verdict is None else [methods(verdict, form)],
        "metric": measured.name,
        "slots": slot_columns(plan),
        "trials": search_trials(data.records),
        "compared": compared_activations(data, form),
        "groups": (*plan_groups(plan, form), *environment_groups(environment, "", form)),
        "shown": lambda value: NOT_KNOWN if value is None else in_metric(value, measured),
        "slot_word": lambda slot: slot_word(slot, messages),
        "outcome_word": lambda outcome: outcome_word(outcome, messages),
        "written": form.moment(data.written),
    }
    return render_page(
        "measured.html",
        ("actlab.studies.report",),
        language,
        messages,
        values,
        styles=("report.css", "verdict.css"),
        scripts=("tables.js",),
    )


def _headline(data: ReportData, form: Formatter) -> str:
    _, ngettext = form.translations.gettext, form.translations.ngettext
    if data.verdict is not None:
        return ngettext(
            "What holds with {count} fresh seed",
            "What holds with {count} fresh seeds",
            data.verdict.seeds,
        ).format(count=data.verdict.seeds)
    best, measured = best_record(search_trials(data.records)), data.plan.training.measured
    if best is None or best.valid_metric is None:
        return _("No answer yet: no trial was completed")
    message = _("Not decided yet: by one run, {activations} has {metric} {value}")
    return message.format(
        activations=setting_words(best.setting, form.translations),
        metric=measured.name,
        value=in_metric(best.valid_metric, measured),
    )


def _slot(slot: SlotVerdict, verdict: Verdict, form: Formatter) -> JudgedSlot:
    how = wording(verdict, form)
    head, rows = table_of(slot, how)
    sentences = [candidate_sentence(row, slot, how) for row in slot.candidates]
    return JudgedSlot(
        title=slot_word(slot.slot, form.translations),
        summary=summary(slot, how),
        head=head,
        rows=rows,
        sentences=(*sentences, *slot_notices(slot, verdict, form)),
    )
