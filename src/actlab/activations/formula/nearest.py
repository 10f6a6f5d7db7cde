"""Which known function a formula is, or is most like, and how far it is from it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.activations.formula.expression import Expression
from actlab.activations.formula.with_numpy import NumpyBackend

Array = NDArray[np.float64]

_EQUAL = 1e-9
_FITTED = 12


@dataclass(frozen=True)
class Known:
    """A function to compare with: its formula, its parameters' values, and bounds of each."""

    name: str
    expression: Expression
    values: Mapping[str, float]
    bounds: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Nearest:
    """The nearest known function.

    `distance` is sqrt(E[(f - g)^2]) under a standard normal input. `equal` means that the two
    agree to 9 digits at every point tried, from -10,000 to 10,000. `parameters` are those with
    which it is nearest.
    """

    name: str
    parameters: Mapping[str, float]
    distance: float
    equal: bool

    @property
    def call(self) -> str:
        """Return the name with the parameters, as in swish(beta=1.5)."""
        inside = ", ".join(f"{name}={value:.6g}" for name, value in self.parameters.items())
        return f"{self.name}({inside})" if inside else self.name


def nearest(
    expression: Expression, values: Mapping[str, float], candidates: Iterable[Known]
) -> Nearest | None:
    """Return the candidate with the least distance, None where there is no candidate.

    Each candidate is tried with its own parameter values; the most alike also with values fitted to
    the formula, so that x*sigmoid(1.5*x) is found to be swish(beta=1.5).

    >>> from actlab.activations.formula import parse
    >>> swish = Known("swish", parse("x*sigmoid(beta*x)"), {"beta": 1.0}, {"beta": (0.1, 5.0)})
    >>> nearest(parse("x/(1+exp(-1.5*x))"), {}, [swish]).call
    'swish(beta=1.5)'
    """
    points, weights = _normal_points()
    wide = _wide_points()
    target, far = _at(expression, values, points), _at(expression, values, wide)
    found = []
    for known in candidates:
        distance = _distance(target - _at(known.expression, known.values, points), weights)
        equal = _same(far, _at(known.expression, known.values, wide))
        found.append((distance, known, Nearest(known.name, known.values, distance, equal)))
    found.sort(key=lambda entry: (not entry[2].equal, entry[0], len(entry[1].values)))
    if not found or found[0][2].equal:
        return found[0][2] if found else None
    fits = [found[0][2]]
    for _distance_before, known, _unfitted in [f for f in found if f[1].values][:_FITTED]:
        fitted = _fit(known, target, points, weights)
        distance = _distance(target - _at(known.expression, fitted, points), weights)
        equal = _same(far, _at(known.expression, fitted, wide))
        fits.append(Nearest(known.name, fitted, distance, equal))
    # A fitted function has to be clearly nearer than one with its own values.
    return min(fits, key=lambda fit: (not fit.equal, fit.distance * (1 if fit is fits[0] else 2)))


def _at(expression: Expression, values: Mapping[str, Any], points: Array) -> Array:
    used = {name: values[name] for name in expression.names}
    result: Array = expression.evaluate(NumpyBackend(), points, **used)
    return result


def _normal_points() -> tuple[Array, Array]:
    points = np.linspace(-8.0, 8.0, 3201)
    weights = np.exp(-0.5 * points**2)
    return points, weights / weights.sum()


def _wide_points() -> Array:
    tail = np.geomspace(8.0, 1e4, 60)
    return np.concatenate([-tail[::-1], np.linspace(-8.0, 8.0, 801), tail])


def _distance(difference: Array, weights: Array) -> float:
    with np.errstate(all="ignore"):
        mean = float(np.sum(weights * difference**2))
    return math.sqrt(mean) if math.isfinite(mean) else math.inf


def _same(left: Array, right: Array) -> bool:
    """Return whether two samples agree, or overflow alike, everywhere."""
    return bool(np.allclose(left, right, rtol=_EQUAL, atol=_EQUAL, equal_nan=True))


def _fit(known: Known, target: Array, points: Array, weights: Array) -> dict[str, float]:
    from scipy.optimize import least_squares

    names = tuple(known.values)
    low, high = zip(*(known.bounds[name] for name in names), strict=True)
    inside = [
        min(max(known.values[name], a + 1e-6), b - 1e-6)
        for name, a, b in zip(names, low, high, strict=True)
    ]
    scale = np.sqrt(weights)

    def residuals(guess: Array) -> Array:
        difference = target - _at(known.expression, dict(zip(names, guess, strict=True)), points)
        return np.nan_to_num(scale * difference, nan=1e3, posinf=1e3, neginf=-1e3)

    result = least_squares(
        residuals, inside, bounds=(low, high), xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=60
    )
    return {name: float(f"{value:.9g}") for name, value in zip(names, result.x, strict=True)}
