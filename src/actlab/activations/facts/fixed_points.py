"""Where f(x) = x."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

from actlab.activations.facts.critical_points import Anatomy
from actlab.activations.facts.curve import DIGITS, Curve, refine, sign_changes

REACH = 10.0
"""Fixed points are listed up to this distance from 0; a periodic function has endlessly many."""

FixedPoint = float | tuple[float, float]


def fixed_points(anatomy: Anatomy) -> tuple[FixedPoint, ...]:
    """Return the fixed points in [-REACH, REACH], a stretch of them as a pair of its ends.

    Crossings are roots of f(x) - x; where the curve only touches the diagonal, f'(x) = 1 as well.
    """
    curve = anatomy.curve
    xs = curve.grid[np.abs(curve.grid) <= REACH * 1.001]
    value, slope = curve.sample(xs, 1)
    stretches = [(piece.low, piece.high) for piece in anatomy.pieces if piece.identity]
    found = [
        refine(lambda x: _below_diagonal(curve, x), low, high)
        for low, high in sign_changes(xs, value - xs, noise=1e-14 * np.abs(xs))
    ]
    touching = [
        refine(lambda x: _slope_below_one(curve, x), low, high)
        for low, high in sign_changes(xs, slope - 1, noise=1e-14)
    ]
    touching += [at_break.x for at_break in anatomy.breaks]
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
    value, slope = curve.at(x, 1)
    return (value - x, slope - 1)


def _slope_below_one(curve: Curve, x: Any) -> tuple[Any, Any]:
    _value, slope, curvature = curve.at(x, 2)
    return (slope - 1, curvature)


def _is_fixed(curve: Curve, x: Any) -> bool:
    return bool(abs(curve.at(x)[0] - x) <= mpmath.mpf(10) ** -25 * max(1, abs(x)))
