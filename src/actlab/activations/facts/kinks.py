"""Where a function stops being analytic: read off its formula, or off samples of a module."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np

from actlab.activations.catalogue.declared import Smoothness
from actlab.activations.facts.curve import (
    DIGITS,
    Array,
    Curve,
    not_finite,
    refine,
    rounding,
    sign_changes,
    too_much,
)
from actlab.activations.formula.derivative import steps, switches
from actlab.activations.formula.nodes import Call, Node, walk

_ORDER = 6
"""How many derivatives are compared at a switch; beyond it the function counts as smooth."""

_STEPS_UP_TO = 20.3
_MOST = 120
"""At more switches than this a function is not taken apart."""

_SAME = mpmath.mpf(10) ** -30
_INFINITE = mpmath.mpf(10) ** 25
"""More than this at a point that was located to 50 digits is a pole next to it."""


@dataclass(frozen=True)
class Break:
    """A point where some derivative jumps: f, f', ... on the left, on the right, and f itself.

    `unit` is the size that numbers are small against, 1 but for functions that are small.
    """

    x: Any
    left: tuple[Any, ...]
    right: tuple[Any, ...]
    here: Any

    unit: float = 1.0

    @property
    def order(self) -> int:
        """Return the order of the first derivative that jumps or grows without bound (0: f)."""
        if not any(_same(self.here, side[0], self.unit) for side in (self.left, self.right)):
            return 0
        pairs = enumerate(zip(self.left, self.right, strict=True))
        return next((k for k, (a, b) in pairs if not _same(a, b, self.unit)), len(self.left))

    @property
    def is_kink(self) -> bool:
        """Return whether f or its slope jumps."""
        return self.order <= 1

    @property
    def is_steep(self) -> bool:
        """Return whether a derivative grows without bound here."""
        return any(mpmath.isinf(value) for value in (*self.left, *self.right))

    def in_doubles(self) -> Break:
        """Return the break in double precision, f and f' alone."""
        left, right = (tuple(float(v) + 0.0 for v in side[:2]) for side in (self.left, self.right))
        return Break(float(self.x) + 0.0, left, right, float(self.here) + 0.0, self.unit)


@dataclass(frozen=True)
class Piece:
    """A stretch between breaks, on which the function is analytic."""

    low: Any
    high: Any
    constant: bool
    straight: bool
    identity: bool

    @property
    def normal_mass(self) -> float:
        """Return the share of a standard normal input that falls on the piece."""
        return float(
            (mpmath.erf(self.high / mpmath.sqrt(2)) - mpmath.erf(self.low / mpmath.sqrt(2))) / 2
        )


def _same(left: Any, right: Any, unit: float = 1.0) -> bool:
    if mpmath.isinf(left) or mpmath.isinf(right):
        return False
    return bool(abs(left - right) <= _SAME * max(unit, abs(left), abs(right)))


def find_breaks(curve: Curve) -> tuple[Break, ...]:
    """Return the points at which some derivative of the function jumps, from left to right."""
    return find_switches(curve)[0]


def find_switches(curve: Curve) -> tuple[tuple[Break, ...], tuple[Any, ...]]:
    """Return the points at which some derivative of the function jumps, and the seams.

    They are among the zeros of what the formula switches on: compared numbers, and arguments of
    abs, relu, clip, max and min. Seams are those at which no derivative that is looked at jumps.
    """
    places: list[Any] = []
    candidates: list[Break | None] = []
    near = curve.grid[abs(curve.grid) < _STEPS_UP_TO]
    looked_at = [(switch, curve.grid) for switch in (*switches(curve.tree), *_poles(curve.tree))]
    # Steps without end are looked at where a normal input is.
    for switch, xs in [*looked_at, *((step, near) for step in steps(curve.tree))]:
        part = curve.part(switch)
        value, slope = part.sample(xs, 1)
        for low, high in sign_changes(xs, value, noise=rounding(xs, slope)):
            root = refine(_right_of(part), low, high)
            if root is not None and not any(_same(root, place) for place in places):
                places.append(root)
                candidates.append(_compare_sides(curve, root))
                if len(places) > _MOST:
                    raise too_much()
    breaks = (found for found in candidates if found is not None)
    seams = (x for x, found in zip(places, candidates, strict=True) if found is None)
    return tuple(sorted(breaks, key=lambda found: found.x)), tuple(sorted(seams))


