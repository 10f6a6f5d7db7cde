"""All figures of a search that its records allow."""

from actlab.pages.figure import PageFigure
from actlab.pages.theme import Mark, marks
from actlab.pages.words import slot_word
from actlab.records.unreplicated import TrialRow, TrialTable
from actlab.studies.report.answer import Answer
from actlab.studies.report.classes import classes_figure, split_counts
from actlab.studies.report.curve_figures import accuracy_curve, loss_curve
from actlab.studies.report.history_figure import history_figure
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.pair_figure import heat_figure
from actlab.studies.report.rate_figures import distribution_figure, rates_figure
from actlab.studies.report.search import candidates, history, pair_table, search_trials, thinned
from actlab.studies.report.trial_pictures import trial_pictures
from actlab.studies.report.trial_texts import MOST_POINTS
from actlab.studies.report.verdict.pictures import verdict_names
from actlab.studies.report.zooms import (
    PUBLISHED_HISTORY,
    PUBLISHED_SCATTER,
    around_best,
    is_published_search,
    whole,
)
from actlab.text import Formatter


def activation_marks(data: ReportData) -> dict[str, Mark]:
    """Return the mark of every activation on the page: the same in all slots."""
    slots = data.plan.space.by_slot
    named = [name for slot in slots for name in candidates(data.plan, data.records, slot)]
    judged = () if data.verdict is None else verdict_names(data.verdict)
    return marks((*named, *judged))


def pictures(data: ReportData, found: Answer | None, form: Formatter) -> dict[str, PageFigure]:
    """Return the figures that the records allow: without a completed trial, only the classes."""
    figures: list[PageFigure] = []
    if found is not None:
        figures += _search_pictures(data, found, form)
        if found.best.curve:
            figures += [accuracy_curve(found.best, form), loss_curve(found.best, form)]
    if not data.plan.training.measured.in_percent:
        figures += trial_pictures(trial_table(data, form), form)
    splits = split_counts(data.environment.class_counts)
    if splits:
        figures.append(classes_figure(splits, form))
    return {figure.name: figure for figure in figures}


def trial_table(data: ReportData, form: Formatter) -> TrialTable:
    """Return the search of a study by another metric than accuracy as a table of trials."""
    _ = form.translations.gettext
    measured, slots = data.plan.training.measured, data.plan.space.by_slot
    rows = tuple(
        TrialRow(
            number=record.number,
            choices=dict(record.setting.activations),
            numbers={"learning_rate": record.setting.learning_rate},
            value=record.valid_metric,
        )
        for record in thinned(search_trials(data.records), MOST_POINTS)
    )
    words = {slot: slot_word(slot, form.translations) for slot in slots}
    words |= {"value": measured.name, "learning_rate": _("learning rate")}
    return TrialTable(data.plan.name, rows, maximize=measured.higher_is_better, words=words)


def _search_pictures(data: ReportData, found: Answer, form: Formatter) -> list[PageFigure]:
    plan, trials = data.plan, search_trials(data.records)
    everything, close = whole(plan, trials), around_best(trials)
    published = is_published_search(plan)
    closer = () if close is None else (close,)
    scatter_zooms = (*closer, *(PUBLISHED_SCATTER if published else ()), everything)
    history_zooms = (
        *(zoom.accuracy for zoom in closer),
        *((PUBLISHED_HISTORY,) if published else ()),
        everything.accuracy,
    )
    pairs, all_marks = pair_table(plan, trials), activation_marks(data)
    by_slot = {
        slot: {name: all_marks[name] for name in candidates(plan, trials, slot)}
        for slot in plan.space.by_slot
    }
    return [
        history_figure(history(trials), found, history_zooms, form),
        *(() if pairs is None else (heat_figure(pairs, form),)),
        *(
            rates_figure(slot, trials, by_slot[slot], found, scatter_zooms, form)
            for slot in by_slot
        ),
        *(
            distribution_figure(slot, trials, by_slot[slot], scatter_zooms[0].accuracy, form)
            for slot in by_slot
        ),
    ]
