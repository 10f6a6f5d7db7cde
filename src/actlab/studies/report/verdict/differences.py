"""Paired differences to the best candidate with their intervals, and the band of the margin."""

from typing import Any

from actlab.pages.figure import PageFigure, axis, frame, plain
from actlab.pages.theme import LIGHT
from actlab.pages.words import slot_word
from actlab.records import Candidate, SlotVerdict, Verdict
from actlab.studies.report.verdict.lanes import (
    add_means,
    add_replicates,
    lanes_axis,
    lanes_height,
    offer_ranges,
)
from actlab.studies.report.verdict.ranges import difference_ranges, paired
from actlab.text import Formatter


def differences_figure(slot: SlotVerdict, verdict: Verdict, form: Formatter) -> PageFigure | None:
    """Draw a lane per candidate behind the best, in points; None where there is no difference."""
    _ = form.translations.gettext
    ranges = difference_ranges(slot, verdict)
    if not ranges:
        return None
    best = next(row for row in slot.candidates if row.group == "best")
    rows = [row for row in slot.candidates if row.group != "best"]
    figure = frame(
        xaxis=_points_axis(_("difference to {name} (points)").format(name=plain(best.activation))),
        yaxis=lanes_axis(rows, form),
        showlegend=True,
    )
    # The page's script moves the first shape with the margin.
    figure.add_shape(
        type="rect",
        layer="below",
        yref="paper",
        x0=-100 * verdict.margin,
        x1=0,
        y0=0,
        y1=1,
        fillcolor=LIGHT["band"],
        line_width=0,
        name=_("margin"),
        showlegend=True,
    )
    single = [tuple(100 * value for value in paired(slot, row)) for row in rows]
    dots = [
        [_dot_text(row, seed, value, form) for seed, value in enumerate(paired(slot, row))]
        for row in rows
    ]
    add_replicates(figure, single, dots, form)
    points = [
        (_scaled(row.difference), _scaled(row.difference_low), _scaled(row.difference_high))
        for row in rows
    ]
    add_means(figure, slot, rows, points, [_row_text(row, form) for row in rows], form)
    figure.add_scatter(**_tied_from(rows, form))
    heading = slot_word(slot.slot, form.translations)
    return PageFigure(
        name=f"differences-{slot.slot}",
        title=_("Differences to the best: {slot}").format(slot=heading),
        caption=_(
            "Each candidate minus {name}, seed by seed (dots), with mean and 95 % interval. The "
            "upright tick is the lower end of the 90 % interval: a candidate that is not worse is "
            "tied where its tick lies inside the band of the margin."
        ).format(name=best.activation),
        description=_(
            "Dot plot: paired difference of each candidate to the best with its interval, and the "
            "band of the margin; as in the table."
        ),
        figure=figure,
        views=offer_ranges(
            figure,
            tuple((100 * low, 100 * high) for low, high in ranges),
            [(_scaled(row.difference), form.points_number(row.difference)) for row in rows],
            form,
        ),
        height=lanes_height(rows),
        minimum_width=340,
    )


def _points_axis(title: str) -> dict[str, Any]:
    return axis(title, zeroline=True, zerolinewidth=2, zerolinecolor=LIGHT["accent"])


def _tied_from(rows: list[Candidate], form: Formatter) -> dict[str, Any]:
    _ = form.translations.gettext
    known = [(lane, row) for lane, row in enumerate(rows) if row.smallest_margin is not None]
    return {
        "x": [-100 * (row.smallest_margin or 0.0) for _lane, row in known],
        "y": [lane for lane, _row in known],
        "mode": "markers",
        "name": _("tied from here"),
        "marker": {
            "color": LIGHT["ink"],
            "symbol": "line-ns",
            "size": 20,
            "line": {"color": LIGHT["ink"], "width": 2},
        },
        "text": [
            _("{name}: tied from a margin of {margin} on").format(
                name=plain(row.activation), margin=form.points(row.smallest_margin or 0.0)
            )
            for _lane, row in known
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _dot_text(row: Candidate, seed: int, value: float, form: Formatter) -> str:
    _ = form.translations.gettext
    return _("{name}, seed {seed}: {difference} points").format(
        name=plain(row.activation), seed=seed + 1, difference=form.points_number(value)
    )


def _row_text(row: Candidate, form: Formatter) -> str:
    _ = form.translations.gettext
    lines = [
        f"<b>{plain(row.activation)}</b>: "
        + _("{difference} points").format(difference=form.points_number(row.difference)),
        _("95 % interval: {low} to {high}").format(
            low=form.points_number(row.difference_low), high=form.points_number(row.difference_high)
        ),
        _("adjusted p: {p}").format(p=form.probability(row.p_adjusted)),
    ]
    return "<br>".join(lines)


def _scaled(value: float | None) -> float | None:
    return None if value is None else 100 * value
