"""Which known function a formula is, or is most like, and how far it is from it."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.activations.catalogue import ENTRIES
from actlab.activations.catalogue.entry import Parameter
from actlab.activations.facts.curve import Curve
from actlab.activations.formula import Expression, NumpyBackend

Array = NDArray[np.float64]

_EQUAL = 1e-9
_FITTED = 24
_STEPS = 60
_VANISHED = 1e-6
_MOST_EXACT = 200


@dataclass(frozen=True)
class Known:
    """A function to compare with: its formula, its parameters' values, and bounds of each.

    `learns` says that a parameter of it is learnt.
    """

    name: str
    expression: Expression
    values: Mapping[str, float]
    bounds: Mapping[str, tuple[float, float]]
    learns: bool = False


@dataclass(frozen=True)
class Nearest:
    """The nearest known function.

    `distance` is sqrt(E[(f - g)^2]) under a standard normal input. `equal` means that the two
    agree (to 9 digits in float64) at every point tried: from -10,000 to 10,000, and wherever
    something happens.
    `parameters` are those with which it is nearest.
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


def known_functions() -> list[Known]:
    """Return the scalar functions of the catalogue to compare a formula with."""
    return [
        Known(
            entry.name,
            entry.expression,
            {name: entry.values[name] for name in entry.expression.names},
            {parameter.name: _searched(parameter) for parameter in entry.parameters},
            any(parameter.learnable for parameter in entry.parameters),
        )
        for entry in ENTRIES.values()
        if entry.kind == "scalar"
    ]


def _searched(parameter: Parameter) -> tuple[float, float]:
    """Return within which bounds a parameter is fitted: up to 20, or 20 times its usual value."""
    far = 20.0 * max(1.0, abs(parameter.default))
    return max(parameter.low, -far) + 1e-3, min(parameter.high, far) - 1e-3


def nearest(
    expression: Expression,
    values: Mapping[str, float],
    candidates: Iterable[Known] | None = None,
) -> Nearest | None:
    """Return the candidate with the least distance, None where there is no candidate.

    Without candidates it is asked among the functions of the catalogue.

    Each candidate is tried with its own parameter values; the most alike also with values fitted to
    the formula, so that x*sigmoid(1.5*x) is found to be swish(beta=1.5).

    >>> from actlab.activations.formula import parse
    >>> swish = Known("swish", parse("x*sigmoid(beta*x)"), {"beta": 1.0}, {"beta": (0.1, 5.0)})
    >>> nearest(parse("x/(1+exp(-1.5*x))"), {}, [swish]).call
    'swish(beta=1.5)'
    """
    curve = Curve(expression.tree, values)
    wide = np.unique(np.concatenate([_wide_points(), curve.grid]))
    near = _at(expression, values, _normal_points()[0])
    return _nearest(near, wide, _exactly(curve, wide), curve.unit, candidates)


def nearest_to(value: Callable[[Array], Array], agreement: float = _EQUAL) -> Nearest | None:
    """Return the function of the catalogue that is nearest to what `value` computes.

    `agreement` is the relative error up to which the two are equal; the default is for float64.

    >>> nearest_to(lambda x: np.maximum(x, 0)).call
    'relu'
    """
    wide = _wide_points()
    near = value(_normal_points()[0])
    return _nearest(near, wide, value(wide), 1.0, None, agreement)


def _nearest(
    target: Array,
    wide: Array,
    far: Array,
    scale: float,
    candidates: Iterable[Known] | None,
    agreement: float = _EQUAL,
) -> Nearest | None:
    points, weights = _normal_points()

    def compared(known: Known, given: Mapping[str, float]) -> Nearest:
        distance = _distance(target - _at(known.expression, given, points), weights)
        there = _at(known.expression, given, wide)
        return Nearest(known.name, given, distance, _same(far, there, scale, agreement))

    chosen = known_functions() if candidates is None else list(candidates)
    found = [(compared(known, known.values), known) for known in chosen]
    found.sort(key=lambda pair: (not pair[0].equal, pair[0].distance, len(pair[1].values)))
    if not found or found[0][0].equal:
        return found[0][0] if found else None
    fits = [found[0]]
    for _unfitted, known in [f for f in found if f[1].values][:_FITTED]:
        values = _fit(known, target, points, weights)
        fitted = compared(known, values)
        if not fitted.equal:
            rounded = (compared(known, _shortened(values, digits)) for digits in range(1, 7))
            fitted = next((short for short in rounded if short.equal), fitted)
        if not _degenerate(fitted, known):
            fits.append((fitted, known))
    equal = [pair for pair in fits if pair[0].equal]
    if equal:
        best, known = min(equal, key=lambda pair: (len(pair[1].values), pair[1].learns))
        # The same with a fixed parameter: leaky_relu(0.3) is no prelu.
        fixed = [k for k in chosen if not k.learns and len(k.values) == len(known.values)]
        for other in fixed if known.learns else ():
            twin = compared(other, dict(zip(other.values, best.parameters.values(), strict=True)))
            if twin.equal:
                return twin
        return best
    # A fitted function has to be clearly nearer than one with its own values.
    unfitted, *fitted_ones = (fit for fit, _known in fits)
    return min([unfitted, *fitted_ones], key=lambda f: f.distance * (1 if f is unfitted else 2))


