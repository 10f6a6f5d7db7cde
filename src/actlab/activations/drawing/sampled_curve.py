"""A formula sampled for drawing: f and f', broken where they jump."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actlab.activations.facts.kinks import Kink, kinks
from actlab.activations.formula.expression import Expression
from actlab.activations.formula.with_numpy import NumpyBackend

_BESIDE = 1e-9


@dataclass(frozen=True)
class Curve:
    """Points of f and f' from left to right; NaN between the two sides of a jump or a kink."""

    x: NDArray[np.float64]
    value: NDArray[np.float64]
    slope: NDArray[np.float64]
    kinks: tuple[Kink, ...]


def sample(
    expression: Expression,
    parameters: Mapping[str, float],
    low: float = -5.0,
    high: float = 5.0,
    points: int = 801,
) -> Curve:
    """Return `points` evenly spaced points and, at each kink, the limits from both sides.

    >>> from actlab.activations.formula import parse
    >>> curve = sample(parse("relu(x)"), {}, -1.0, 1.0, points=3)
    >>> curve.slope.tolist()
    [0.0, 0.0, nan, 1.0, 1.0]
    """
    found = kinks(expression, parameters, low, high)
    places = np.array([kink.x for kink in found])
    even = np.linspace(low, high, points)
    apart = np.array([not np.any(np.abs(places - x) < _BESIDE) for x in even], dtype=bool)
    x = np.sort(np.concatenate([even[apart], places - _BESIDE, places + _BESIDE]))
    # Just beside a grid point: 0 is where a formula's own sign(0) or 0/0 would show.
    value, slope = (
        part.evaluate(NumpyBackend(), x + 1e-12, **{name: parameters[name] for name in part.names})
        for part in (expression, expression.derivative())
    )
    at = np.searchsorted(x, places)
    x = np.insert(x, at, places)
    jumps = np.array([kink.left if not kink.is_jump else np.nan for kink in found])
    return Curve(x, np.insert(value, at, jumps), np.insert(slope, at, np.nan), found)
