"""Accuracy against learning rate, marked by the activation of one slot."""

import math
from typing import Any

from actlab.pages.figure import (
    MAIN_ABOVE_LANE,
    PageFigure,
    View,
    accuracy_axis,
    axis,
    frame,
    lane_axis,
    plain,
)
from actlab.pages.theme import LIGHT, Mark
from actlab.pages.words import slot_word
from actlab.records import Record
from actlab.studies.report.data.answer import Answer, near_by_candidate
from actlab.studies.report.data.search import activation
from actlab.studies.report.data.zooms import Scale, Zoom
from actlab.studies.report.figures.history import setting_text
from actlab.text import Formatter


def rates_figure(
    slot: str,
    trials: tuple[Record, ...],
    marks: dict[str, Mark],
    found: Answer,
    zooms: tuple[Zoom, ...],
    scale: Scale,
    form: Formatter,
) -> PageFigure:
    """Draw each trial at its learning rate and accuracy; the first of `zooms` is the whole."""
    _ = form.translations.gettext
    figure = frame(
        xaxis=axis(_("learning rate"), type=scale, range=_rate_range(zooms[0], scale)),
        yaxis=accuracy_axis(_("valid (trial) accuracy"), zooms[0].accuracy),
    )
    if any(record.valid_accuracy is None for record in trials):
        figure.update_layout(yaxis_domain=MAIN_ABOVE_LANE, yaxis2=lane_axis(_("no result")))
        figure.update_xaxes(anchor="y2")
    for name, mark in marks.items():
        own = [record for record in trials if activation(record, slot) == name]
        scored = [record for record in own if record.valid_accuracy is not None]
        unscored = [record for record in own if record.valid_accuracy is None]
        if scored:
            figure.add_scatter(**_points(name, scored, mark, form))
        if unscored:
            lane = _points(name, unscored, mark, form)
            lane["marker"] |= {"symbol": f"{mark.shape}-open", "line": {"width": 2}}
            lane |= {"y": [0] * len(unscored), "yaxis": "y2", "showlegend": not scored}
            figure.add_scatter(**lane)
    counts = ", ".join(
        _("{name} {near} of {trials}").format(name=name, near=near, trials=total)
        for name, near, total in near_by_candidate(found, trials, slot)
    )
    fact = _("Trials within two standard errors of the best: {counts}.").format(counts=counts)
    heading = slot_word(slot, form.translations)
    return PageFigure(
        name=f"rates-{slot}",
        title=_("Accuracy against learning rate: {slot}").format(slot=heading),
        caption=fact,
        description=_(
            "Scatter plot of valid (trial) accuracy against learning rate, one colour and shape "
            "for each activation. {fact}"
        ).format(fact=fact),
        figure=figure,
        views=tuple(_view(index, zoom, scale, form) for index, zoom in enumerate(zooms)),
        height=460,
    )


def _points(name: str, records: list[Record], mark: Mark, form: Formatter) -> dict[str, Any]:
    return {
        "x": [record.setting.learning_rate for record in records],
        "y": [record.valid_accuracy for record in records],
        "mode": "markers",
        "name": plain(name),
        "legendgroup": name,
        "marker": {
            "color": mark.colour,
            "symbol": mark.shape,
            "size": 11,
            "opacity": 0.9,
            "line": {"color": LIGHT["surface"], "width": 1},
        },
        "text": [setting_text(record, form) for record in records],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _rate_range(zoom: Zoom, scale: Scale) -> list[float]:
    """Return the range of the horizontal axis; Plotly takes the exponents of a logarithmic one."""
    low, high = zoom.learning_rate
    return [math.log10(low), math.log10(high)] if scale == "log" else [low, high]


def _view(index: int, zoom: Zoom, scale: Scale, form: Formatter) -> View:
    _ = form.translations.gettext
    layout = {"xaxis.range": _rate_range(zoom, scale), "yaxis.range": list(zoom.accuracy)}
    if index == 0:
        return View(_("Whole"), layout)
    low, high = (f"{100 * bound:.3g}" for bound in zoom.accuracy)
    return View(_("{low} to {high} %").format(low=low, high=high), layout)
