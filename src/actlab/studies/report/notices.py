"""What a reader must know before believing the answer, in sentences with their numbers."""

from dataclasses import dataclass
from typing import Literal

from actlab.pages.words import outcome_word, slot_word
from actlab.records import Outcome, StudyMetric
from actlab.studies.report.answer import Answer
from actlab.studies.report.search import Budget, PairTable, Progress
from actlab.text import Formatter

REASONS_SHOWN = 5
"""How many trials without an accuracy a notice names; the table of all trials has the others."""


@dataclass(frozen=True)
class Notice:
    """A box above the figures: a heading, sentences, and lines of detail."""

    level: Literal["info", "caution", "trouble"]
    title: str
    sentences: tuple[str, ...]
    lines: tuple[str, ...] = ()


def notices(
    progress: Progress,
    found: Answer | None,
    budgets: tuple[Budget, ...],
    pairs: PairTable | None,
    form: Formatter,
) -> tuple[Notice, ...]:
    """Return the notices that apply, the gravest first."""
    boxes = []
    if not progress.complete:
        boxes.append(_partial(progress, form))
    if found is not None:
        boxes.append(_one_run(found, form))
        if found.test is None:
            boxes.append(_no_test(form))
    if progress.recorded and any(budget.unequal for budget in budgets):
        boxes.append(_unequal(budgets, pairs, form))
    if progress.unfinished:
        boxes.append(_unfinished(progress, form))
    return tuple(boxes)


def _partial(progress: Progress, form: Formatter) -> Notice:
    _ = form.translations.gettext
    ngettext = form.translations.ngettext
    return Notice(
        "trouble",
        _("The search is not finished"),
        (
            ngettext(
                "{recorded} of {planned} planned trial is here.",
                "{recorded} of {planned} planned trials are here.",
                progress.planned,
            ).format(recorded=progress.recorded, planned=progress.planned),
            _("“actlab study resume” with this run folder goes on; the answer can still change."),
        ),
    )


def _one_run(found: Answer, form: Formatter) -> Notice:
    _ = form.translations.gettext
    ngettext = form.translations.ngettext
    sentences = [
        _("Every setting was trained once, with one seed."),
        _(
            "An accuracy of {accuracy} on {images} examples has a standard error of {error} from "
            "the choice of examples alone."
        ).format(
            accuracy=form.percent(found.valid.value),
            images=form.count(found.valid.images),
            error=form.points(found.valid.standard_error),
        ),
    ]
    if found.others:
        sentences.append(
            ngettext(
                "{near} of the {others} other completed trial lies within two of these ({margin}) "
                "of the best; one run each cannot tell them apart.",
                "{near} of the {others} other completed trials lie within two of these ({margin}) "
                "of the best; one run each cannot tell them apart.",
                found.others,
            ).format(near=found.near, others=found.others, margin=form.points(found.margin))
        )
    if found.equal:
        sentences.append(
            ngettext(
                "{count} other trial reached exactly the same accuracy; the earliest is shown.",
                "{count} other trials reached exactly the same accuracy; the earliest is shown.",
                found.equal,
            ).format(count=found.equal)
        )
    title = _("One run per setting: small differences mean nothing")
    return Notice("caution", title, tuple(sentences))


def one_run_by(measured: StudyMetric, form: Formatter) -> Notice:
    """Return the notice on single runs by another metric: how far chance moves it, none tells."""
    _ = form.translations.gettext
    return Notice(
        "caution",
        _("One run per setting: small differences mean nothing"),
        (
            _("Every setting was trained once, with one seed."),
            _("How far chance moves {metric} is known once settings are trained again.").format(
                metric=measured.name
            ),
        ),
    )


def _no_test(form: Formatter) -> Notice:
    _ = form.translations.gettext
    return Notice(
        "info",
        _("No test accuracy yet"),
        (_("The test data have not been read for this trial's model."),),
    )


def _unequal(budgets: tuple[Budget, ...], pairs: PairTable | None, form: Formatter) -> Notice:
    _ = form.translations.gettext
    tried = ""
    if pairs is not None:
        tried = _("Pairs tried: {tried} of {possible}").format(
            tried=pairs.tried, possible=pairs.possible
        )
    return Notice(
        "caution",
        _("Unequal budgets: the best of many tries beside the best of few"),
        (
            _(
                "The trials are not spread evenly over the candidates. The best of more tries is "
                "higher by chance alone, so the maxima of two candidates are no fair comparison."
            ),
        ),
        (*unequal_budgets(budgets, form), tried),
    )


def unequal_budgets(budgets: tuple[Budget, ...], form: Formatter) -> tuple[str, ...]:
    """Return a line for each slot whose candidates had unequal numbers of trials."""
    _ = form.translations.gettext
    return tuple(
        _("{slot}: most trials {most} ({most_count}), fewest {least} ({least_count})").format(
            slot=slot_word(budget.slot, form.translations),
            most=budget.most.name,
            most_count=budget.most.trials,
            least=budget.least.name,
            least_count=budget.least.trials,
        )
        for budget in budgets
        if budget.unequal
    )


def _unfinished(progress: Progress, form: Formatter) -> Notice:
    _ = form.translations.gettext
    ngettext = form.translations.ngettext
    total = len(progress.unfinished)
    counts = ", ".join(
        _("{count} {outcome}").format(count=count, outcome=outcome_word(outcome, form.translations))
        for outcome, count in progress.outcomes.items()
        if outcome is not Outcome.COMPLETED
    )
    lines = [
        _("Trial {number}, {activations}, {outcome}. {reason}").format(
            number=record.number,
            activations=" × ".join(record.setting.activations.values()),
            outcome=outcome_word(record.outcome, form.translations),
            reason=record.reason or "",
        )
        for record in progress.unfinished[:REASONS_SHOWN]
    ]
    if total > REASONS_SHOWN:
        lines.append(_("and {count} more").format(count=total - REASONS_SHOWN))
    return Notice(
        "caution",
        ngettext("{count} trial has no result", "{count} trials have no result", total).format(
            count=total
        ),
        (
            counts + ".",
            _("They stay in the tables and in the counts, and the figures mark them."),
        ),
        tuple(lines),
    )