def _poles(tree: Node) -> tuple[Node, ...]:
    """Return the trees at whose zeros a tangent has no value."""
    return tuple(
        Call("cos", part.arguments)
        for part in walk(tree)
        if isinstance(part, Call) and part.function == "tan"
    )


def _right_of(curve: Curve) -> Callable[[Any], tuple[Any, Any]]:
    def value_and_slope(x: Any) -> tuple[Any, Any]:
        value, slope = curve.near(x, 1)
        return (value, slope)

    return value_and_slope


def _compare_sides(curve: Curve, place: Any) -> Break | None:
    left = curve.from_side(place, _ORDER, side=-1)
    right = curve.from_side(place, _ORDER, side=1)
    if max(abs(left[0]), abs(right[0])) > _INFINITE:
        raise not_finite(place)
    found = Break(place, left, right, curve.at(place)[0], curve.unit)
    return None if found.order > _ORDER else found


def find_pieces(
    curve: Curve, breaks: tuple[Break, ...], seams: tuple[Any, ...]
) -> tuple[Piece, ...]:
    """Return the stretches between the breaks, and the seams at which a constant stretch ends.

    An analytic function whose slope vanishes at several points of a stretch in general position is
    constant there; likewise straight, and likewise the identity.
    """
    edges = [-mpmath.inf, *(found.x for found in breaks), mpmath.inf]
    found: list[Piece] = []
    for low, high in pairwise(edges):
        inner = [x for x in seams if low < x < high]
        parts = [_piece(curve, *ends) for ends in pairwise([low, *inner, high])]
        split = len({part.constant for part in parts}) > 1
        found += parts if split else [_piece(curve, low, high)]
    return tuple(found)


def _piece(curve: Curve, low: Any, high: Any) -> Piece:
    with mpmath.workdps(DIGITS):
        jets = [(x, curve.at(x, 2)) for x in probes(low, high)]
        return Piece(
            low,
            high,
            constant=all(jet[1] == 0 for _x, jet in jets),
            straight=all(_is_zero(jet[2], jet[1]) for _x, jet in jets),
            identity=all(_is_zero(jet[0] - x, x) for x, jet in jets),
        )


def _is_zero(value: Any, beside: Any) -> bool:
    return bool(abs(value) <= mpmath.mpf(10) ** (5 - DIGITS) * abs(beside))


def probes(low: Any, high: Any) -> tuple[Any, ...]:
    """Return points in general position between low and high, either of which may be infinite."""
    shares = [mpmath.mpf(k) / 1000 for k in (137, 391, 617, 883)]
    if mpmath.isinf(low) and mpmath.isinf(high):
        return tuple(8 * (share - mpmath.mpf("0.5")) for share in shares)
    if mpmath.isinf(low):
        return tuple(high - 6 * share for share in shares)
    if mpmath.isinf(high):
        return tuple(low + 6 * share for share in shares)
    return tuple(low + (high - low) * share for share in shares)


def smoothness(breaks: tuple[Break, ...]) -> Smoothness:
    """Return the class of the function: how many derivatives are continuous."""
    if not breaks:
        return "Cinf"
    order = min(found.order for found in breaks)
    classes: tuple[Smoothness, ...] = ("discontinuous", "C0", "C1", "C2")
    return classes[min(order, 3)]


def zero_gradient_share(pieces: tuple[Piece, ...]) -> float:
    """Return the share of a standard normal input on which the function is constant."""
    return math.fsum(piece.normal_mass for piece in pieces if piece.constant)


_PLACES = np.arange(-12.0, 12.125, 0.125)
"""Where kinks are looked for; every function of the catalogue has its own among them."""

_POINTS = 6
_SPACING = 2.0**-7
_JUMPS = (1e-8, 1e-7, 1e-3, 0.3)
"""What counts as a jump of f, f', f'' and f''': above the error of extrapolating them."""


