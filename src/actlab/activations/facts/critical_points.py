"""Where a function turns, is steepest, meets the diagonal; its limits and its range."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np

from actlab.activations.catalogue.declared import Monotonic
from actlab.activations.facts.curve import DIGITS, Curve, refine, sign_changes, too_much
from actlab.activations.facts.kinks import Break, Piece, find_pieces, find_switches, probes

_NOISE = 1e-13
"""A sampled derivative below this share of its size may have lost its sign to rounding."""

_SURE = 1e-9
"""A sampled slope above this share of the largest has a sure sign."""

_DENSE_REACH = 20.0

_MANY = 24
"""How many turning points are refined: of an oscillation, those nearest 0."""

_PLACES = ("1.13e2", "1.71e3", "1.37e4", "1.93e5", "1.29e6", "1.61e7", "1.47e8")
"""Far out and in general position, so that an oscillation does not look like a trend."""

_END = "1e36"
_STILL = mpmath.mpf("1e-25")
_SHRINKING = mpmath.mpf("0.8")
_ZERO = 1e-14

REACH = 10.0
"""Fixed points are listed up to this distance from 0; a periodic function has endlessly many."""

FixedPoint = float | tuple[float, float]

_NEAR_BY = 4000.0
"""Up to here the places where limits are read are far out for what happens nearer 0."""

_WINDOW = 64
_MOST = 400

_SAME = mpmath.mpf(10) ** -25


@dataclass(frozen=True)
class Extreme:
    """A bound of a set of values: where it is attained (no place: nowhere, or on a stretch)."""

    value: float
    attained: bool
    place: float | None


@dataclass(frozen=True)
class Candidate:
    """A value that may be a bound; `place` is None for a limit at infinity or a stretch."""

    value: Any
    attained: bool
    place: Any = None


class CriticalPoints:
    """A curve taken apart: breaks, pieces, limits, turning points of f and of f'."""

    def __init__(self, curve: Curve) -> None:
        self.curve = curve
        self.breaks: tuple[Break, ...]
        self.breaks, seams = find_switches(curve)
        self.pieces: tuple[Piece, ...] = find_pieces(curve, self.breaks, seams)

    @cached_property
    def limits(self) -> tuple[Any, Any]:
        """Return the limits of f at minus and plus infinity, None where there is none."""
        return (self._limit(0, -1), self._limit(0, 1))

    @cached_property
    def slope_limits(self) -> tuple[Any, Any]:
        """Return the limits of f' at minus and plus infinity, None where there is none."""
        return (self._limit(1, -1), self._limit(1, 1))

    def _limit(self, order: int, direction: int) -> Any:
        far = self.curve.far
        start = 0.0 if far <= _NEAR_BY else far
        unit = self.curve.unit
        return limit(lambda x: self.curve.at(x, order)[order], direction, start, unit)

    @cached_property
    def turns(self) -> tuple[Any, ...]:
        """Return the points where f' changes sign within a piece."""
        return self._roots(1)

    @cached_property
    def inflections(self) -> tuple[Any, ...]:
        """Return the points where f'' changes sign within a piece."""
        return self._roots(2)

    def _roots(self, order: int) -> tuple[Any, ...]:
        xs = self.curve.grid
        sampled = self.curve.sample(xs, order)[order]
        sizes = np.where(np.isfinite(sampled), np.abs(sampled), 0.0)
        size = float(np.max(sizes[abs(xs) < self._reach], initial=0.0))
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(sizes, _WINDOW), 2 * _WINDOW + 1)
        nearby = np.max(windows, axis=1)
        brackets = sign_changes(xs, sampled, noise=_NOISE * np.minimum(size, np.maximum(nearby, 1)))
        if sum(abs(low) < _DENSE_REACH for low, _high in brackets) > _MOST:
            raise too_much()
        edges = [float(found.x) for found in self.breaks]
        brackets.sort(key=lambda bracket: abs(bracket[0] + bracket[1]))
        roots: list[Any] = []
        for low, high in brackets[:_MANY]:
            for a, b in pairwise([low, *(e for e in edges if low < e < high), high]):
                roots += self._root_within(order, a, b)
        return tuple(sorted(roots))

    @property
    def _reach(self) -> float:
        """Return how far from 0 slopes are compared: where the function happens."""
        far = self.curve.far
        return _DENSE_REACH if far <= _NEAR_BY else 1.001 * far

    def _root_within(self, order: int, low: float, high: float) -> list[Any]:
        with mpmath.workdps(DIGITS):
            margin = (mpmath.mpf(high) - low) * mpmath.mpf(10) ** -20
            inside = (low + margin, high - margin)
            root = refine(lambda x: self.curve.at(x, order + 1)[order:], *inside)
            return [] if root is None else [root]

    def monotonic(self) -> Monotonic:
        """Return whether f rises or falls, from the signs of its slope and of its jumps."""
        signs = {int(mpmath.sign(found.right[0] - found.here)) for found in self._jumps()}
        signs |= {int(mpmath.sign(found.here - found.left[0])) for found in self._jumps()}
        signs |= {int(mpmath.sign(slope)) for slope in self._slopes()}
        signs |= self._sampled_signs()
        constant = any(piece.constant for piece in self.pieces)
        if {1, -1} <= signs:
            return "non_monotonic"
        if -1 in signs:
            return "non_increasing" if constant else "strictly_decreasing"
        return "non_decreasing" if constant else "strictly_increasing"

    def _sampled_signs(self) -> set[int]:
        """Return the signs of the slope where it is large enough to have one in doubles.

        A stretch much narrower than the probes' distances shows itself only here.
        """
        sampled = self.curve.sample(self.curve.grid, 1)[1]
        near = sampled[(abs(self.curve.grid) < self._reach) & np.isfinite(sampled)]
        large = near[abs(near) > _SURE * np.max(np.abs(near), initial=0.0)]
        return {int(sign) for sign in np.unique(np.sign(large))}

    def _jumps(self) -> list[Break]:
        return [found for found in self.breaks if found.order == 0]

    def _slopes(self) -> Iterable[Any]:
        """Yield the slope within every stretch on which it keeps its sign."""
        edges = sorted([*(found.x for found in self.breaks), *self.turns])
        with mpmath.workdps(DIGITS):
            for low, high in pairwise([-mpmath.inf, *edges, mpmath.inf]):
                for x in probes(low, high):
                    yield self.curve.at(x, 1)[1]

    def values(self) -> list[Candidate]:
        """Return the values among which the bounds of the range are."""
        found = [Candidate(self.curve.at(x)[0], True, x) for x in self.turns]
        for at_break in self.breaks:
            found.append(Candidate(at_break.here, True, at_break.x))
            found += [
                Candidate(side[0], _same(side[0], at_break.here, self.curve.unit), at_break.x)
                for side in (at_break.left, at_break.right)
            ]
        for piece in self.pieces:
            if piece.constant:
                found.append(Candidate(self.curve.at(probes(piece.low, piece.high)[0])[0], True))
        found += [Candidate(mpmath.mpf(end), False) for end in self.limits if end is not None]
        return found + self._swings(0)

    def slopes(self) -> list[Candidate]:
        """Return the sizes of f' among which the largest is."""
        found = [Candidate(abs(self.curve.at(x, 1)[1]), True, x) for x in self.inflections]
        for at_break in self.breaks:
            found += [Candidate(abs(side[1]), True, at_break.x) for side in _sides(at_break)]
        for piece in self.pieces:
            if piece.straight:
                inside = probes(piece.low, piece.high)[0]
                found.append(Candidate(abs(self.curve.at(inside, 1)[1]), True))
        found += [
            Candidate(abs(mpmath.mpf(end)), False) for end in self.slope_limits if end is not None
        ]
        return found + self._swings(1)

    def _swings(self, order: int) -> list[Candidate]:
        """Return infinities where f or f' has no limit and its swings grow without bound."""
        ends = self.limits if order == 0 else self.slope_limits
        unbounded = []
        for direction, end in zip((-1, 1), ends, strict=True):
            if end is not None:
                continue
            near, far = (
                self._window(order, direction, start + self.curve.far) for start in (100, 10000)
            )
            for pick in (min, max):
                if abs(pick(far)) > 5 * max(abs(pick(near)), 1):
                    size = math.copysign(math.inf, float(pick(far)))
                    unbounded.append(Candidate(mpmath.mpf(size if order == 0 else math.inf), False))
        return unbounded

    def _window(self, order: int, direction: int, start: float) -> list[Any]:
        steps = [mpmath.mpf(k) / 4 for k in range(64)]
        return [self.curve.at(direction * (start + step), order)[order] for step in steps]


