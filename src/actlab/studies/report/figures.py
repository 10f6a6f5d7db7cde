"""The figures of a search: its history, pairs, learning rates and learning curves."""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

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
from actlab.pages.lanes import small_multiple, without_worst
from actlab.pages.theme import LIGHT, Mark, marks
from actlab.pages.words import in_slot, outcome_word, slot_word
from actlab.records import Record
from actlab.records.unreplicated import TrialRow, TrialTable
from actlab.studies.report.answer import Answer, near_by_candidate
from actlab.studies.report.classes import classes_figure, split_counts
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.search import (
    History,
    PairTable,
    activation,
    candidates,
    history,
    pair_table,
    search_trials,
    thinned,
)
from actlab.studies.report.trial_pictures import trial_pictures
from actlab.studies.report.verdict.pictures import verdict_names
from actlab.studies.report.zooms import (
    PUBLISHED_HISTORY,
    PUBLISHED_SCATTER,
    Range,
    Zoom,
    around_best,
    is_published_search,
    whole,
)
from actlab.text import Formatter

MOST_POINTS = 2_000
"""A picture draws so many trials; of more it draws the best and an even share of the others."""

MOST_STEPS = 200
"""A distribution is drawn by so many of its steps."""

MOST_LINES = 30
"""A small picture draws so many learning curves."""


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
    labels = _labels(zooms, form)
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
                _outside(past.completed, zooms[0], form),
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


def _range_label(shown: Range, form: Formatter) -> str:
    _ = form.translations.gettext
    low, high = (f"{100 * bound:.4g}" for bound in shown)
    return _("{low} to {high} %").format(low=low, high=high)


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


def setting_text(record: Record, form: Formatter) -> str:
    """Return what a trial's mark says when it is pointed at."""
    _ = form.translations.gettext
    setting = record.setting
    if record.valid_accuracy is None:
        result = outcome_word(record.outcome, form.translations)
    else:
        result = form.percent(record.valid_accuracy)
    return "<br>".join(
        (
            "<b>" + _("Trial {number}").format(number=record.number) + f"</b>: {result}",
            *(
                in_slot(slot, plain(name), form.translations)
                for slot, name in setting.activations.items()
            ),
            _("learning rate {rate}").format(rate=form.rate(setting.learning_rate)),
        )
    )


def heat_figure(table: PairTable, form: Formatter) -> PageFigure:
    """Draw the pairs as a heat map; each cell has its best accuracy and its number of trials."""
    _ = form.translations.gettext
    rows, columns = (
        slot_word(slot, form.translations) for slot in (table.row_slot, table.column_slot)
    )
    figure = frame(
        xaxis=axis(columns, type="category", showgrid=False, side="top", tickangle=-35),
        yaxis=axis(rows, type="category", showgrid=False, autorange="reversed"),
    )
    lowest, low, high = _levels(table)
    figure.add_heatmap(
        x=[plain(name) for name in table.columns],
        y=[plain(name) for name in table.rows],
        z=[list(row) for row in table.best],
        zmin=low,
        zmax=high,
        showscale=lowest < high,
        xgap=2,
        ygap=2,
        colorscale=[[step / 4, LIGHT[f"heat{step}"]] for step in range(5)],
        colorbar={
            "tickformat": ".4~p",
            "outlinewidth": 0,
            "thickness": 12,
            "tickfont": {"color": LIGHT["muted"]},
        },
        text=_cell_texts(table, form),
        customdata=[list(row) for row in table.trials],
        texttemplate="%{text}",
        textfont={"color": LIGHT["ink"], "size": 12},
        hovertemplate=f"{rows} %{{y}}<br>{columns} %{{x}}<br><b>%{{z:.2%}}</b><br>"
        + _("trials: %{customdata}") + "<extra></extra>",
    )  # fmt: skip
    _add_empty_cells(figure, table)
    views = (
        View(_("Close-up"), trace={"zmin": low, "zmax": high}),
        View(_("Whole"), trace={"zmin": lowest, "zmax": high}),
    )
    return PageFigure(
        name="pairs-heat",
        title=_("Best accuracy of each pair, with its number of trials"),
        caption=_heat_caption(low, form) if low > lowest else _cell_key(form),
        description=_(
            "Heat map of the best accuracy of each pair of activations; the same numbers are in "
            "the table below it."
        ),
        figure=figure,
        views=views if low > lowest else (),
        height=115 + 33 * len(table.rows),
        minimum_width=200 + 68 * len(table.columns),
    )


