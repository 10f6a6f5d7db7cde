"""All figures of a page, by name, from the page's data."""

from actlab.pages.figure import PageFigure
from actlab.pages.theme import Mark, marks
from actlab.studies.report.data.answer import Answer
from actlab.studies.report.data.budgets import pair_table
from actlab.studies.report.data.classes import split_counts
from actlab.studies.report.data.history import history
from actlab.studies.report.data.search import candidates, search_trials
from actlab.studies.report.data.zooms import (
    PUBLISHED_HISTORY,
    PUBLISHED_SCATTER,
    around_best,
    is_published_search,
    rate_scale,
    whole,
)
from actlab.studies.report.figures.classes import classes_figure
from actlab.studies.report.figures.curves import accuracy_curve, loss_curve
from actlab.studies.report.figures.history import history_figure
from actlab.studies.report.figures.pairs import bars_figure, heat_figure
from actlab.studies.report.figures.rates import rates_figure
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.verdict.pictures import verdict_names
from actlab.text import Formatter


def activation_marks(data: ReportData) -> dict[str, Mark]:
    """Return the mark of every activation on the page: the same in both slots."""
    conv = candidates(data.plan, data.records, "conv")
    judged = () if data.verdict is None else verdict_names(data.verdict)
    return marks((*conv, *candidates(data.plan, data.records, "fc"), *judged))


def pictures(data: ReportData, found: Answer | None, form: Formatter) -> dict[str, PageFigure]:
    """Return the figures that the records allow: without a completed trial, only the classes."""
    figures: list[PageFigure] = []
    if found is not None:
        figures += _search_pictures(data, found, form)
        if found.best.curve:
            figures += [accuracy_curve(found.best, form), loss_curve(found.best, form)]
    splits = split_counts(data.environment.class_counts)
    if splits:
        figures.append(classes_figure(splits, form))
    return {figure.name: figure for figure in figures}


def _search_pictures(data: ReportData, found: Answer, form: Formatter) -> list[PageFigure]:
    plan, trials = data.plan, search_trials(data.records)
    everything, close = whole(plan, trials), around_best(plan, trials)
    published, scale = is_published_search(plan), rate_scale(plan)
    closer = () if close is None else (close,)
    scatter_zooms = (everything, *(PUBLISHED_SCATTER if published else ()), *closer)
    history_zooms = (
        everything.accuracy,
        *((PUBLISHED_HISTORY,) if published else ()),
        *(zoom.accuracy for zoom in closer),
    )
    pairs, all_marks = pair_table(plan, trials), activation_marks(data)
    by_slot = {
        slot: {name: all_marks[name] for name in candidates(plan, trials, slot)}
        for slot in ("conv", "fc")
    }
    return [
        history_figure(history(trials), found, history_zooms, form),
        bars_figure(pairs, by_slot["fc"], form),
        heat_figure(pairs, form),
        *(
            rates_figure(slot, trials, by_slot[slot], found, scatter_zooms, scale, form)
            for slot in ("conv", "fc")
        ),
    ]
