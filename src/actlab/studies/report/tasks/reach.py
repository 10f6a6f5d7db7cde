"""What a head can express, against the distribution of the targets."""

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from actlab.pages.figure import PageFigure, axis, frame, plain
from actlab.pages.theme import LIGHT, marks
from actlab.records import OutputFigures
from actlab.studies.report.tasks.rows import TaskRow, layer_label
from actlab.text import Formatter


def softmax_ceiling(targets: Mapping[float, int], labels: int) -> float:
    """Return the largest share of right answers that shares which sum to 1 can give.

    Only one of them can lie above a half. Of k true labels it finds one and misses k - 1.

    >>> softmax_ceiling({1.0: 50, 3.0: 50}, labels=4)
    0.75
    """
    missed = sum(count * max(true - 1.0, 0.0) for true, count in targets.items())
    return 1.0 - missed / (labels * sum(targets.values()))


def label_accuracies(
    name: str,
    rows: Sequence[TaskRow],
    targets: Mapping[float, int],
    label_names: Sequence[str],
    form: Formatter,
) -> PageFigure:
    """Draw the share of right answers of each label, mean over the seeds."""
    _ = form.translations.gettext
    labels = [layer_label(row.setting.output, form) for row in rows]
    looks = marks(labels)
    figure = frame(
        xaxis=axis(""),
        yaxis=axis(_("right answers on test"), tickformat=".0%", range=[0, 1.02]),
        barmode="group",
        showlegend=True,
    )
    for row, label in zip(rows, labels, strict=True):
        means = _means([f for f in row.figures if f.summary.labels])
        figure.add_bar(
            x=list(label_names)[: len(means)],
            y=means,
            name=plain(label),
            marker={"color": looks[label].colour},
            text=[form.percent(mean) for mean in means],
            textposition="none",
            hovertemplate=f"{plain(label)}, %{{x}}: <b>%{{text}}</b><extra></extra>",
        )
    ceiling = softmax_ceiling(targets, len(label_names))
    figure.add_shape(
        type="line",
        xref="paper",
        x0=0,
        x1=1,
        y0=ceiling,
        y1=ceiling,
        line={"color": LIGHT["muted"], "width": 1.5, "dash": "dot"},
        name=_("most that softmax can reach, over all labels"),
        showlegend=True,
    )
    return PageFigure(
        name=name,
        title=_("What the head can express, label by label"),
        caption=_caption(targets, ceiling, form),
        description=_("Bars of right answers by label for {labels}.").format(
            labels="; ".join(labels)
        ),
        figure=figure,
        height=400,
    )


def _caption(targets: Mapping[float, int], ceiling: float, form: Formatter) -> str:
    _ = form.translations.gettext
    total = sum(targets.values())
    several = sum(count for true, count in targets.items() if true > 1) / total
    return _(
        "{several} of the test images have more than one true label. The shares of a softmax sum "
        "to 1, so at most one lies above a half: at best {ceiling} of its answers are right."
    ).format(several=form.percent(several), ceiling=form.percent(ceiling))


def _means(figures: Sequence[OutputFigures]) -> list[float]:
    if not figures:
        return []
    columns = zip(*(one.summary.labels for one in figures), strict=True)
    return [sum(column) / len(figures) for column in columns]


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
    least = form.loss(least_error(low, targets))
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
