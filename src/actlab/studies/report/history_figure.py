"""The figure of a search in the order of its trials, with the best so far."""

import plotly.graph_objects as go

from actlab.pages.figure import (
    MAIN_ABOVE_LANE,
    PageFigure,
    View,
    accuracy_axis,
    axis,
    frame,
    lane_axis,
)
from actlab.pages.theme import LIGHT
from actlab.records import Record
from actlab.studies.report.answer import Answer
from actlab.studies.report.search import History, thinned
from actlab.studies.report.trial_texts import MOST_POINTS, outside_text, setting_text, zoom_labels
from actlab.studies.report.zooms import Range
from actlab.text import Formatter


def history_figure(
    past: History, found: Answer, zooms: tuple[Range, ...], form: Formatter
) -> PageFigure:
    """Draw the accuracy of each trial by its number; it opens with the first of `zooms`."""
    _ = form.translations.gettext
    ngettext = form.translations.ngettext
    edge = max(0.6, 0.015 * past.last_number)
    numbers = [-edge, past.last_number + edge]
    figure = frame(
        xaxis=axis(_("trial"), range=numbers, dtick=1 if past.last_number < 10 else None),
        yaxis=accuracy_axis(_("valid (trial) accuracy"), zooms[0]),
    )
    _add_band(figure, found, _("within two standard errors of the best"))
    _add_trials(figure, past, found, form)
    if past.unfinished:
        _add_lane(figure, past.unfinished, form)
    labels = zoom_labels(zooms, form)
    views = [
        View(label, {"yaxis.range": list(zoom)}) for label, zoom in zip(labels, zooms, strict=True)
    ]
    best = form.percent(found.valid.value)
    stagnation = ngettext(
        "{count} completed trial after it did no better.",
        "{count} completed trials after it did no better.",
        past.since_best,
    ).format(count=past.since_best)
    reached = _("Trial {number} reached {best}.").format(number=found.best.number, best=best)
    return PageFigure(
        name="history",
        title=_("Optimisation history"),
        caption=" ".join(
            part
            for part in (
                reached,
                stagnation if past.since_best else "",
                outside_text(past.completed, zooms[0], form),
            )
            if part
        ),
        description=_("Scatter plot of valid (trial) accuracy by trial number. {fact}").format(
            fact=reached
        ),
        figure=figure,
        views=tuple(views),
        height=255,
    )


def _add_band(figure: go.Figure, found: Answer, label: str) -> None:
    figure.add_shape(
        type="rect",
        layer="below",
        xref="paper",
        x0=0,
        x1=1,
        y0=found.valid.value - found.margin,
        y1=found.valid.value,
        fillcolor=LIGHT["band"],
        line_width=0,
        name=label,
        showlegend=True,
    )


def _add_trials(figure: go.Figure, past: History, found: Answer, form: Formatter) -> None:
    _ = form.translations.gettext
    drawn = thinned(past.completed, MOST_POINTS)
    figure.add_scatter(
        x=[record.number for record in drawn],
        y=[record.valid_accuracy for record in drawn],
        mode="markers",
        name=_("trial"),
        marker={"color": LIGHT["series0"], "size": 7, "opacity": 0.75},
        text=[setting_text(record, form) for record in drawn],
        hovertemplate="%{text}<extra></extra>",
    )
    steps = _steps(past)
    figure.add_scatter(
        x=[number for number, _best in steps],
        y=[best for _number, best in steps],
        mode="lines",
        name=_("best so far"),
        line={"color": LIGHT["series1"], "width": 2, "shape": "hv"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[found.best.number],
        y=[found.valid.value],
        mode="markers",
        name=_("best trial"),
        marker={
            "color": LIGHT["series1"],
            "size": 15,
            "symbol": "star",
            "line": {"color": LIGHT["surface"], "width": 1.5},
        },
        text=[setting_text(found.best, form)],
        hovertemplate="%{text}<extra></extra>",
    )


def _steps(past: History) -> list[tuple[int, float]]:
    """Return (trial, best so far) where the best rose, and at the last trial."""
    steps: list[tuple[int, float]] = []
    for record, best in zip(past.completed, past.best_so_far, strict=True):
        if not steps or best > steps[-1][1]:
            steps.append((record.number, best))
    last = past.completed[-1].number
    return [*steps, (last, steps[-1][1])] if steps[-1][0] != last else steps


def _add_lane(figure: go.Figure, unfinished: tuple[Record, ...], form: Formatter) -> None:
    _ = form.translations.gettext
    figure.update_layout(yaxis_domain=MAIN_ABOVE_LANE, yaxis2=lane_axis(_("no result")))
    figure.update_xaxes(anchor="y2")
    figure.add_scatter(
        x=[record.number for record in unfinished],
        y=[0] * len(unfinished),
        yaxis="y2",
        mode="markers",
        name=_("no result"),
        marker={"color": LIGHT["trouble"], "size": 9, "symbol": "x-thin", "line_width": 2},
        text=[setting_text(record, form) for record in unfinished],
        hovertemplate="%{text}<extra></extra>",
    )
    figure.data[-1].marker.line.color = LIGHT["trouble"]
