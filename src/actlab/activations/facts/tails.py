"""Limits of f and f' at both ends of the line."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import mpmath

from actlab.activations.facts.curve import DIGITS

_PLACES = ("1.13e2", "1.71e3", "1.37e4", "1.93e5", "1.29e6", "1.61e7", "1.47e8")
"""Far out and in general position, so that an oscillation does not look like a trend."""

_END = "1e36"
_STILL = mpmath.mpf("1e-25")
_SHRINKING = mpmath.mpf("0.8")
_NOISE = 1e-14


def limit(function: Callable[[Any], Any], direction: int) -> Any:
    """Return the limit of `function` towards direction * infinity, None where there is none.

    Steps between values at places a decade apart shrink where the limit is finite; where they do
    not and the values keep one direction, it is infinite. What is below 1e-14 is taken as 0.

    >>> float(limit(mpmath.atan, -1))
    -1.5707963267948966
    >>> limit(mpmath.sin, 1) is None
    True
    """
    with mpmath.workdps(DIGITS):
        values = [function(direction * mpmath.mpf(place)) for place in _PLACES]
        if mpmath.isinf(values[-1]):
            return values[-1]
        steps = [after - before for before, after in pairwise(values)]
        scale = max(1, abs(values[0]))
        if all(abs(step) <= _STILL * scale for step in steps[1:]):
            return _without_noise(values[-1])
        shrinking = all(
            abs(after) <= abs(before) * _SHRINKING for before, after in pairwise(steps[1:])
        )
        if shrinking:
            return _without_noise(function(direction * mpmath.mpf(_END)))
        if all(step > 0 for step in steps):
            return mpmath.inf
        if all(step < 0 for step in steps):
            return -mpmath.inf
        return None


def _without_noise(value: Any) -> Any:
    return value * 0 if abs(value) < _NOISE else value
