"""A formula with its parameters fixed: sampled in doubles to find things, in reals to be sure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

from actlab.activations.facts.measurable import Measurable
from actlab.activations.facts.taylor import derivatives
from actlab.activations.formula import MpmathBackend, NumpyBackend
from actlab.activations.formula.derivative import switches
from actlab.activations.formula.nodes import Call, Node, depends_on_input, walk
from actlab.errors import ActlabError
from actlab.i18n import _

Array = npt.NDArray[np.float64]

DIGITS = 60
"""Working precision of the reference, in decimal digits."""

_REALS = MpmathBackend()
_DOUBLES = NumpyBackend(largest=340.0)
"""The square of exp(340) is still finite."""


class DomainError(ActlabError):
    """A formula that has no finite value at some real number."""


def not_finite(x: Any) -> DomainError:
    """Return the error for a function that has no finite value at x."""
    message = _("The function must be finite on the whole line, but it is not at x = {x}.")
    return DomainError(message.format(x=mpmath.nstr(mpmath.mpf(x), 6)))


class Curve:
    """A scalar function given by a formula and the values of its parameters.

    >>> from actlab.activations.facts.measurable import pasted
    >>> curve = Curve.of(pasted("x*sigmoid(b*x)", b=1.0))
    >>> float(curve.at(0, order=1)[1])
    0.5
    """

    def __init__(self, tree: Node, values: Mapping[str, float]) -> None:
        self.tree = tree
        self.values = dict(values)

    @classmethod
    def of(cls, function: Measurable) -> Curve:
        """Return the curve of a function."""
        return cls(function.expression.tree, function.values)

    def part(self, tree: Node) -> Curve:
        """Return the curve of a part of the formula."""
        return Curve(tree, self.values)

    def at(self, x: Any, order: int = 0, side: int = 0) -> tuple[Any, ...]:
        """Return f(x), ..., f^(order)(x) in the working precision, from one side of x or at it.

        Raises DomainError where a value is not finite.
        """
        with mpmath.workdps(DIGITS):
            try:
                found = derivatives(self.tree, self.values, mpmath.mpf(x), order, _REALS, side)
            except ZeroDivisionError:
                found = (mpmath.nan,)
            if not all(mpmath.isfinite(value) for value in found):
                raise not_finite(x)
            return found

    def sample(self, xs: Array, order: int) -> tuple[Array, ...]:
        """Return f, ..., f^(order) at many points in double precision; NaN where that fails."""
        with np.errstate(all="ignore"):
            found = derivatives(self.tree, self.values, xs, order, _DOUBLES)
        return tuple(np.broadcast_to(np.asarray(value, dtype=float), xs.shape) for value in found)

    @cached_property
    def scales(self) -> tuple[tuple[float, float], ...]:
        """Return (place, width) of what happens: zeros of inner arguments, and 1 / slope there."""
        found = {(0.0, 1.0)}
        for inner in self._inner():
            part = self.part(inner)
            for low, high in sign_changes(_WIDE, part.sample(_WIDE, 0)[0]):
                place = _bisect(part, low, high)
                slope = abs(float(part.sample(np.array([place]), 1)[1][0]))
                if 0 < slope < np.inf:
                    found.add((place, 1 / slope))
        return tuple(sorted(found))

    def _inner(self) -> tuple[Node, ...]:
        arguments = [
            argument
            for part in walk(self.tree)
            if isinstance(part, Call)
            for argument in part.arguments
            if depends_on_input(argument)
        ]
        return tuple(dict.fromkeys([*arguments, *switches(self.tree)]))

    @cached_property
    def grid(self) -> Array:
        """Return where the curve is looked at: dense near what happens, sparse far out."""
        local = [place + width * _LOCAL for place, width in self.scales]
        return np.unique(np.concatenate([_DENSE, _WIDE, *local]))


_FAR = np.geomspace(64.0, 1e6, 160)
_NEAR = np.geomspace(1e-9, 1e-2, 60)
_WIDE = np.unique(
    np.concatenate([-_FAR, -_NEAR, np.arange(-64.0, 64.25, 0.25), _NEAR, _FAR, [0.0]])
)
_DENSE = np.arange(-20.0, 20.0 + 1 / 64, 1 / 64)
_LOCAL = np.concatenate([np.arange(-40.0, 40.0625, 0.0625), -_NEAR, _NEAR])


def sign_changes(xs: Array, values: Array, noise: float | Array = 0.0) -> list[tuple[float, float]]:
    """Return the pairs of points between which the values change sign.

    Values no larger than `noise` have no sign: a root that falls on a point, or near it, is
    bracketed by the nearest points whose sign is sure.
    """
    sure = np.flatnonzero(np.isfinite(values) & (np.abs(values) > noise))
    left, right = sure[:-1], sure[1:]
    crosses = np.sign(values[left]) != np.sign(values[right])
    pairs = zip(left[crosses], right[crosses], strict=True)
    return [(float(xs[a]), float(xs[b])) for a, b in pairs]


def _bisect(curve: Curve, low: float, high: float) -> float:
    def value(x: float) -> float:
        return float(curve.sample(np.array([x]), 0)[0][0])

    sign = np.sign(value(low))
    for _step in range(80):
        middle = (low + high) / 2
        found = value(middle)
        if found == 0:
            return middle
        low, high = (middle, high) if np.sign(found) == sign else (low, middle)
    return (low + high) / 2


def refine(slope_and_curvature: Callable[[Any], tuple[Any, Any]], low: float, high: float) -> Any:
    """Return the root of g between low and high to the working precision, None without a crossing.

    `slope_and_curvature` returns g and g'. Newton steps, with bisection where one would leave the
    bracket.
    """
    with mpmath.workdps(DIGITS):
        a, b = mpmath.mpf(low), mpmath.mpf(high)
        at_a, at_b = slope_and_curvature(a)[0], slope_and_curvature(b)[0]
        if at_a * at_b > 0 or (at_a == 0 and at_b == 0):
            return None
        if at_a == 0 or at_b == 0:
            return a if at_a == 0 else b
        x = (a + b) / 2
        for _step in range(300):
            value, slope = slope_and_curvature(x)
            if value == 0:
                return x
            a, b = (x, b) if value * at_a > 0 else (a, x)
            step = x - value / slope if slope != 0 else a
            if abs(step - x) <= mpmath.mpf(10) ** (4 - DIGITS) * max(1, abs(x)):
                return x
            following = step if a < step < b else (a + b) / 2
            x = following
        return x