def _sides(found: Break) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    return (found.left, found.right)


def _same(left: Any, right: Any, unit: float = 1.0) -> bool:
    if mpmath.isinf(left) or mpmath.isinf(right):
        return bool(left == right)
    return bool(abs(left - right) <= _SAME * max(unit, abs(left), abs(right)))


def lowest(candidates: Sequence[Candidate], unit: float = 1.0) -> Extreme:
    """Return the least of the candidates; see `highest`."""
    turned = [Candidate(-c.value, c.attained, c.place) for c in candidates]
    found = highest(turned, unit)
    return Extreme(-found.value + 0.0, found.attained, found.place)


def highest(candidates: Sequence[Candidate], unit: float = 1.0) -> Extreme:
    """Return the greatest of the candidates, and where it is attained.

    Of several isolated places the nearest to 0 counts, of two equally near the negative one. A
    stretch has no place.
    """
    top = max(candidates, key=lambda candidate: candidate.value).value
    ties = [c for c in candidates if _same(c.value, top, unit)]
    attained = [c for c in ties if c.attained]
    places = sorted((c.place for c in attained if c.place is not None), key=_nearest_zero)
    stretch = any(c.place is None for c in attained)
    place = float(places[0]) + 0.0 if places and not stretch else None
    return Extreme(_number(top), bool(attained), place)


