"""Learning curves: the best network's, and those of every trial in small pictures."""

import math
from dataclasses import dataclass

import plotly.graph_objects as go
from markupsafe import Markup

from actlab.pages.figure import PageFigure, accuracy_axis, axis, frame
from actlab.pages.lanes import small_multiple, without_worst
from actlab.pages.theme import LIGHT
from actlab.records import Record
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.search import by_activation, candidates, search_trials, thinned
from actlab.text import Formatter

MOST_LINES = 30
"""A small picture draws so many learning curves."""


@dataclass(frozen=True)
class CurvePanels:
    """Small pictures of all learning curves of a slot: (activation, drawing, number of trials)."""

    slot: str
    drawings: tuple[tuple[str, Markup, int], ...]
    low: float
    high: float


def curve_panels(data: ReportData) -> tuple[CurvePanels, ...]:
    """Return the learning curves of every trial by activation, all on the same axes."""
    trials = [record for record in search_trials(data.records) if record.curve]
    values = sorted(e.valid_metric for record in trials for e in record.curve)
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ()
    low, high = without_worst(finite, data.plan.training.measured.higher_is_better)
    longest = max(len(record.curve) for record in trials)
    panels = []
    for slot in data.plan.space.by_slot:
        drawings, by_name = [], by_activation(trials, slot)
        for name in candidates(data.plan, data.records, slot):
            own = by_name[name]
            lines = [
                [min(max(epoch.valid_metric, low), high) for epoch in record.curve]
                + [None] * (longest - len(record.curve))
                for record in thinned(tuple(own), MOST_LINES)
            ]
            drawings.append((name, small_multiple(lines, low, high), len(own)))
        panels.append(CurvePanels(slot, tuple(drawings), low, high))
    return tuple(panels)


def accuracy_curve(record: Record, form: Formatter) -> PageFigure:
    """Draw the accuracy on valid (epoch) after each epoch of a trial."""
    _ = form.translations.gettext
    figure = _frame(record, accuracy_axis(_("valid (epoch) accuracy")), form)
    epochs = list(range(1, len(record.curve) + 1))
    figure.add_scatter(
        x=epochs,
        y=[epoch.valid_accuracy for epoch in record.curve],
        name=_("valid (epoch)"),
        mode="lines+markers",
        line={"color": LIGHT["series0"], "width": 2},
        text=[form.percent(epoch.valid_accuracy) for epoch in record.curve],
        hovertemplate=_("epoch %{x}") + ": <b>%{text}</b><extra></extra>",
    )
    fact = _("Epoch {best} of {epochs} was the best, and its weights are the result.").format(
        best=record.best_epoch, epochs=record.epochs
    )
    return PageFigure(
        name="curve-accuracy",
        title=_("Accuracy by epoch"),
        caption=fact,
        description=_("Line of valid (epoch) accuracy by epoch. {fact}").format(fact=fact),
        figure=figure,
        height=300,
    )


def loss_curve(record: Record, form: Formatter) -> PageFigure:
    """Draw the mean losses on train and on valid (epoch) after each epoch of a trial."""
    _ = form.translations.gettext
    figure = _frame(record, axis(_("loss")), form)
    epochs = list(range(1, len(record.curve) + 1))
    lines = (
        (_("train"), LIGHT["series1"], [epoch.train_loss for epoch in record.curve], "solid"),
        (_("valid (epoch)"), LIGHT["series0"], [e.valid_loss for e in record.curve], "dash"),
    )
    for name, colour, losses, dash in lines:
        figure.add_scatter(
            x=epochs,
            y=losses,
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate=_("epoch %{x}") + ": <b>%{y:.4f}</b><extra></extra>",
        )
    return PageFigure(
        name="curve-loss",
        title=_("Loss by epoch"),
        caption=_("Mean cross entropy of the training batches and of valid (epoch)."),
        description=_("Lines of training and valid (epoch) loss by epoch."),
        figure=figure,
        height=300,
    )


def _frame(record: Record, vertical: dict[str, object], form: Formatter) -> go.Figure:
    _ = form.translations.gettext
    last = len(record.curve)
    figure = frame(
        xaxis=axis(_("epoch"), range=[0.5, last + 0.5], tickformat="d"),
        yaxis=vertical,
        showlegend=True,
    )
    if record.best_epoch is not None:
        figure.add_shape(
            type="line",
            layer="below",
            yref="paper",
            x0=record.best_epoch,
            x1=record.best_epoch,
            y0=0,
            y1=1,
            line={"color": LIGHT["muted"], "width": 1.5, "dash": "dot"},
            name=_("best epoch"),
            showlegend=True,
        )
    return figure