def _shortened(values: Mapping[str, float], digits: int) -> dict[str, float]:
    """Return parameters as somebody would write them, with few digits."""
    return {name: float(f"{value:.{digits}g}") for name, value in values.items()}


def _degenerate(fitted: Nearest, known: Known) -> bool:
    """Return whether a parameter vanishes, or is at its bound: another function in disguise."""
    return any(
        abs(value) < _VANISHED or value <= low or value >= high
        for name, value in fitted.parameters.items()
        for low, high in (known.bounds[name],)
    )


def _exactly(curve: Curve, points: Array) -> Array:
    """Return the values of a formula, where doubles overflow on the way by more digits."""
    values = np.array(_at(Expression("", curve.tree), curve.values, points))
    overflown = np.flatnonzero(~np.isfinite(values))
    for index in overflown[:: max(1, len(overflown) // _MOST_EXACT)]:
        values[index] = float(curve.near(float(points[index]), 0)[0])
    if len(overflown) > _MOST_EXACT:
        values[overflown] = np.where(np.isfinite(values[overflown]), values[overflown], np.nan)
    return values


def _at(expression: Expression, values: Mapping[str, Any], points: Array) -> Array:
    used = {name: values[name] for name in expression.names}
    with np.errstate(all="ignore"):
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


def _same(left: Array, right: Array, scale: float, agreement: float = _EQUAL) -> bool:
    """Return whether two samples agree relative to each, or to `scale` where they are small.

    NaN on the left is a point that was not computed.
    """
    known = ~np.isnan(left)
    atol = agreement * min(1.0, scale)
    near = np.isclose(left, right, rtol=agreement, atol=atol, equal_nan=False)
    return bool(np.all(near[known]))


@np.errstate(all="ignore")
def _fit(known: Known, target: Array, points: Array, weights: Array) -> dict[str, float]:
    """Return the parameters of least distance: Levenberg-Marquardt steps within the bounds."""
    names = tuple(known.values)
    low, high = (np.array(ends) for ends in zip(*(known.bounds[n] for n in names), strict=True))
    scale = np.sqrt(weights)

    def residuals(guess: Array) -> Array:
        difference = target - _at(known.expression, dict(zip(names, guess, strict=True)), points)
        return np.nan_to_num(scale * difference, nan=1e3, posinf=1e3, neginf=-1e3)

    guess = np.clip([known.values[name] for name in names], low + 1e-6, high - 1e-6)
    found, damping = residuals(guess), 1e-3
    for _step in range(_STEPS):
        widths = 1e-7 * np.maximum(1.0, np.abs(guess))
        shifted = guess + np.diag(widths)
        jacobian = np.stack([residuals(other) - found for other in shifted], axis=1) / widths
        normal, slope = jacobian.T @ jacobian, jacobian.T @ found
        ridge = damping * np.diag(np.maximum(np.diag(normal), 1e-12))
        following = np.clip(guess - np.linalg.solve(normal + ridge, slope), low, high)
        left = residuals(following)
        if left @ left < found @ found:
            settled = np.max(np.abs(following - guess)) < 1e-13
            guess, found, damping = following, left, max(damping / 10, 1e-12)
            if settled:
                break
        else:
            damping *= 10
            if damping > 1e12:
                break
    return {name: float(f"{value:.9g}") for name, value in zip(names, guess, strict=True)}
