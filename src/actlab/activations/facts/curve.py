"""A formula with its parameters fixed: sampled in doubles to find things, in reals to be sure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

from actlab.activations.facts.measurable import Measurable
from actlab.activations.facts.taylor import derivatives
from actlab.activations.formula import MpmathBackend, NumpyBackend
from actlab.activations.formula.derivative import derivative, switches
from actlab.activations.formula.evaluation import evaluate
from actlab.activations.formula.nodes import (
    Binary,
    Call,
    Node,
    depends_on_input,
    walk,
    without_roots_of_squares,
)
from actlab.errors import ActlabError
from actlab.i18n import _

Array = npt.NDArray[np.float64]

DIGITS = 60
"""Working precision of the reference, in decimal digits."""

_REALS = MpmathBackend()
_DOUBLES = NumpyBackend(largest=340.0)
"""The square of exp(340) is still finite."""


_WORK = 4_000_000
"""How much a formula may cost: parts evaluated, counted with the derivatives asked for."""

_MOST_SCALES = 200
_CLOSE_BY = 250
"""Digits for derivatives next to a 0 / 0, which lose as many as the distance has zeros."""

_TOO_LARGE = 1e150
_END = 1e100


class MeasurementError(ActlabError):
    """A formula of which no facts can be given."""


class DomainError(MeasurementError):
    """A formula that has no finite value at some real number."""


def too_much() -> MeasurementError:
    """Return the error for a function on which too much happens."""
    message = _(
        "Too much happens on this function to measure it: it oscillates or switches without end, "
        "or is too long."
    )
    return MeasurementError(message)


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

    def __init__(
        self, tree: Node, values: Mapping[str, float], work: list[int] | None = None
    ) -> None:
        self.tree = without_roots_of_squares(tree)
        self.values = dict(values)
        self._work = [0] if work is None else work
        self._parts = sum(1 for _part in walk(tree))

    @classmethod
    def of(cls, function: Measurable) -> Curve:
        """Return the curve of a function."""
        return cls(function.expression.tree, function.values)

    def part(self, tree: Node) -> Curve:
        """Return the curve of a part of the formula."""
        return Curve(tree, self.values, self._work)

    def at(self, x: Any, order: int = 0, side: int = 0) -> tuple[Any, ...]:
        """Return f(x), ..., f^(order)(x) in the working precision, from one side of x or at it.

        Raises DomainError where a value is not finite, MeasurementError where it costs too much.
        """
        found = self._jet(x, order, side)
        if not all(mpmath.isfinite(value) for value in found):
            # x + sqrt(x^2 + 1) cancels far out.
            found = self._jet(x, order, side, 3 * DIGITS)
        if not all(mpmath.isfinite(value) for value in found):
            raise not_finite(x)
        return found

    def near(self, x: Any, order: int) -> tuple[Any, ...]:
        """Return f(x), ..., f^(order)(x); NaN for a derivative that the formula does not have."""
        found = self._jet(x, order, 0)
        if not mpmath.isfinite(found[0]):
            raise not_finite(x)
        return found

    def from_side(self, x: Any, order: int, side: int) -> tuple[Any, ...]:
        """Return the limits of f, ..., f^(order) from one side of x; infinite where they grow.

        Where the formula itself has no derivative at x (a root of 0, an exp(-1 / 0)) they are
        read off next to it, to 15 digits. Raises DomainError where f has no finite limit.
        """
        found = self._jet(x, order, side)
        if not all(mpmath.isfinite(value) for value in found):
            near = self._approached(x, order, side)
            # A value that is there is not read off next to it: |x|^0.1 is slow on its way to 0.
            found = (found[0], *near[1:]) if mpmath.isfinite(found[0]) else near
        if not mpmath.isfinite(found[0]):
            raise not_finite(x)
        return found

    def _approached(self, x: Any, order: int, side: int) -> tuple[Any, ...]:
        with mpmath.workdps(_CLOSE_BY):
            rows = [
                self._jet(mpmath.mpf(x) + side * mpmath.mpf(10) ** -away, order, 0, _CLOSE_BY)
                for away in (18, 20, 22)
            ]
            return tuple(_settled(values) for values in zip(*rows, strict=True))

    def _jet(self, x: Any, order: int, side: int, digits: int = DIGITS) -> tuple[Any, ...]:
        self._spend(self._parts * (order + 1) ** 2)
        with mpmath.workdps(digits):
            try:
                return derivatives(self.tree, self.values, mpmath.mpf(x), order, _REALS, side)
            except (ZeroDivisionError, OverflowError, ValueError):
                value = self._jet(x, 0, side)[0] if order else mpmath.nan
                return (value, *[mpmath.nan] * order)

    def _spend(self, work: int) -> None:
        self._work[0] += work
        if self._work[0] > _WORK:
            raise too_much()

    def sample(self, xs: Array, order: int) -> tuple[Array, ...]:
        """Return f, ..., f^(order) at many points in double precision; NaN where that fails."""
        self._spend(self._parts * (order + 1) * len(xs) // 2000)
        with np.errstate(all="ignore"):
            found = derivatives(self.tree, self.values, xs, order, _DOUBLES)
        return tuple(np.broadcast_to(np.asarray(value, dtype=float), xs.shape) for value in found)

    @cached_property
    def scales(self) -> tuple[tuple[float, float], ...]:
        """Return (place, width) of what happens: zeros of inner arguments, and 1 / slope there.

        Of straight lines and parabolas they are computed, wherever they are; other arguments are
        searched for them up to 1e6. A parabola's vertex is one, too: that of exp(-x^2).
        """
        found = {(0.0, 1.0)}
        for inner in self._inner():
            exact = _polynomial_scales(inner, self.values)
            found |= self._searched(inner) if exact is None else exact
            if len(found) > _MOST_SCALES:
                raise too_much()
        return tuple(sorted(found))

    def _searched(self, inner: Node) -> set[tuple[float, float]]:
        part, found = self.part(inner), set()
        for low, high in sign_changes(_WIDE, part.sample(_WIDE, 0)[0])[:_MOST_SCALES]:
            place = _bisect(part, low, high)
            slope = abs(float(part.sample(np.array([place]), 1)[1][0]))
            if 0 < slope < np.inf:
                found.add((place, 1 / slope))
        return found

    @cached_property
    def far(self) -> float:
        """Return beyond which distance from 0 nothing happens any more, as far as is known."""
        return max(abs(place) + 40 * width for place, width in self.scales if width < 1e100)

    @cached_property
    def unit(self) -> float:
        """Return the size of f and f' where something happens, at most 1: what is small here."""
        value, slope = self.sample(self.grid, 1)
        sizes = np.abs(np.concatenate([value, slope]))
        finite = sizes[np.isfinite(sizes)]
        near_1 = [abs(number) for side in (-1, 1) for number in self._jet(side, 1, 0)]
        if not len(finite) or any(number > _TOO_LARGE for number in near_1):
            message = _("The function is too large to be measured in double precision.")
            raise MeasurementError(message)
        return min(1.0, float(finite.max())) or 1.0

    def _inner(self) -> tuple[Node, ...]:
        arguments = [
            argument
            for part in walk(self.tree)
            if isinstance(part, Call)
            for argument in part.arguments
        ]
        bases = [
            part.left if part.operator == "**" else part.right
            for part in walk(self.tree)
            if isinstance(part, Binary) and part.operator in ("**", "/")
        ]
        inner = [part for part in (*arguments, *bases) if depends_on_input(part)]
        return tuple(dict.fromkeys([*inner, *switches(self.tree)]))

    @cached_property
    def grid(self) -> Array:
        """Return where the curve is looked at: dense near what happens, sparse far out."""
        local = [place + width * _LOCAL for place, width in self.scales]
        # Far out, doubles are wider apart than what happens there.
        local += [place * _BESIDE for place, width in self.scales if abs(place) > 1e9 * width]
        return np.unique(np.concatenate([_DENSE, _WIDE, *local]))