def _nearest_zero(place: Any) -> tuple[float, float]:
    rounded = round(float(place), 12)
    return (abs(rounded), rounded)


def _number(value: Any) -> float:
    return float(value) + 0.0


def limit(
    function: Callable[[Any], Any], direction: int, start: float = 0.0, unit: float = 1.0
) -> Any:
    """Return the limit of `function` towards direction * infinity, None where there is none.

    Steps between values at places a decade apart, beyond `start`, shrink where the limit is
    finite; where they do not and the values keep one direction, it is infinite. What is below
    1e-14 of the values before it, or of `unit`, is taken as 0.

    >>> float(limit(mpmath.atan, -1))
    -1.5707963267948966
    >>> limit(mpmath.sin, 1) is None
    True
    """
    with mpmath.workdps(DIGITS):
        places = [start + max(1.0, start) * mpmath.mpf(place) for place in _PLACES]
        if start == 0:
            places = [mpmath.mpf(place) for place in _PLACES]
        values = [function(direction * place) for place in places]
        if mpmath.isinf(values[-1]):
            return values[-1]
        steps = [after - before for before, after in pairwise(values)]
        scale = max(unit, *(abs(value) for value in values))
        if all(abs(step) <= _STILL * scale for step in steps[1:]):
            return _without_noise(values[-1], scale)
        shrinking = all(
            abs(after) <= abs(before) * _SHRINKING for before, after in pairwise(steps[1:])
        )
        if shrinking:
            end = function(direction * max(mpmath.mpf(_END), 1000 * places[-1]))
            return _without_noise(end, scale)
        if all(step > 0 for step in steps):
            return mpmath.inf
        if all(step < 0 for step in steps):
            return -mpmath.inf
        return None


def _without_noise(value: Any, scale: Any) -> Any:
    return value * 0 if abs(value) < _ZERO * min(1, scale) else value


def fixed_points(critical_points: CriticalPoints) -> tuple[FixedPoint, ...]:
    """Return the fixed points in [-REACH, REACH], a stretch of them as a pair of its ends.

    Crossings are roots of f(x) - x; where the curve only touches the diagonal, f'(x) = 1 as well.
    """
    curve = critical_points.curve
    # One point beyond on either side brackets what is at the end itself.
    xs = curve.grid[np.abs(curve.grid) <= REACH * 1.01]
    value, slope = curve.sample(xs, 1)
    stretches = [(piece.low, piece.high) for piece in critical_points.pieces if piece.identity]
    found = [
        refine(lambda x: _below_diagonal(curve, x), low, high)
        for low, high in sign_changes(xs, value - xs, noise=1e-14 * np.abs(xs))[:_MOST]
    ]
    touching = [
        refine(lambda x: _slope_below_one(curve, x), low, high)
        for low, high in sign_changes(xs, slope - 1, noise=1e-14)[:_MANY]
    ]
    touching += [at_break.x for at_break in critical_points.breaks]
    with mpmath.workdps(DIGITS):
        found += [x for x in touching if x is not None and _is_fixed(curve, x)]
        single = [
            float(x) + 0.0
            for x in found
            if x is not None
            and abs(x) <= REACH
            and _is_fixed(curve, x)
            and not any(low <= x <= high for low, high in stretches)
        ]
    pairs: list[FixedPoint] = [(float(low), float(high)) for low, high in stretches]
    isolated = sorted(single)
    apart = [x for i, x in enumerate(isolated) if i == 0 or x - isolated[i - 1] > 1e-9]
    return tuple(sorted([*apart, *pairs], key=lambda p: p[0] if isinstance(p, tuple) else p))


def _below_diagonal(curve: Curve, x: Any) -> tuple[Any, Any]:
    value, slope = curve.near(x, 1)
    return (value - x, slope - 1)


def _slope_below_one(curve: Curve, x: Any) -> tuple[Any, Any]:
    _value, slope, curvature = curve.near(x, 2)
    return (slope - 1, curvature)


def _is_fixed(curve: Curve, x: Any) -> bool:
    return bool(abs(curve.at(x)[0] - x) <= mpmath.mpf(10) ** -25 * max(1, abs(x)))
