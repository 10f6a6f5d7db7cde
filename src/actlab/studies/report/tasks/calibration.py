"""Whether an output layer is right as often as it says."""

from collections.abc import Sequence

from actlab.pages.figure import PageFigure, accuracy_axis, axis, frame, plain
from actlab.pages.theme import LIGHT, marks
from actlab.records import ConfidenceBin
from actlab.studies.report.tasks.rows import TaskRow, layer_label
from actlab.text import Formatter


def calibration(name: str, rows: Sequence[TaskRow], form: Formatter) -> PageFigure:
    """Draw the share of right answers against the confidence, all seeds of a setting together."""
    _ = form.translations.gettext
    labels = [layer_label(row.setting.output, form) for row in rows]
    looks = marks(labels)
    figure = frame(
        xaxis=axis(_("confidence"), tickformat=".0%", range=[-0.02, 1.03]),
        yaxis=accuracy_axis(_("right answers on test"), (-0.02, 1.03)),
        showlegend=True,
    )
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name=_("as often right as it says"),
        line={"color": LIGHT["muted"], "width": 1.5, "dash": "dot"},
        hoverinfo="skip",
    )
    gaps = []
    for row, label in zip(rows, labels, strict=True):
        bins = pooled([found for f in row.figures for found in f.summary.confidence])
        if not bins:
            continue
        look = looks[label]
        figure.add_scatter(
            x=[one.confidence for one in bins],
            y=[one.right for one in bins],
            mode="lines+markers",
            name=plain(label),
            line={"color": look.colour, "width": 1.5},
            marker={"symbol": look.shape, "size": 9, "color": look.colour},
            text=[form.count(one.count) for one in bins],
            hovertemplate=(
                f"{plain(label)}<br>%{{x:.1%}} → <b>%{{y:.1%}}</b><br>"
                + _("answers")
                + ": %{text}<extra></extra>"
            ),
        )
        gaps.append(f"{label} {form.points(calibration_error(bins))}")
    return PageFigure(
        name=name,
        title=_("Calibration"),
        caption=_("Mean distance of confidence and share of right answers: {gaps}.").format(
            gaps="; ".join(gaps)
        ),
        description=_("Right answers by confidence for {labels}.").format(labels="; ".join(labels)),
        figure=figure,
        height=420,
    )


def pooled(bins: Sequence[ConfidenceBin]) -> list[ConfidenceBin]:
    """Return bins of the same range put together, by rising confidence.

    >>> one, two = ConfidenceBin(0.9, 1.0, 10, 0.92, 1.0), ConfidenceBin(0.9, 1.0, 30, 0.96, 0.8)
    >>> found = pooled([one, two])[0]
    >>> found.count, round(found.confidence, 2), round(found.right, 2)
    (40, 0.95, 0.85)
    """
    by_range: dict[tuple[float, float], list[ConfidenceBin]] = {}
    for one in bins:
        by_range.setdefault((one.low, one.high), []).append(one)
    return [_together(by_range[ends]) for ends in sorted(by_range)]


def calibration_error(bins: Sequence[ConfidenceBin]) -> float:
    """Return the mean |confidence - right| over all answers: the expected calibration error.

    Source: Guo et al. (2017), On calibration of modern neural networks, ICML, equation 3.
    """
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.confidence - one.right) for one in bins) / total


def _together(bins: Sequence[ConfidenceBin]) -> ConfidenceBin:
    count = sum(one.count for one in bins)
    return ConfidenceBin(
        bins[0].low,
        bins[0].high,
        count,
        sum(one.count * one.confidence for one in bins) / count,
        sum(one.count * one.right for one in bins) / count,
    )