def one_sided_slopes(slope: Callable[[Array], Array], place: float) -> tuple[float, float]:
    """Return the limits of the slope from the left and from the right, by extrapolation."""
    found = []
    for side in (-1, 1):
        steps: Array = side * 2.0**-12 * np.arange(1.0, _POINTS + 1)
        found.append(float(slope(np.asarray(place + steps)) @ _weights(0)))
    return (found[0], found[1])


def jump_orders(
    value: Callable[[Array], Array], slope: Callable[[Array], Array]
) -> dict[float, int]:
    """Return the places where f (order 0), f' (1), f'' (2) or f''' (3) jumps, the first that does.

    Each side is extrapolated to the place from six points at multiples of 1/128; f'' and f''' are
    finite differences of the slopes. A jump has to be there from two finer distances too, and not
    to shrink with them: x^(7/2) has none at 0, but no polynomial through its values has either, and
    a kink that is near is none here. Where f is large, what its rounding and its growth make of a
    difference is no jump.
    """
    steps = _SPACING * np.arange(1, _POINTS + 1)
    left_points = (_PLACES[:, None] - steps).ravel()
    right_points = (_PLACES[:, None] + steps).ravel()
    jumps = [
        _limits(value, right_points, 1, 0) - _limits(value, left_points, -1, 0),
        *(
            _limits(slope, right_points, 1, order) - _limits(slope, left_points, -1, order)
            for order in range(3)
        ),
    ]
    sizes = [_sizes(function, left_points, right_points) for function in (value, slope)]
    found: dict[float, int] = {}
    for order, (jump, least) in enumerate(zip(jumps, _JUMPS, strict=True)):
        size = sizes[min(order, 1)]
        coarse = size / _SPACING ** max(0, order - 1)
        room = least * np.where(size > _LARGE, coarse, 1.0)
        for place, allowed in zip(
            _PLACES[np.abs(jump) > room], room[np.abs(jump) > room], strict=True
        ):
            if order < 2:
                function = slope if order else value
                sides = [one_sided_slopes(function, float(place)), _beside(function, float(place))]
            else:
                nearer = (1e-6, 1e-7) if order == 2 else (1e-3, 1e-4)
                sides = [_one_sided_bends(slope, float(place), order - 1, step) for step in nearer]
            close_by, closer = (abs(right - left) for left, right in sides)
            if close_by > allowed and closer > max(allowed, close_by / 2):
                found.setdefault(float(place), order)
    return found


def _beside(function: Callable[[Array], Array], place: float) -> tuple[float, float]:
    left, right = function(np.array([place - 1e-9, place + 1e-9]))
    return float(left), float(right)


def _one_sided_bends(
    slope: Callable[[Array], Array], place: float, order: int, step: float
) -> tuple[float, float]:
    """Return the first or second difference quotient of the slope, close by on either side."""
    found = []
    for side in (-1, 1):
        points = place + side * step * np.arange(1.0, order + 2)
        found.append(float(np.diff(slope(points), order)[0]) / (side * step) ** order)
    return found[0], found[1]


_LARGE = 10.0


def _sizes(function: Callable[[Array], Array], *sides: Array) -> Array:
    """Return the largest |f| beside each place."""
    both = [np.abs(function(points)).reshape(len(_PLACES), _POINTS).max(1) for points in sides]
    found: Array = np.maximum(*both)
    return found


def _limits(function: Callable[[Array], Array], points: Array, side: int, order: int) -> Array:
    samples = function(points).reshape(len(_PLACES), _POINTS)
    found: Array = samples @ _weights(order) / (side * _SPACING) ** order
    return found


def _weights(order: int) -> Array:
    """Return the weights that give the derivative at 0 from values at 1, 2, ..., _POINTS."""
    powers = np.vander(np.arange(1.0, _POINTS + 1), increasing=True).T
    target = np.zeros(_POINTS)
    target[order] = [1.0, 1.0, 2.0][order]
    weights: Array = np.linalg.solve(powers, target)
    return weights