def _settled(values: Sequence[Any]) -> Any:
    """Return the limit of values at steps that shrink a hundredfold, infinity where they grow."""
    first, second, third = values
    if not all(mpmath.isfinite(value) for value in values):
        return mpmath.nan
    if abs(third) > 2 * abs(second) > 4 * abs(first) and abs(third) > 1e3:
        return mpmath.inf * mpmath.sign(third)
    if abs(third) < mpmath.mpf(10) ** -8 and abs(third) <= abs(second):
        return mpmath.mpf(0)
    return mpmath.mpf(mpmath.nstr(third, 15))


def _polynomial_scales(inner: Node, values: Mapping[str, float]) -> set[tuple[float, float]] | None:
    """Return the scales of a straight line or a parabola, None for anything else."""
    slope = derivative(inner)
    curvature = derivative(slope)
    if depends_on_input(curvature) or any(isinstance(part, Call) for part in walk(inner)):
        return None
    with mpmath.workdps(DIGITS):
        given = {name: mpmath.mpf(value) for name, value in values.items()}
        try:
            at_0, slope_0, bend = (
                evaluate(tree, _REALS, 0, given) for tree in (inner, slope, curvature)
            )
            return _scales_of(at_0, slope_0, bend)
        except (ZeroDivisionError, OverflowError, ValueError):
            return None


