"""Where a formula with given parameters has a kink or a jump, inside an interval."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from actlab.activations.formula.expression import Expression
from actlab.activations.formula.with_numpy import NumpyBackend

_STEP = 1e-7
_GRID = 4001


@dataclass(frozen=True)
class Kink:
    """A point where f jumps or its slope does; values and slopes from the left and the right."""

    x: float
    left: float
    right: float
    slope_left: float
    slope_right: float

    @property
    def is_jump(self) -> bool:
        """Return whether f itself is not continuous here."""
        return not math.isclose(self.left, self.right, rel_tol=1e-5, abs_tol=1e-5)


def kinks(
    expression: Expression, parameters: Mapping[str, float], low: float, high: float
) -> tuple[Kink, ...]:
    """Return the kinks and jumps between `low` and `high`, from left to right.

    Candidates are the zeros of `Expression.switches`; those with equal one-sided values and slopes
    are no kinks. A place where only the second derivative jumps is not reported.

    >>> from actlab.activations.formula import parse
    >>> [(kink.x, kink.slope_left, kink.slope_right) for kink in kinks(parse("relu(x)"), {}, -3, 3)]
    [(0.0, 0.0, 1.0)]
    """
    places = sorted(
        {
            round(zero, 12) + 0.0
            for switch in expression.switches()
            for zero in _zeros(_at(switch, parameters), low, high)
        }
    )
    value, slope = _at(expression, parameters), _at(expression.derivative(), parameters)
    found = []
    for place in places:
        kink = Kink(
            place,
            *(float(value(np.float64(place + side * _STEP))) for side in (-1, 1)),
            *(float(slope(np.float64(place + side * _STEP))) for side in (-1, 1)),
        )
        smooth = math.isclose(kink.slope_left, kink.slope_right, rel_tol=1e-5, abs_tol=1e-5)
        if kink.is_jump or not smooth:
            found.append(kink)
    return tuple(found)


def _at(
    expression: Expression, parameters: Mapping[str, float]
) -> Callable[[np.ndarray | np.float64], np.ndarray]:
    used = {name: parameters[name] for name in expression.names}
    return lambda x: expression.evaluate(NumpyBackend(), x, **used)


def _zeros(
    function: Callable[[np.ndarray | np.float64], np.ndarray], low: float, high: float
) -> list[float]:
    """Return the zeros at which the function changes sign or touches 0 on a grid point."""
    grid = np.linspace(low, high, _GRID)
    values = function(grid)
    touching = [float(x) for x in grid[values == 0.0]] if np.mean(values == 0.0) < 0.01 else []
    signs = np.sign(values)
    crossing = np.flatnonzero(signs[:-1] * signs[1:] < 0)
    return touching + [_bisected(function, grid[i], grid[i + 1]) for i in crossing]


def _bisected(
    function: Callable[[np.ndarray | np.float64], np.ndarray], left: float, right: float
) -> float:
    sign = np.sign(function(np.float64(left)))
    for _halving in range(60):
        middle = 0.5 * (left + right)
        if np.sign(function(np.float64(middle))) == sign:
            left = middle
        else:
            right = middle
    return float(0.5 * (left + right))