def _cell_key(form: Formatter) -> str:
    _ = form.translations.gettext
    return _(
        "In each cell the best valid (trial) accuracy in percent, and how many trials it is the "
        "best of; an empty cell was never tried."
    )


def _heat_caption(low: float, form: Formatter) -> str:
    _ = form.translations.gettext
    key = _cell_key(form)
    weakest = _("In the close-up all accuracies below {low} have the weakest colour.")
    return key + " " + weakest.format(low=form.percent(low))


def _levels(table: PairTable) -> tuple[float, float, float]:
    """Return the lowest accuracy of the pairs, their lower quartile, and the highest."""
    scores = sorted(score for row in table.best for score in row if score is not None)
    return scores[0], scores[len(scores) // 4], scores[-1]


def _cell_texts(table: PairTable, form: Formatter) -> list[list[str]]:
    return [
        [
            "" if best is None else f"<b>{form.percent_number(best)}</b><br>{count}×"
            for best, count in zip(scores, counts, strict=True)
        ]
        for scores, counts in zip(table.best, table.trials, strict=True)
    ]


def _add_empty_cells(figure: go.Figure, table: PairTable) -> None:
    """Write the number of trials into cells that have no accuracy to show."""
    for row, conv in enumerate(table.rows):
        for column, fc in enumerate(table.columns):
            count = table.trials[row][column]
            if table.best[row][column] is None and count:
                figure.add_annotation(
                    x=plain(fc),
                    y=plain(conv),
                    text=f"–<br>{count}×",
                    showarrow=False,
                    font={"color": LIGHT["trouble"]},
                )


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
    shown = thinned(trials, MOST_POINTS)
    for name, mark in marks.items():
        own = [record for record in shown if activation(record, slot) == name]
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
        caption=f"{fact} {_outside(trials, zooms[0].accuracy, form)}".strip(),
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
    for name, mark in marks.items():
        own = [record for record in trials if activation(record, slot) == name]
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
    return list(zip(_labels([zoom.accuracy for zoom in zooms], form), zooms, strict=True))


def _labels(ranges: Sequence[Range], form: Formatter) -> list[str]:
    _ = form.translations.gettext
    labels = [_range_label(shown, form) for shown in ranges[:-1]]
    return [_("Close-up"), *labels[1:], _("Whole")] if labels else [_("Whole")]


def _outside(records: Sequence[Record], shown: Range, form: Formatter) -> str:
    """Return a sentence on the trials below what a close-up shows, nothing where none is."""
    ngettext = form.translations.ngettext
    below = [r for r in records if r.valid_accuracy is not None and r.valid_accuracy < shown[0]]
    if not below:
        return ""
    lowest = min(below, key=lambda record: record.valid_accuracy or 0.0)
    return ngettext(
        "{count} trial lies below the close-up: trial {number} at {accuracy}.",
        "{count} trials lie below the close-up, the lowest trial {number} at {accuracy}.",
        len(below),
    ).format(count=len(below), number=lowest.number, accuracy=form.percent(lowest.valid_accuracy))


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
        drawings = []
        for name in candidates(data.plan, data.records, slot):
            own = [record for record in trials if activation(record, slot) == name]
            lines = [
                [min(max(epoch.valid_metric, low), high) for epoch in record.curve]
                + [None] * (longest - len(record.curve))
                for record in thinned(tuple(own), MOST_LINES)
            ]
            drawings.append((name, small_multiple(lines, low, high), len(own)))
        panels.append(CurvePanels(slot, tuple(drawings), low, high))
    return tuple(panels)
