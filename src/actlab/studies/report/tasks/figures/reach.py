"""What a head can express, against the distribution of the targets."""

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from actlab.pages.figure import PageFigure, axis, frame, plain
from actlab.pages.theme import LIGHT
from actlab.studies.report.tasks.rows import TaskRow, layer_label
from actlab.text import Formatter

_LANES = [0.0, 0.6]
_HISTOGRAM = [0.68, 1.0]


def reach(
    name: str, rows: Sequence[TaskRow], targets: Mapping[float, int], form: Formatter
) -> PageFigure:
    """Draw the range of each head as a band, what it said as a bar, the targets above."""
    _ = form.translations.gettext
    labels = [layer_label(row.setting.output, form) for row in rows]
    shown = _shown(rows, targets)
    figure = frame(
        xaxis=axis(_axis_title(rows, form), range=list(shown), anchor="y"),
        yaxis=axis(
            "",
            domain=_LANES,
            range=[len(rows) - 0.5, -0.75],
            showticklabels=False,
            showgrid=False,
        ),
        yaxis2=axis(
            _("test targets"), domain=_HISTOGRAM, tickformat=".0%", anchor="x", rangemode="tozero"
        ),
        showlegend=True,
    )
    total = sum(targets.values())
    figure.add_bar(
        x=list(targets),
        y=[count / total for count in targets.values()],
        width=0.02 * (shown[1] - shown[0]),
        yaxis="y2",
        marker={"color": LIGHT["series0"]},
        name=_("test targets"),
        hovertemplate="%{x}: <b>%{y:.1%}</b><extra></extra>",
    )
    for lane, (row, label) in enumerate(zip(rows, labels, strict=True)):
        _draw_lane(figure, lane, row, shown, form)
        figure.add_annotation(
            text=plain(label),
            xref="paper",
            x=0.01,
            xanchor="left",
            y=lane - 0.4,
            yanchor="middle",
            showarrow=False,
            font={"size": 12},
        )
    missed = [_missed(row, label, targets, form) for row, label in zip(rows, labels, strict=True)]
    caption = _("Bands: what the head can say at all. Bars: what it said of the test images.")
    return PageFigure(
        name=name,
        title=_("What the head can express, against the targets"),
        caption=" ".join([caption, *(sentence for sentence in missed if sentence)]),
        description=_("Ranges of {labels} below the distribution of the test targets.").format(
            labels="; ".join(labels)
        ),
        figure=figure,
        height=280 + 52 * len(rows),
    )


def expressible(row: TaskRow) -> tuple[float, float]:
    """Return the range of what a head can say, in the units of the target.

    A rectified output starts at 0, which is the training mean of a standardised target. Softmax
    over one output has one value only.
    """
    layer = row.setting.output
    if layer.task != "regression":
        return (1.0, 1.0) if layer.head == "softmax" else (0.0, 1.0)
    if layer.head != "relu":
        return -math.inf, math.inf
    means = [figures.scale.mean for figures in row.figures]
    return (min(means) if means else 0.0), math.inf


def _draw_lane(
    figure: go.Figure, lane: int, row: TaskRow, shown: tuple[float, float], form: Formatter
) -> None:
    _ = form.translations.gettext
    low, high = expressible(row)
    ends = [max(low, shown[0]), min(high, shown[1])]
    figure.add_scatter(
        x=ends,
        y=[lane + 0.12, lane + 0.12],
        mode="lines" if ends[0] < ends[1] else "markers",
        line={"color": LIGHT["heat2"], "width": 16},
        marker={"color": LIGHT["heat2"], "size": 16, "symbol": "square"},
        name=_("can say"),
        legendgroup="can",
        showlegend=lane == 0,
        hoverinfo="skip",
    )
    lows = [f.summary.low for f in row.figures if f.summary.low is not None]
    highs = [f.summary.high for f in row.figures if f.summary.high is not None]
    if not lows or not highs:
        return
    said = [min(lows), max(highs)]
    figure.add_scatter(
        x=said,
        y=[lane + 0.12, lane + 0.12],
        mode="lines+markers",
        line={"color": LIGHT["series1"], "width": 5},
        marker={"color": LIGHT["series1"], "size": 9, "symbol": "line-ns-open"},
        name=_("said"),
        legendgroup="said",
        showlegend=lane == 0,
        text=[f"{value:.4g}" for value in said],
        hovertemplate="<b>%{text}</b><extra></extra>",
    )


def _missed(row: TaskRow, label: str, targets: Mapping[float, int], form: Formatter) -> str:
    """Return a sentence on the targets that a head cannot say, nothing where there are none."""
    _ = form.translations.gettext
    low, high = expressible(row)
    count = sum(number for value, number in targets.items() if not low <= value <= high)
    if not count:
        return ""
    share = form.percent(count / sum(targets.values()))
    if row.setting.output.task != "regression":
        sentence = _("{label} cannot say {share} of the test targets.")
        return sentence.format(label=label, share=share)
    sentence = _(
        "{label} cannot say {share} of the test targets; at best its mean squared error is {least}."
    )
    least = f"{least_error(low, targets):.4f}"
    return sentence.format(label=label, share=share, least=least)


def least_error(lowest: float, targets: Mapping[float, int]) -> float:
    """Return the mean squared error of the best predictions of which none is below `lowest`.

    >>> least_error(2.0, {1.0: 5, 3.0: 5})
    0.5
    """
    missed = sum(count * max(lowest - value, 0.0) ** 2 for value, count in targets.items())
    return missed / sum(targets.values())


def _shown(rows: Sequence[TaskRow], targets: Mapping[float, int]) -> tuple[float, float]:
    values = list(targets)
    said = [
        end
        for row in rows
        for figures in row.figures
        for end in (figures.summary.low, figures.summary.high)
        if end is not None and math.isfinite(end)
    ]
    low, high = min([*values, *said]), max([*values, *said])
    room = 0.06 * (high - low or 1.0)
    return low - room, high + room


def _axis_title(rows: Sequence[TaskRow], form: Formatter) -> str:
    _ = form.translations.gettext
    regression = rows[0].setting.output.task == "regression"
    return _("prediction, in the units of the target") if regression else _("output")
