"""One-sided derivatives of a sampled function, and the places where they differ."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from actlab.activations.facts.curve import Array

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
    finite differences of the slopes.
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
    found: dict[float, int] = {}
    for order, (jump, least) in enumerate(zip(jumps, _JUMPS, strict=True)):
        for place in _PLACES[np.abs(jump) > least]:
            found.setdefault(float(place), order)
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
