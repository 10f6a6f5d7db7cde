"""The figures of a slot's trials: over the learning rate, and how their accuracies spread."""

import bisect
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
from actlab.studies.report.answer import Answer, near_by_candidate
from actlab.studies.report.search import by_activation, thinned
from actlab.studies.report.trial_texts import MOST_POINTS, outside_text, setting_text, zoom_labels
from actlab.studies.report.zooms import Range, Zoom
from actlab.text import Formatter

MOST_STEPS = 200
"""A distribution is drawn by so many of its steps."""


def rates_figure(
    slot: str,
    trials: tuple[Record, ...],
    marks: dict[str, Mark],
    found: Answer,
    zooms: tuple[Zoom, ...],
    form: Formatter,
) -> PageFigure:
    """Draw each trial at its learning rate and accuracy; it opens with the first of `zooms`."""
    _ = form.translations.gettext
    figure = frame(
        xaxis=axis(_("learning rate"), type="log", dtick="D2", range=_rate_range(zooms[0])),
        yaxis=accuracy_axis(_("valid (trial) accuracy"), zooms[0].accuracy),
    )
    if any(record.valid_accuracy is None for record in trials):
        figure.update_layout(yaxis_domain=MAIN_ABOVE_LANE, yaxis2=lane_axis(_("no result")))
        figure.update_xaxes(anchor="y2")
    shown = by_activation(thinned(trials, MOST_POINTS), slot)
    for name, mark in marks.items():
        own = shown[name]
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
        caption=f"{fact} {outside_text(trials, zooms[0].accuracy, form)}".strip(),
        description=_(
            "Scatter plot of valid (trial) accuracy against learning rate, one colour and shape "
            "for each activation. {fact}"
        ).format(fact=fact),
        figure=figure,
        views=tuple(View(label, _limits(zoom)) for label, zoom in _labelled(zooms, form)),
        height=300,
    )


def distribution_figure(
    slot: str, trials: tuple[Record, ...], marks: dict[str, Mark], shown: Range, form: Formatter
) -> PageFigure:
    """Draw which share of each activation's trials stays below every accuracy."""
    _ = form.translations.gettext
    figure = frame(
        xaxis=accuracy_axis(_("valid (trial) accuracy"), shown),
        yaxis=axis(_("share of its trials"), range=[0, 1.02], tickformat=".0%"),
        showlegend=True,
    )
    by_name = by_activation(trials, slot)
    for name, mark in marks.items():
        own = by_name[name]
        scores = sorted(r.valid_accuracy for r in own if r.valid_accuracy is not None)
        if not scores:
            continue
        kept = scores[:: max(len(scores) // MOST_STEPS, 1)]
        shares = [bisect.bisect_right(scores, score) / len(own) for score in kept]
        figure.add_scatter(
            x=[kept[0], *kept, 1.0],
            y=[0.0, *shares, shares[-1]],
            mode="lines",
            name=plain(name),
            line={"color": mark.colour, "width": 2, "shape": "hv"},
            hoverinfo="skip",
        )
    return PageFigure(
        name=f"distribution-{slot}",
        title=_("Share of trials up to an accuracy: {slot}").format(
            slot=slot_word(slot, form.translations)
        ),
        caption=_(
            "A step is a trial: where a line lies to the right, more of its trials are good."
        ),
        description=_(
            "Empirical distribution of valid (trial) accuracy, a line for each activation."
        ),
        figure=figure,
        height=225,
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


def _rate_range(zoom: Zoom) -> list[float]:
    """Return the range of the horizontal axis, as Plotly takes it: exponents of ten."""
    low, high = zoom.learning_rate
    return [math.log10(low), math.log10(high)]


def _limits(zoom: Zoom) -> dict[str, Any]:
    return {"xaxis.range": _rate_range(zoom), "yaxis.range": list(zoom.accuracy)}


def _labelled(zooms: tuple[Zoom, ...], form: Formatter) -> list[tuple[str, Zoom]]:
    """Return the zooms with their labels: the last is the whole, the first before it a close-up."""
    return list(zip(zoom_labels([zoom.accuracy for zoom in zooms], form), zooms, strict=True))