def _scales_of(at_0: Any, slope_0: Any, bend: Any) -> set[tuple[float, float]]:
    if bend == 0:
        roots = [(-at_0 / slope_0, 1 / abs(slope_0))] if slope_0 != 0 else []
    else:
        vertex = -slope_0 / bend
        least = at_0 + slope_0 * vertex / 2
        roots = [(vertex, mpmath.sqrt(2 * max(1, abs(least)) / abs(bend)))]
        if -least / bend > 0:
            half = mpmath.sqrt(-2 * least / bend)
            roots += [(vertex + side * half, 1 / (abs(bend) * half)) for side in (-1, 1)]
    found = {(float(place), float(width)) for place, width in roots}
    if any(max(abs(place), width) >= _END for place, width in found):
        message = _("Something happens on this function near the end of double precision.")
        raise MeasurementError(message)
    return {(place, width) for place, width in found if width > 0}


_FAR = np.geomspace(64.0, 1e6, 160)
_NEAR = np.geomspace(1e-9, 1e-2, 60)
_WIDE = np.unique(
    np.concatenate([-_FAR, -_NEAR, np.arange(-64.0, 64.25, 0.25), _NEAR, _FAR, [0.0]])
)
_DENSE = np.arange(-20.0, 20.0 + 1 / 64, 1 / 64)
_BESIDE = 1 + np.concatenate([-np.geomspace(1e-12, 0.5, 24), np.geomspace(1e-12, 0.5, 24)])
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


def rounding(xs: Array, slopes: Array) -> Array:
    """Return what rounding leaves in doubles of a value that is 0, where it has these slopes.

    0.1*x - 0.03 is a sum of numbers of the size of its slope times x, each rounded.
    """
    return 4 * np.finfo(float).eps * np.abs(xs * np.nan_to_num(slopes, posinf=0.0, neginf=0.0))


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
    bracket, and where g' is 0 or infinite.
    """
    with mpmath.workdps(DIGITS):
        a, b = mpmath.mpf(low), mpmath.mpf(high)
        at_a, at_b = slope_and_curvature(a)[0], slope_and_curvature(b)[0]
        # sin(pi x) at a whole x is what rounding leaves of it.
        least = mpmath.mpf(10) ** (8 - DIGITS) * max(abs(at_a), abs(at_b))
        at_a, at_b = (0 if abs(value) <= least else value for value in (at_a, at_b))
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
            following = (a + b) / 2
            if slope != 0 and mpmath.isfinite(slope):
                step = value / slope
                if abs(step) <= mpmath.mpf(10) ** (4 - DIGITS) * max(1, abs(x)):
                    return x
                following = x - step if a < x - step < b else following
            x = following
        return x
