"""All figures of a verdict, by name."""

from actlab.pages.figure import PageFigure
from actlab.pages.theme import Mark
from actlab.records import Record, Verdict
from actlab.studies.confirm.verdict_text import is_of_accuracies
from actlab.studies.report.verdict.candidates import differences_figure, intervals_figure
from actlab.studies.report.verdict.importance import importance_figure
from actlab.studies.report.verdict.mechanisms import (
    learnt_parameters,
    mechanism_figure,
    slopes_figure,
)
from actlab.studies.report.verdict.plateaus import plateaus_figure
from actlab.studies.report.verdict.ranks import ranks_figure
from actlab.text import Formatter


def verdict_pictures(
    verdict: Verdict, records: tuple[Record, ...], marks: dict[str, Mark], form: Formatter
) -> dict[str, PageFigure]:
    """Return the figures that the verdict has numbers for."""
    figures: list[PageFigure | None] = []
    for judged in verdict.slots:
        figures += [
            intervals_figure(judged, verdict, form),
            differences_figure(judged, verdict, form),
            ranks_figure(judged, form),
        ]
        if is_of_accuracies(verdict):
            figures.append(plateaus_figure(judged.slot, verdict, marks, form))
    figures.append(importance_figure(verdict, form))
    by_slot = {judged.slot: judged for judged in verdict.slots}
    if not is_of_accuracies(verdict):  # the rest is about accuracies
        return {figure.name: figure for figure in figures if figure is not None}
    figures += [
        mechanism_figure(place, found, by_slot[found.slot], verdict, marks, form)
        for place, found in enumerate(verdict.mechanisms)
        if found.slot in by_slot
    ]
    figures += [
        slopes_figure(place, learnt, form)
        for place, learnt in enumerate(learnt_parameters(verdict, records))
    ]
    return {figure.name: figure for figure in figures if figure is not None}


def verdict_names(verdict: Verdict) -> tuple[str, ...]:
    """Return every activation that a verdict names."""
    names = [row.name for slot in verdict.slots for row in slot.candidates]
    names += [curve.activation for curve in verdict.rates]
    names += [name for found in verdict.mechanisms for name in found.values]
    return tuple(dict.fromkeys(names))
