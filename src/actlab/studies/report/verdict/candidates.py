"""Candidates as horizontal lanes, best on top, in the shape and colour of their group.

One figure has accuracies over the seeds, the other paired differences to the best."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from actlab.pages.figure import PageFigure, View, accuracy_axis, axis, frame, plain
from actlab.pages.theme import LIGHT
from actlab.pages.words import slot_word
from actlab.records import Candidate, SlotVerdict, Verdict
from actlab.studies.confirm.verdict_text import is_of_accuracies, metric_word, wording
from actlab.studies.report.verdict.groups import group_looks
from actlab.studies.report.zooms import Range
from actlab.text import NOT_KNOWN, Formatter, significant
from actlab.verdicts.text import Wording


def intervals_figure(slot: SlotVerdict, verdict: Verdict, form: Formatter) -> PageFigure | None:
    """Draw a lane per candidate; None where no candidate has a finished replicate."""
    _ = form.translations.gettext
    ranges = accuracy_ranges(slot, verdict)
    if not ranges:
        return None
    rows = slot.candidates
    metric, of_accuracies = metric_word(verdict, form), is_of_accuracies(verdict)
    figure = frame(
        xaxis=accuracy_axis(metric) if of_accuracies else axis(plain(metric)),
        yaxis=lanes_axis(rows, form),
        showlegend=True,
    )
    low, high = ranges[-1]
    if low <= verdict.conditions.chance <= high:
        figure.add_shape(
            type="line",
            layer="below",
            yref="paper",
            x0=verdict.conditions.chance,
            x1=verdict.conditions.chance,
            y0=0,
            y1=1,
            line={"color": LIGHT["trouble"], "width": 1.5, "dash": "dot"},
            name=_("chance level"),
            showlegend=True,
        )
    how = wording(verdict, form)
    dots = [[_score_text(row, seed, how) for seed in range(row.n)] for row in rows]
    add_replicates(figure, [row.scores for row in rows], dots, form)
    points = [(row.mean, row.low, row.high) for row in rows]
    add_means(figure, slot, rows, points, [_mean_text(row, how) for row in rows], form)
    heading = slot_word(slot.slot, form.translations)
    return PageFigure(
        name=f"intervals-{slot.slot}",
        title=_("Accuracy of each candidate: {slot}").format(slot=heading)
        if of_accuracies
        else _("{metric} of each candidate: {slot}").format(metric=metric, slot=heading),
        caption=_(
            "A small dot is one training with its own seed; a seed has the same height in every "
            "lane. The large mark is the mean, the bar its 95 % interval (Student t)."
        ),
        description=_(
            "Dot plot: mean with interval and single replicates of each candidate, as in the table."
        ),
        figure=figure,
        views=offer_ranges(
            figure, ranges, [(row.mean, _known(row.mean, how)) for row in rows], form
        ),
        height=lanes_height(rows),
        minimum_width=300,
    )


def _score_text(row: Candidate, seed: int, how: Wording) -> str:
    _ = how.words.translations.gettext
    return _("{name}, seed {seed}: {accuracy}").format(
        name=plain(row.name), seed=seed + 1, accuracy=_known(row.scores[seed], how)
    )


def _known(score: float | None, how: Wording) -> str:
    return NOT_KNOWN if score is None else how.score(score)


def _mean_text(row: Candidate, how: Wording) -> str:
    _ = how.words.translations.gettext
    lines = [f"<b>{plain(row.name)}</b>: {_known(row.mean, how)}"]
    if row.low is not None and row.high is not None:
        lines.append(
            _("95 % interval: {low} to {high}").format(
                low=how.score(row.low), high=how.score(row.high)
            )
        )
    lines.append(_("seeds: {count}").format(count=row.n))
    return "<br>".join(lines)


def differences_figure(slot: SlotVerdict, verdict: Verdict, form: Formatter) -> PageFigure | None:
    """Draw a lane per candidate behind the best, in points; None where there is no difference."""
    _ = form.translations.gettext
    ranges = difference_ranges(slot, verdict)
    if not ranges:
        return None
    best = next(row for row in slot.candidates if row.group == "best")
    rows = [row for row in slot.candidates if row.group != "best"]
    how = wording(verdict, form)
    scale = 100.0 if how.accuracies else 1.0  # accuracies differ by percentage points
    title = _("difference to {name} (points)")
    if not how.accuracies:
        title = _("difference to {name} (below 0 is worse)")
    figure = frame(
        xaxis=_difference_axis(title.format(name=plain(best.name))),
        yaxis=lanes_axis(rows, form),
        showlegend=True,
    )
    # The page's script moves the first shape with the margin.
    figure.add_shape(
        type="rect",
        layer="below",
        yref="paper",
        x0=-scale * verdict.margin,
        x1=0,
        y0=0,
        y1=1,
        fillcolor=LIGHT["band"],
        line_width=0,
        name=_("margin"),
        showlegend=True,
    )
    apart = [paired(slot, row, how.higher_is_better) for row in rows]
    single = [tuple(_scaled(value, scale) for value in values) for values in apart]
    dots = [
        [_difference_text(row, seed, value, how) for seed, value in enumerate(values)]
        for row, values in zip(rows, apart, strict=True)
    ]
    add_replicates(figure, single, dots, form)
    points = [
        (
            _scaled(row.difference, scale),
            _scaled(row.difference_low, scale),
            _scaled(row.difference_high, scale),
        )
        for row in rows
    ]
    add_means(figure, slot, rows, points, [_row_text(row, how) for row in rows], form)
    figure.add_scatter(**_tied_from(rows, scale, how))
    heading = slot_word(slot.slot, form.translations)
    return PageFigure(
        name=f"differences-{slot.slot}",
        title=_("Differences to the best: {slot}").format(slot=heading),
        caption=_(
            "Each candidate minus {name}, seed by seed (dots), with mean and 95 % interval. The "
            "upright tick is the lower end of the 90 % interval: a candidate whose tick lies "
            "inside the band of the margin is equivalent."
        ).format(name=best.name),
        description=_(
            "Dot plot: paired difference of each candidate to the best with its interval, and the "
            "band of the margin; as in the table."
        ),
        figure=figure,
        views=offer_ranges(
            figure,
            tuple((scale * low, scale * high) for low, high in ranges),
            [(_scaled(row.difference, scale), _signed(row.difference, how)) for row in rows],
            form,
        ),
        height=lanes_height(rows),
        minimum_width=300,
    )


def _difference_axis(title: str) -> dict[str, Any]:
    return axis(title, zeroline=True, zerolinewidth=2, zerolinecolor=LIGHT["accent"])


def _tied_from(rows: list[Candidate], scale: float, how: Wording) -> dict[str, Any]:
    _ = how.words.translations.gettext
    known = [(lane, row) for lane, row in enumerate(rows) if row.smallest_margin is not None]
    return {
        "x": [-scale * (row.smallest_margin or 0.0) for _lane, row in known],
        "y": [lane for lane, _row in known],
        "mode": "markers",
        "name": _("equivalent from here"),
        "marker": {
            "color": LIGHT["ink"],
            "symbol": "line-ns",
            "size": 20,
            "line": {"color": LIGHT["ink"], "width": 2},
        },
        "text": [
            _("{name}: equivalent from a margin of {margin} on").format(
                name=plain(row.name), margin=how.size(row.smallest_margin or 0.0)
            )
            for _lane, row in known
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _difference_text(row: Candidate, seed: int, value: float | None, how: Wording) -> str:
    _ = how.words.translations.gettext
    text = _("{name}, seed {seed}: {difference} points")
    if not how.accuracies:
        text = _("{name}, seed {seed}: {difference}")
    return text.format(name=plain(row.name), seed=seed + 1, difference=_signed(value, how))


def _row_text(row: Candidate, how: Wording) -> str:
    _ = how.words.translations.gettext
    text = _("{difference} points") if how.accuracies else "{difference}"
    lines = [
        f"<b>{plain(row.name)}</b>: " + text.format(difference=_signed(row.difference, how)),
        _("95 % interval: {low} to {high}").format(
            low=_signed(row.difference_low, how), high=_signed(row.difference_high, how)
        ),
        _("adjusted p: {p}").format(p=how.words.probability(row.p_adjusted)),
    ]
    return "<br>".join(lines)


def _signed(difference: float | None, how: Wording) -> str:
    """Write a difference with its sign, without its unit."""
    if difference is None or how.accuracies:
        return how.words.points_number(difference)
    return ("+" if difference > 0 else "") + significant(difference, 3)


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else scale * value


SPREAD = 0.2
"""Half the height, in lanes, over which the replicates of a candidate are spread by seed."""


def lanes_axis(rows: Sequence[Candidate], form: Formatter) -> dict[str, Any]:
    """Return the vertical axis: one lane per candidate, with the reason where it is empty."""
    _ = form.translations.gettext
    empty = _("{name} (no result)")
    names = [plain(r.name if r.scores else empty.format(name=r.name)) for r in rows]
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
    values: Sequence[Sequence[float | None]],
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


CLOSE_MARGINS = 4.0
"""A candidate at most this many margins behind the best is near it."""


def accuracy_ranges(slot: SlotVerdict, verdict: Verdict) -> tuple[Range, ...]:
    """Return the ranges of accuracy to offer: a close-up first where it is closer than the whole.

    Empty where no candidate has a mean.
    """
    everyone = [row for row in slot.candidates if row.trained]
    if not everyone:
        return ()
    most = 1.0 if is_of_accuracies(verdict) else math.inf
    return _with_close_up(
        _extent([(row.scores, row.low, row.high) for row in everyone], most),
        _extent([(r.scores, r.low, r.high) for r in _near(everyone, verdict)], most),
    )


def difference_ranges(slot: SlotVerdict, verdict: Verdict) -> tuple[Range, ...]:
    """Return the ranges of paired differences (fractions) to offer, as `accuracy_ranges`.

    Each holds the margin and 0. Empty where no candidate has a difference.
    """
    behind = [row for row in slot.candidates if row.difference is not None and row.group != "best"]
    if not behind:
        return ()
    edges = (-1.3 * verdict.margin, 0.2 * verdict.margin)

    def extent(rows: list[Candidate]) -> Range:
        rises = verdict.metric is None or verdict.metric.higher_is_better
        apart = [paired(slot, row, rises) for row in rows]
        parts = [
            (values, row.difference_low, row.difference_high)
            for values, row in zip(apart, rows, strict=True)
        ]
        return _extent([(edges, None, None), *parts])

    return _with_close_up(extent(behind), extent(_near(behind, verdict)))


def mean_ranges(slot: SlotVerdict, verdict: Verdict, names: list[str]) -> tuple[Range, ...]:
    """Return the ranges of mean accuracy to offer for these candidates, as `accuracy_ranges`."""
    rows = [row for row in slot.candidates if row.name in names and row.mean is not None]
    if not rows:
        return ()

    def extent(some: list[Candidate]) -> Range:
        return _extent([((row.mean or 0.0,), None, None) for row in some])

    return _with_close_up(extent(rows), extent(_near(rows, verdict)))


def paired(
    slot: SlotVerdict, row: Candidate, higher_is_better: bool = True
) -> tuple[float | None, ...]:
    """Return a candidate's score minus the best's, for each seed, such that below 0 is worse.

    None where one of the two failed.
    """
    sign = 1.0 if higher_is_better else -1.0
    best = next((other for other in slot.candidates if other.group == "best"), None)
    if best is None or len(best.scores) != len(row.scores):
        return ()
    return tuple(
        None if own is None or top is None else sign * (own - top)
        for own, top in zip(row.scores, best.scores, strict=True)
    )


def _near(rows: list[Candidate], verdict: Verdict) -> list[Candidate]:
    """Return the candidates a close-up is about: all of them, unless at least half are near."""
    near = [row for row in rows if (row.difference or 0.0) >= -CLOSE_MARGINS * verdict.margin]
    return near if 2 * len(near) >= len(rows) else rows


def _with_close_up(whole: Range, close: Range) -> tuple[Range, ...]:
    closer = close[1] - close[0] < 0.7 * (whole[1] - whole[0])
    return (close, whole) if closer else (whole,)


def _extent(
    parts: list[tuple[tuple[float | None, ...], float | None, float | None]],
    highest: float = math.inf,
) -> Range:
    """Return a padded range that holds all values, and intervals as far as they stay near them.

    The interval of two seeds is 9 times as wide as their distance: it may leave the picture.
    """
    values = [value for part, _, _ in parts for value in part if value is not None]
    if not values:
        return (0.0, 1.0)
    low, high = min(values), max(values)
    span = (high - low) or 0.01
    lows = [max(bound, low - span / 2) for _, bound, _ in parts if bound is not None]
    highs = [min(bound, high + span / 2, highest) for _, _, bound in parts if bound is not None]
    low, high = min([low, *lows]), max([high, *highs])
    pad = 0.06 * (high - low) or 0.01
    return (low - pad, high + pad)
