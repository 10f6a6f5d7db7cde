"""How each activation takes the learning rate: a small picture per activation, on equal axes."""

import math
from collections.abc import Sequence
from typing import Any

from actlab.pages.figure import PERCENT_AXIS, PageFigure, axis, frame, plain
from actlab.pages.theme import LIGHT, Mark
from actlab.pages.words import slot_word
from actlab.records import RateCurve, RatePoint, SlotName, Verdict
from actlab.studies.report.zooms import Range
from actlab.text import Formatter

COLUMNS = 2
HEADING, PLOT, GAP, BELOW = 54, 104, 6, 46
"""Heights in pixels: of a small picture's heading and plot, between rows, under the last row."""

MOST_DOTS = 200
"""A small picture has room for about so many dots; of more trials it draws an even share."""


def plateaus_figure(
    slot: SlotName, verdict: Verdict, marks: dict[str, Mark], form: Formatter
) -> PageFigure | None:
    """Draw the curves of a slot; None where no trial of the search was completed."""
    _ = form.translations.gettext
    curves = [curve for curve in verdict.rates if curve.slot == slot]
    scored = [p.accuracy for c in curves for p in c.points if p.accuracy is not None]
    if not scored:
        return None
    rows = -(-len(curves) // COLUMNS)
    height = rows * (HEADING + PLOT + GAP) + BELOW
    shown = _accuracy_range(scored, verdict.margin)
    axes: dict[str, Any] = {}
    for place in range(len(curves)):
        axes |= _axes(place, len(curves), height, _rate_range(curves), shown, form)
    # Everything at once: a figure that grows by one trace at a time is read anew for each.
    figure = frame(
        margin={"l": 50, "r": 22, "t": 0, "b": 0},
        showlegend=False,
        shapes=[shape for place, curve in enumerate(curves) for shape in _plateau(place, curve)],
        annotations=[_heading(place, curve, height, form) for place, curve in enumerate(curves)],
        **axes,
    )
    figure.add_traces(
        [
            trace
            for place, curve in enumerate(curves)
            for trace in _traces(place, curve, marks[curve.activation], shown, form)
        ]
    )
    hidden = sum(score < shown[0] for score in scored)
    caption = _(
        "Each dot is a trial of the search, the line the curve through them, the star its best "
        "learning rate. The shaded learning rates are within {margin} of that best: the plateau. "
        "A cross at the bottom is a trial without a result."
    ).format(margin=form.points(verdict.margin))
    below = form.translations.ngettext(
        "{count} trial lies below the picture, as a triangle.",
        "{count} trials lie below the picture, as triangles.",
        hidden,
    ).format(count=hidden)
    sentences = [caption, below] if hidden else [caption]
    if max(len(curve.points) for curve in curves) > MOST_DOTS:
        sentences.append(
            _("Of more than {count} trials every second or further one is drawn.").format(
                count=MOST_DOTS
            )
        )
    heading = slot_word(slot, form.translations)
    return PageFigure(
        name=f"plateaus-{slot}",
        title=_("Plateaus of the learning rate: {slot}").format(slot=heading),
        caption=" ".join(sentences),
        description=_(
            "A scatter plot of accuracy against learning rate for each activation, with its "
            "plateau; as in the table."
        ),
        figure=figure,
        height=height,
        minimum_width=300,
    )


def _accuracy_range(scored: list[float], margin: float) -> Range:
    """Show the top: twelve margins, or all trials where they need less."""
    low, high = max(min(scored), max(scored) - 12 * margin), max(scored)
    pad = 0.12 * (high - low) or 0.01
    return low - pad, high + pad


def _rate_range(curves: list[RateCurve]) -> list[float]:
    """Return the exponents of the lowest and the highest learning rate, a little apart."""
    exponents = [math.log10(point.learning_rate) for c in curves for point in c.points]
    pad = 0.04 * (max(exponents) - min(exponents)) or 0.1
    return [min(exponents) - pad, max(exponents) + pad]


def _names(place: int) -> tuple[str, str]:
    return (f"x{place + 1}", f"y{place + 1}") if place else ("x", "y")


def _domain(place: int, height: int) -> tuple[list[float], list[float]]:
    """Return where a small picture lies, as fractions of the width and of the height."""
    row, column = divmod(place, COLUMNS)
    top = row * (HEADING + PLOT + GAP) + HEADING
    across = [0.0, 0.48] if column == 0 else [0.52, 1.0]
    return across, [1 - (top + PLOT) / height, 1 - top / height]


def _axes(
    place: int, count: int, height: int, rates: list[float], shown: Range, form: Formatter
) -> dict[str, Any]:
    _ = form.translations.gettext
    across, up = _domain(place, height)
    x, y = _names(place)
    lowest, first = place + COLUMNS >= count, place % COLUMNS == 0
    suffix = x.removeprefix("x")
    return {
        f"xaxis{suffix}": axis(
            _("learning rate") if lowest else "",
            type="log",
            domain=across,
            range=rates,
            anchor=y,
            matches=None if place == 0 else "x",
            showticklabels=lowest,
            automargin=False,
            fixedrange=True,
            tickfont={"size": 11, "color": LIGHT["muted"]},
            dtick="D2" if rates[1] - rates[0] < 1.6 else 1,
        ),
        f"yaxis{suffix}": axis(
            "",
            domain=up,
            range=list(shown),
            anchor=x,
            tickformat=PERCENT_AXIS,
            showticklabels=first,
            automargin=False,
            fixedrange=True,
            nticks=4,
            tickfont={"size": 11, "color": LIGHT["muted"]},
        ),
    }


def _plateau(place: int, curve: RateCurve) -> list[dict[str, Any]]:
    """Return the shaded plateau of a small picture, where one is known."""
    if curve.plateau_low is None or curve.plateau_high is None:
        return []
    x, y = _names(place)
    return [
        {
            "type": "rect",
            "layer": "below",
            "xref": x,
            "yref": f"{y} domain",
            "x0": curve.plateau_low,
            "x1": curve.plateau_high,
            "y0": 0,
            "y1": 1,
            "fillcolor": LIGHT["band"],
            "line": {"width": 0},
        }
    ]


def _traces(
    place: int, curve: RateCurve, mark: Mark, shown: Range, form: Formatter
) -> list[dict[str, Any]]:
    """Return the line of a small picture, its dots, its triangles, its crosses and its star."""
    found: list[dict[str, Any]] = []
    if curve.smoothed:
        corners = _corners(curve.smoothed)
        found.append(
            {
                "x": [point.learning_rate for point in corners],
                "y": [point.accuracy for point in corners],
                "mode": "lines",
                "line": {"color": mark.colour, "width": 2},
                "hoverinfo": "skip",
            }
        )
    floor = shown[0] + 0.05 * (shown[1] - shown[0])
    dots = _evenly(curve.points)
    scored = [(dot.learning_rate, dot.accuracy) for dot in dots if dot.accuracy is not None]
    lost = [dot.learning_rate for dot in dots if dot.accuracy is None]
    for low, symbol in ((False, mark.shape), (True, "triangle-down-open")):
        own = [(rate, score) for rate, score in scored if (score < shown[0]) == low]
        if own:
            found.append(
                {
                    "x": [rate for rate, _score in own],
                    "y": [floor if low else score for _rate, score in own],
                    "mode": "markers",
                    "marker": {"color": mark.colour, "symbol": symbol, "size": 7, "opacity": 0.85},
                    "text": [_point_text(rate, form.percent(score), form) for rate, score in own],
                    "hovertemplate": "%{text}<extra></extra>",
                }
            )
    x, y = _names(place)
    of_all = {"type": "scatter", "xaxis": x, "yaxis": y, "showlegend": False}
    return [trace | of_all for trace in (*found, _failures(lost, floor, form), _best(curve))]


def _evenly(dots: Sequence[RatePoint]) -> Sequence[RatePoint]:
    """Return at most MOST_DOTS of the dots, every second or third or further one.

    >>> dots = [RatePoint(0.1, 0.9)] * (MOST_DOTS + 1)
    >>> len(_evenly(dots[1:])), len(_evenly(dots))
    (200, 101)
    """
    return dots[:: max(-(-len(dots) // MOST_DOTS), 1)]


def _corners(line: Sequence[RatePoint]) -> list[RatePoint]:
    """Leave out the points of a line between two of its height: without them it is the same line.

    >>> line = [RatePoint(0.1 * place, height) for place, height in enumerate((1, 2, 2, 2, 3), 1)]
    >>> [point.accuracy for point in _corners(line)]
    [1, 2, 2, 3]
    """
    heights = [point.accuracy for point in line]
    return [
        point
        for place, point in enumerate(line)
        if place in (0, len(line) - 1)
        or not heights[place - 1] == heights[place] == heights[place + 1]
    ]


def _failures(lost: list[float], floor: float, form: Formatter) -> dict[str, Any]:
    _ = form.translations.gettext
    return {
        "x": lost,
        "y": [floor] * len(lost),
        "mode": "markers",
        "marker": {
            "color": LIGHT["trouble"],
            "symbol": "x-thin",
            "size": 8,
            "line": {"color": LIGHT["trouble"], "width": 2},
        },
        "text": [_point_text(rate, _("no result"), form) for rate in lost],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _best(curve: RateCurve) -> dict[str, Any]:
    """Return the star, on the curve where there is one, else on the best trial."""
    rate = curve.best_learning_rate
    line = curve.smoothed or curve.points
    known = [(p.learning_rate, p.accuracy) for p in line if p.accuracy is not None]
    if rate is None or not known:
        return {"x": [], "y": [], "mode": "markers"}
    nearest = min(known, key=lambda point: abs(math.log(point[0] / rate)))
    return {
        "x": [rate],
        "y": [nearest[1]],
        "mode": "markers",
        "marker": {
            "color": LIGHT["ink"],
            "symbol": "star",
            "size": 13,
            "line": {"color": LIGHT["surface"], "width": 1},
        },
        "hoverinfo": "skip",
    }


def _point_text(rate: float, result: str, form: Formatter) -> str:
    _ = form.translations.gettext
    return _("learning rate {rate}").format(rate=form.rate(rate)) + f"<br>{result}"


def _heading(place: int, curve: RateCurve, height: int, form: Formatter) -> dict[str, Any]:
    across, up = _domain(place, height)
    return {
        "text": "<br>".join((f"<b>{plain(curve.activation)}</b>", *plateau_texts(curve, form))),
        "xref": "paper",
        "yref": "paper",
        "x": across[0],
        "y": up[1],
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "font": {"size": 12, "color": LIGHT["ink"]},
    }


def plateau_texts(curve: RateCurve, form: Formatter) -> tuple[str, ...]:
    """Write the ends of a curve's plateau and its width in powers of ten."""
    _ = form.translations.gettext
    if curve.plateau_low is None or curve.plateau_high is None or curve.plateau_decades is None:
        return (_("no plateau known"),)
    return (
        f"{curve.plateau_low:.2g} – {curve.plateau_high:.2g}",
        _("{decades} decades").format(decades=f"{curve.plateau_decades:.2f}"),
    )
