"""Which accuracies and differences a verdict's pictures show, whole and close up."""

from actlab.records import Candidate, SlotVerdict, Verdict
from actlab.studies.report.data.zooms import Range

CLOSE_MARGINS = 4.0
"""A candidate at most this many margins behind the best is near it."""


def accuracy_ranges(slot: SlotVerdict, verdict: Verdict) -> tuple[Range, ...]:
    """Return the ranges of accuracy to offer: a close-up first where it is closer than the whole.

    Empty where no candidate has a mean.
    """
    everyone = [row for row in slot.candidates if row.scores]
    if not everyone:
        return ()
    return _with_close_up(
        _extent([(row.scores, row.low, row.high) for row in everyone], highest=1.0),
        _extent([(r.scores, r.low, r.high) for r in _near(everyone, verdict)], highest=1.0),
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
        parts = [(paired(slot, row), row.difference_low, row.difference_high) for row in rows]
        return _extent([(edges, None, None), *parts])

    return _with_close_up(extent(behind), extent(_near(behind, verdict)))


def mean_ranges(slot: SlotVerdict, verdict: Verdict, names: list[str]) -> tuple[Range, ...]:
    """Return the ranges of mean accuracy to offer for these candidates, as `accuracy_ranges`."""
    rows = [row for row in slot.candidates if row.activation in names and row.mean is not None]
    if not rows:
        return ()

    def extent(some: list[Candidate]) -> Range:
        return _extent([((row.mean or 0.0,), None, None) for row in some])

    return _with_close_up(extent(rows), extent(_near(rows, verdict)))


def paired(slot: SlotVerdict, row: Candidate) -> tuple[float, ...]:
    """Return a candidate's accuracy minus that of the best with the same seed, for each seed."""
    best = next((other for other in slot.candidates if other.group == "best"), None)
    if best is None or len(best.scores) != len(row.scores):
        return ()
    return tuple(own - top for own, top in zip(row.scores, best.scores, strict=True))


def _near(rows: list[Candidate], verdict: Verdict) -> list[Candidate]:
    """Return the candidates a close-up is about: all of them, unless at least half are near."""
    near = [row for row in rows if (row.difference or 0.0) >= -CLOSE_MARGINS * verdict.margin]
    return near if 2 * len(near) >= len(rows) else rows


def _with_close_up(whole: Range, close: Range) -> tuple[Range, ...]:
    closer = close[1] - close[0] < 0.7 * (whole[1] - whole[0])
    return (close, whole) if closer else (whole,)


def _extent(
    parts: list[tuple[tuple[float, ...], float | None, float | None]], highest: float = 1e9
) -> Range:
    """Return a padded range that holds all values, and intervals as far as they stay near them.

    The interval of two seeds is 9 times as wide as their distance: it may leave the picture.
    """
    values = [value for part, _, _ in parts for value in part]
    if not values:
        return (0.0, 1.0)
    low, high = min(values), max(values)
    span = (high - low) or 0.01
    lows = [max(bound, low - span / 2) for _, bound, _ in parts if bound is not None]
    highs = [min(bound, high + span / 2, highest) for _, _, bound in parts if bound is not None]
    low, high = min([low, *lows]), max([high, *highs])
    pad = 0.06 * (high - low) or 0.01
    return (low - pad, high + pad)
