"""Candidates as horizontal lanes, best on top, drawn in the shape and colour of their group."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from actlab.pages.figure import View, axis, plain
from actlab.pages.theme import LIGHT
from actlab.records import Candidate, SlotVerdict
from actlab.studies.report.data.zooms import Range
from actlab.studies.report.verdict.groups import group_looks
from actlab.text import Formatter

SPREAD = 0.2
"""Half the height, in lanes, over which the replicates of a candidate are spread by seed."""


def lanes_axis(rows: Sequence[Candidate], form: Formatter) -> dict[str, Any]:
    """Return the vertical axis: one lane per candidate, with the reason where it is empty."""
    _ = form.translations.gettext
    empty = _("{name} (no result)")
    names = [plain(r.activation if r.scores else empty.format(name=r.activation)) for r in rows]
    return axis(
        "",
        range=[len(rows) - 0.5, -0.5],
        tickvals=list(range(len(rows))),
        ticktext=names,
        tickfont={"color": LIGHT["ink"]},
        fixedrange=True,
    )


def lanes_height(rows: Sequence[Candidate]) -> int:
    """Return the height in pixels of a figure with a lane for each candidate."""
    return 150 + 44 * len(rows)


def add_replicates(
    figure: go.Figure,
    values: Sequence[tuple[float, ...]],
    texts: Sequence[Sequence[str]],
    form: Formatter,
) -> None:
    """Add a dot for each replicate of each lane; a seed has the same height in every lane."""
    _ = form.translations.gettext
    heights = []
    for lane, dots in enumerate(values):
        steps = max(len(dots) - 1, 1)
        heights += [lane + SPREAD * (2 * seed / steps - 1) for seed in range(len(dots))]
    figure.add_scatter(
        x=[value for dots in values for value in dots],
        y=heights,
        mode="markers",
        name=_("one seed"),
        marker={"color": LIGHT["muted"], "size": 6, "opacity": 0.5},
        text=[text for words in texts for text in words],
        hovertemplate="%{text}<extra></extra>",
    )


def add_means(
    figure: go.Figure,
    slot: SlotVerdict,
    rows: Sequence[Candidate],
    points: Sequence[tuple[float | None, float | None, float | None]],
    texts: Sequence[str],
    form: Formatter,
) -> None:
    """Add one trace per group with (value, low, high) of its candidates.

    Every trace has every lane, with a value only where the candidate is of its group; `meta` has
    all values and the places of the lanes in the slot, so that the page can regroup them.
    """
    values = [value for value, _, _ in points]
    lanes = [slot.candidates.index(row) for row in rows]
    up = [_length(value, high) for value, _, high in points]
    down = [_length(low, value) for value, low, _ in points]
    for group, look in group_looks(form).items():
        if group == "best" and all(row.group != "best" for row in rows):
            continue
        own = [v if row.group == group else None for v, row in zip(values, rows, strict=True)]
        figure.add_scatter(
            x=own,
            y=list(range(len(rows))),
            mode="markers",
            name=look.word,
            meta={"slot": slot.slot, "group": group, "lanes": lanes, "values": values},
            marker={
                "color": look.colour,
                "symbol": look.shape,
                "size": 15 if group == "best" else 12,
                "line": {"color": look.colour, "width": 2 if look.shape.endswith("open") else 0},
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": up,
                "arrayminus": down,
                "color": look.colour,
                "thickness": 2.5,
                "width": 5,
            },
            text=list(texts),
            hovertemplate="%{text}<extra></extra>",
        )


def offer_ranges(
    figure: go.Figure,
    ranges: tuple[Range, ...],
    values: Sequence[tuple[float | None, str]],
    form: Formatter,
) -> tuple[View, ...]:
    """Show the first range, and return the buttons for a close-up and the whole if there are both.

    `values` has the value of each lane and its text, which stands in the close-up's empty lane
    where the value lies to the left of it.
    """
    _ = form.translations.gettext
    figure.update_xaxes(range=list(ranges[0]))
    if len(ranges) < 2:
        return ()
    close, whole = ranges
    outside = [
        {
            "x": 0.01,
            "xref": "paper",
            "xanchor": "left",
            "y": lane,
            "text": f"◀ {text}",
            "showarrow": False,
            "bgcolor": LIGHT["surface"],
            "font": {"size": 12, "color": LIGHT["muted"]},
        }
        for lane, (value, text) in enumerate(values)
        if value is not None and value < close[0]
    ]
    figure.update_layout(annotations=outside)
    return (
        View(_("Close-up"), {"xaxis.range": list(close), "annotations": outside}),
        View(_("Whole"), {"xaxis.range": list(whole), "annotations": []}),
    )


def _length(low: float | None, high: float | None) -> float | None:
    return None if low is None or high is None else high - low
