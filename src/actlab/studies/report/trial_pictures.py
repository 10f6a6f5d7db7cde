"""The pictures of a search without a run folder: its history, its numbers, its pairs of names."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actlab.pages.figure import PERCENT_AXIS, PageFigure, View, axis, frame, plain
from actlab.pages.theme import LIGHT, SERIES, SHAPES
from actlab.records.unreplicated import TrialRow, TrialTable
from actlab.studies.report.zooms import PUBLISHED_HISTORY, PUBLISHED_SCATTER, Range
from actlab.text import Formatter

MOST_NAMES = 12
"""A picture tells so many names of a parameter apart."""


@dataclass(frozen=True)
class Zooms:
    """Parts of the pictures to offer besides a close-up and the whole.

    `scatter` has ranges of the value, with ranges of the number on the other axis.
    """

    history: tuple[Range, ...] = ()
    scatter: tuple[tuple[Range, Range], ...] = ()


PUBLISHED_ZOOMS = Zooms(
    history=(PUBLISHED_HISTORY,),
    scatter=tuple((zoom.accuracy, zoom.learning_rate) for zoom in PUBLISHED_SCATTER),
)
"""The close-ups that the published study shows of itself."""


def trial_pictures(
    table: TrialTable, form: Formatter, zooms: Zooms | None = None
) -> tuple[PageFigure, ...]:
    """Return the pictures that the completed trials allow, none where none completed."""
    done = [row for row in table.rows if row.value is not None]
    if not done:
        return ()
    wanted = zooms or Zooms()
    names = _compared(done)
    numbers = sorted({name for row in done for name in row.numbers})
    figures = [_history(table, done, wanted, form)]
    figures += [
        _scatter(table, own, number, name, wanted, form)
        for number in numbers
        for name in names
        if (own := [row for row in done if number in row.numbers and name in row.choices])
    ]
    if len(names) >= 2:
        figures.append(_pairs(table, done, names[0], names[1], form))
    return tuple(figures)


def _compared(rows: Sequence[TrialRow]) -> list[str]:
    """Return the parameters of which a picture can tell the names apart."""
    names = dict.fromkeys(name for row in rows for name in row.choices)
    counts = {
        name: len({row.choices[name] for row in rows if name in row.choices}) for name in names
    }
    return [name for name in names if 2 <= counts[name] <= MOST_NAMES]


def _value_axis(table: TrialTable, shown: Range, form: Formatter) -> dict[str, Any]:
    _ = form.translations.gettext
    if table.is_accuracy:
        return axis(_("valid (trial) accuracy"), range=list(shown), tickformat=PERCENT_AXIS)
    return axis(plain(table.words.get("value", _("value"))), range=list(shown))


def _named(name: str, table: TrialTable) -> str:
    return table.words.get(name, name)


def _written(value: float | None, table: TrialTable, form: Formatter) -> str:
    return form.percent(value) if table.is_accuracy else f"{value:.6g}"


def _text(row: TrialRow, table: TrialTable, form: Formatter) -> str:
    _ = form.translations.gettext
    lines = [
        "<b>"
        + _("Trial {number}").format(number=row.number)
        + f"</b>: {_written(row.value, table, form)}",
        *(f"{plain(_named(name, table))} {plain(value)}" for name, value in row.choices.items()),
        *(f"{plain(_named(name, table))} {value:.4g}" for name, value in row.numbers.items()),
    ]
    return "<br>".join(lines)


def _ranges(
    table: TrialTable, rows: Sequence[TrialRow], more: Sequence[Range]
) -> tuple[Range, ...]:
    """Return the better half of the values as a close-up, further ranges, and all values."""
    values = [row.value or 0.0 for row in rows]
    whole = _padded(min(values), max(values))
    middle = statistics.median(values)
    half = (middle, max(values)) if table.maximize else (min(values), middle)
    close = (_padded(*half),) if half[0] < half[1] and len(values) > 3 else ()
    return (*close, *more, whole)


def _padded(low: float, high: float) -> Range:
    pad = 0.06 * (high - low) or 0.02 * (abs(high) or 1.0)
    return (low - pad, high + pad)


def _labels(ranges: Sequence[Range], table: TrialTable, form: Formatter) -> list[str]:
    _ = form.translations.gettext
    scale = 100.0 if table.is_accuracy else 1.0
    unit = _("{low} to {high} %") if table.is_accuracy else _("{low} to {high}")
    labels = [
        unit.format(low=f"{scale * low:.4g}", high=f"{scale * high:.4g}") for low, high in ranges
    ]
    if len(ranges) == 1:
        return [_("Whole")]
    return [_("Close-up"), *labels[1:-1], _("Whole")]


def _history(
    table: TrialTable, rows: Sequence[TrialRow], zooms: Zooms, form: Formatter
) -> PageFigure:
    _ = form.translations.gettext
    ordered = sorted(rows, key=lambda row: row.number)
    better = max if table.maximize else min
    best: list[float] = []
    for row in ordered:
        value = row.value or 0.0
        best.append(better(best[-1], value) if best else value)
    first = ordered[best.index(best[-1])]
    ranges = _ranges(table, rows, zooms.history)
    figure = frame(
        xaxis=axis(_("trial"), tickformat="d"), yaxis=_value_axis(table, ranges[0], form)
    )
    figure.add_scatter(
        x=[row.number for row in ordered],
        y=[row.value for row in ordered],
        mode="markers",
        name=_("trial"),
        marker={"color": LIGHT["series0"], "size": 7, "opacity": 0.75},
        text=[_text(row, table, form) for row in ordered],
        hovertemplate="%{text}<extra></extra>",
    )
    figure.add_scatter(
        x=[row.number for row in ordered],
        y=best,
        mode="lines",
        name=_("best so far"),
        line={"color": LIGHT["series1"], "width": 2, "shape": "hv"},
        hoverinfo="skip",
    )
    fact = _("Trial {number} reached {best}.").format(
        number=first.number, best=_written(best[-1], table, form)
    )
    labels = _labels(ranges, table, form)
    return PageFigure(
        name="history",
        title=_("Optimisation history"),
        caption=fact,
        description=_("Scatter plot of the value by trial number. {fact}").format(fact=fact),
        figure=figure,
        views=tuple(
            View(label, {"yaxis.range": list(shown)})
            for label, shown in zip(labels, ranges, strict=True)
        ),
        height=300,
    )


def _scatter(
    table: TrialTable,
    own: Sequence[TrialRow],
    number: str,
    name: str,
    zooms: Zooms,
    form: Formatter,
) -> PageFigure:
    _ = form.translations.gettext
    values = [row.numbers[number] for row in own]
    logarithmic = min(values) > 0 and max(values) / min(values) > 8
    ranges = _ranges(table, own, tuple(shown for shown, _across in zooms.scatter))
    across = _across(values, logarithmic=logarithmic)
    figure = frame(
        xaxis=axis(
            plain(_named(number, table)), range=across, **({"type": "log"} if logarithmic else {})
        ),
        yaxis=_value_axis(table, ranges[0], form),
        showlegend=True,
    )
    for place, choice in enumerate(sorted({row.choices[name] for row in own})):
        some = [row for row in own if row.choices[name] == choice]
        figure.add_scatter(
            x=[row.numbers[number] for row in some],
            y=[row.value for row in some],
            mode="markers",
            name=plain(choice),
            marker={
                "color": LIGHT[SERIES[place % len(SERIES)]],
                "symbol": SHAPES[place % len(SHAPES)],
                "size": 10,
                "opacity": 0.9,
                "line": {"color": LIGHT["surface"], "width": 1},
            },
            text=[_text(row, table, form) for row in some],
            hovertemplate="%{text}<extra></extra>",
        )
    labels = _labels(ranges, table, form)
    limits = [across] * len(ranges)
    first = len(ranges) - 1 - len(zooms.scatter)
    for place, (_shown, rates) in enumerate(zooms.scatter):
        limits[first + place] = _across(rates, logarithmic=logarithmic)
    return PageFigure(
        name=f"scatter-{number}-{name}",
        title=_("{value} against {number}, by {name}").format(
            value=table.words.get("value", _("Value")),
            number=_named(number, table),
            name=_named(name, table),
        ),
        caption=_("A mark is a trial; each setting ran once."),
        description=_("Scatter plot of the value against {number}.").format(
            number=_named(number, table)
        ),
        figure=figure,
        views=tuple(
            View(label, {"yaxis.range": list(shown), "xaxis.range": limit})
            for label, shown, limit in zip(labels, ranges, limits, strict=True)
        ),
        height=360,
    )


def _across(values: Sequence[float], *, logarithmic: bool) -> list[float]:
    low, high = min(values), max(values)
    if logarithmic:
        low, high = math.log10(low), math.log10(high)
    pad = 0.04 * (high - low) or 0.5
    return [low - pad, high + pad]


def _pairs(
    table: TrialTable, rows: Sequence[TrialRow], first: str, second: str, form: Formatter
) -> PageFigure:
    _ = form.translations.gettext
    better = max if table.maximize else min
    cells: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if first in row.choices and second in row.choices:
            cells.setdefault((row.choices[first], row.choices[second]), []).append(row.value or 0.0)
    lines, columns = (sorted({key[side] for key in cells}) for side in (0, 1))
    best = [
        [better(cells[line, column]) if (line, column) in cells else None for column in columns]
        for line in lines
    ]
    scores = sorted(score for row in best for score in row if score is not None)
    weak, strong = scores[len(scores) // 4], scores[-1]
    figure = frame(
        xaxis=axis(
            plain(_named(second, table)), type="category", showgrid=False, side="top", tickangle=-35
        ),
        yaxis=axis(
            plain(_named(first, table)), type="category", showgrid=False, autorange="reversed"
        ),
    )
    figure.add_heatmap(
        x=[plain(column) for column in columns],
        y=[plain(line) for line in lines],
        z=best,
        zmin=weak if table.maximize else scores[0],
        zmax=strong if table.maximize else scores[3 * len(scores) // 4],
        xgap=2,
        ygap=2,
        showscale=False,
        colorscale=[
            [step / 4, LIGHT[f"heat{step if table.maximize else 4 - step}"]] for step in range(5)
        ],
        text=[
            [
                f"<b>{_cell(value, table, form)}</b><br>{len(cells[line, column])}×"
                if value is not None
                else ""
                for column, value in zip(columns, row, strict=True)
            ]
            for line, row in zip(lines, best, strict=True)
        ],
        texttemplate="%{text}",
        textfont={"color": LIGHT["ink"], "size": 12},
        hovertemplate="%{y}, %{x}<br>%{text}<extra></extra>",
    )
    return PageFigure(
        name="pairs",
        title=_("Best value of each pair, with its number of trials"),
        caption=_("An empty cell was never tried. A pair tried often is the best of many."),
        description=_("Heat map of the best value by {first} and {second}.").format(
            first=_named(first, table), second=_named(second, table)
        ),
        figure=figure,
        height=120 + 38 * len(lines),
        minimum_width=200 + 68 * len(columns),
    )


def _cell(value: float, table: TrialTable, form: Formatter) -> str:
    return form.percent_number(value) if table.is_accuracy else f"{value:.4g}"
