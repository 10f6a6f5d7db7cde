"""Taylor arithmetic: a formula's value and derivatives at a point, by the rules of calculus.

A jet holds f(x), f'(x), f''(x) / 2, ... It needs no step width, works for every order, and at a
point where the formula switches branches it can follow either side, so that one-sided derivatives
come out exactly. (Griewank & Walther 2008, Evaluating Derivatives, chapter 13.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actlab.activations.formula.evaluation import Backend, evaluate
from actlab.activations.formula.nodes import Node, Number, literal, number

_GREATEST_POWER = 1024
_ROUNDING = 1e-40
"""At a switch that was located to the working precision, less than this counts as zero."""


@dataclass(frozen=True, eq=False, slots=True)
class Jet:
    """Taylor coefficients c[k] = f^(k)(x) / k!; `side` is from where a switch is approached.

    With side +1 or -1 two jets compare as the functions do just right or left of x; with side 0
    as their values at x.
    """

    coefficients: tuple[Any, ...]
    numbers: Backend
    side: int

    def like(self, coefficients: Sequence[Any]) -> Jet:
        """Return a jet of the same kind."""
        return Jet(tuple(coefficients), self.numbers, self.side)

    def constant(self, value: Any) -> Jet:
        """Return the jet of a number."""
        return self.like([value, *[value * 0] * (len(self.coefficients) - 1)])

    def __neg__(self) -> Jet:
        return self.like([-c for c in self.coefficients])

    def __add__(self, other: Jet) -> Jet:
        return self.like(
            [a + b for a, b in zip(self.coefficients, other.coefficients, strict=True)]
        )

    def __sub__(self, other: Jet) -> Jet:
        return self.like(
            [a - b for a, b in zip(self.coefficients, other.coefficients, strict=True)]
        )

    def __mul__(self, other: Jet) -> Jet:
        a, b = self.coefficients, other.coefficients
        return self.like([_convolve(a, b, k) for k in range(len(a))])

    def __truediv__(self, other: Jet) -> Jet:
        a, b = self.coefficients, other.coefficients
        quotient: list[Any] = []
        for k in range(len(a)):
            rest = sum((quotient[j] * b[k - j] for j in range(k)), start=a[k] * 0)
            quotient.append((a[k] - rest) / b[0])
        return self.like(quotient)

    def _order(self, other: Jet) -> Any:
        """Return what is positive where self exceeds other on the side that is asked for."""
        difference = self - other
        leading = difference.coefficients[0]
        if self.side == 0:
            return leading
        for k, coefficient in enumerate(difference.coefficients):
            if abs(coefficient) > _ROUNDING:
                return coefficient * self.side**k
        return leading * 0

    def __lt__(self, other: Jet) -> Any:
        return self._order(other) < 0

    def __le__(self, other: Jet) -> Any:
        return self._order(other) <= 0

    def __gt__(self, other: Jet) -> Any:
        return self._order(other) > 0

    def __ge__(self, other: Jet) -> Any:
        return self._order(other) >= 0

    def __eq__(self, other: object) -> Any:
        return self._order(other) == 0 if isinstance(other, Jet) else NotImplemented

    def __ne__(self, other: object) -> Any:
        return self._order(other) != 0 if isinstance(other, Jet) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def choose(self, condition: Any, then: Callable[[], Jet], otherwise: Callable[[], Jet]) -> Jet:
        """Return the jet that is `then` where the condition holds, `otherwise` elsewhere."""
        return chosen(self.numbers, condition, then, otherwise)

    def compose(self, value: Any, slope: Callable[[Jet], Jet]) -> Jet:
        """Return g(self), from its value at c[0] and g' as a function of jets.

        g(u)' = g'(u) u', so coefficient k follows from the coefficients of g'(u) below k.
        """
        u = self.coefficients
        if len(u) == 1:
            return self.like([value])
        lower = slope(self.like(u[:-1])).coefficients
        found = [value]
        for k in range(1, len(u)):
            terms = (j * u[j] * lower[k - j] for j in range(1, k + 1))
            found.append(sum(terms, start=value * 0) / k)
        return self.like(found)

    def exponential(self, value: Any) -> Jet:
        """Return exp(self), from its value at c[0]: exp(u)' = exp(u) u' gives one after another."""
        u, found = self.coefficients, [value]
        for k in range(1, len(u)):
            terms = (j * u[j] * found[k - j] for j in range(1, k + 1))
            found.append(sum(terms, start=value * 0) / k)
        return self.like(found)


def chosen(
    numbers: Backend, condition: Any, then: Callable[[], Jet], otherwise: Callable[[], Jet]
) -> Jet:
    """Return one of two jets; of a condition with several truths each place takes its own."""
    if _is_scalar(condition):
        return then() if condition else otherwise()
    first, second = then(), otherwise()
    pairs = zip(first.coefficients, second.coefficients, strict=True)
    return first.like(
        [numbers.choose(condition, lambda a=a: a, lambda b=b: b) for a, b in pairs]  # type: ignore[misc]
    )


def _convolve(a: Sequence[Any], b: Sequence[Any], k: int) -> Any:
    return sum((a[j] * b[k - j] for j in range(1, k + 1)), start=a[0] * b[k])


class JetBackend:
    """Evaluates a formula in jets whose coefficients another backend computes."""

    as_written = False

    def __init__(self, numbers: Backend, order: int, side: int = 0) -> None:
        self._numbers = numbers
        self._order = order
        self._side = side
        self._logarithms: dict[int, tuple[Jet, Jet]] = {}

    def constant_jet(self, value: Any) -> Jet:
        """Return the jet of a number."""
        zeros = [value * 0] * self._order
        return Jet((value, *zeros), self._numbers, self._side)

    def input(self, x: Any) -> Jet:
        """Return the jet of the input itself: x + h."""
        rest = [x * 0 + 1, *[x * 0] * (self._order - 1)][: self._order]
        return Jet((x, *rest), self._numbers, self._side)

    def number(self, literal: Number) -> Jet:
        """Return the jet of a literal."""
        return self.constant_jet(self._numbers.number(literal))

    def constant(self, name: str) -> Jet:
        """Return the jet of pi or e."""
        return self.constant_jet(self._numbers.constant(name))

    def divide(self, left: Jet, right: Jet) -> Jet:
        """Return left / right."""
        return left / right

    def power(self, left: Jet, right: Jet) -> Jet:
        """Return left ** right; by products where the exponent is a small whole number."""
        base, exponent = left.coefficients[0], right.coefficients[0]
        if len(left.coefficients) == 1:
            return left.like([self._numbers.power(base, exponent)])
        fixed = all(_is_zero(c) for c in right.coefficients[1:])
        whole = fixed and _is_scalar(exponent) and float(exponent).is_integer()
        if whole and abs(exponent) <= _GREATEST_POWER:
            product, square = self.number(number(1)), left
            rest = abs(int(exponent))
            while rest:
                product = product * square if rest % 2 else product
                rest //= 2
                square = square * square if rest else square
            return self.number(number(1)) / product if exponent < 0 else product
        # Powers of one base share its logarithm; the base is kept, so that no other gets its id.
        if id(left) not in self._logarithms:
            self._logarithms[id(left)] = (left, self.call("log", (left,)))
        return self.call("exp", (right * self._logarithms[id(left)][1],))

    def call(self, function: str, arguments: tuple[Jet, ...]) -> Jet:
        """Return a function of the language, other than `where`."""
        if function in _SWITCHES:
            return _SWITCHES[function](*arguments)
        (u,) = arguments
        value = self._numbers.call(function, (u.coefficients[0],))
        if function == "exp":
            return u.exponential(value)
        return u.compose(value, lambda lower: self._slope(function, lower))

    def _slope(self, function: str, u: Jet) -> Jet:
        """Return the derivative of an elementary function at u, in a form without cancellation."""
        one, call = u.constant(self._numbers.number(number(1))), self.call
        match function:
            case "expm1":
                return call("exp", (u,))
            case "log":
                return one / u
            case "log1p":
                return one / (one + u)
            case "sqrt":
                root = call("sqrt", (u,))
                return one / (root + root)
            case "erf":
                four = u.constant(self._numbers.number(number(4)))
                pi = u.constant(self._numbers.constant("pi"))
                return call("sqrt", (four / pi,)) * call("exp", (-(u * u),))
            case "sin":
                return call("cos", (u,))
            case "cos":
                return -call("sin", (u,))
            case "tan":
                cosine = call("cos", (u,))
                return one / (cosine * cosine)
            case "atan":
                return one / (one + u * u)
            case "asinh":
                return one / call("sqrt", (one + u * u,))
            case "sinh":
                return call("cosh", (u,))
            case "cosh":
                return call("sinh", (u,))
            case "tanh":
                cosh = call("cosh", (u,))
                return one / (cosh * cosh)
            case "sigmoid":
                return call("sigmoid", (u,)) * call("sigmoid", (-u,))
            case "softplus":
                return call("sigmoid", (u,))
        raise AssertionError(f"the formula language has no function {function!r}")

    def both(self, left: Any, right: Any) -> Any:
        """Return where both truths hold."""
        return left & right

    def either(self, left: Any, right: Any) -> Any:
        """Return where at least one of two truths holds."""
        return left | right

    def choose(self, condition: Any, then: Callable[[], Jet], otherwise: Callable[[], Jet]) -> Jet:
        """Return the branch that the condition asks for."""
        return chosen(self._numbers, condition, then, otherwise)

    def result(self, value: Jet, x: Jet) -> Jet:  # noqa: ARG002  the protocol's shape
        """Return the jet as it is."""
        return value


def _is_zero(value: Any) -> bool:
    return _is_scalar(value) and value == 0


def _is_scalar(value: Any) -> bool:
    return getattr(value, "ndim", 0) == 0


def _maximum(*jets: Jet) -> Jet:
    largest = jets[0]
    for jet in jets[1:]:
        largest = _larger(largest, jet)
    return largest


def _larger(left: Jet, right: Jet) -> Jet:
    return left.choose(left >= right, lambda: left, lambda: right)


def _minimum(*jets: Jet) -> Jet:
    return -_maximum(*(-jet for jet in jets))


def _relu(u: Jet) -> Jet:
    zero = u - u
    return u.choose(u > zero, lambda: u, lambda: zero)


def _abs(u: Jet) -> Jet:
    zero = u - u
    return u.choose(u >= zero, lambda: u, lambda: -u)


def _sign(u: Jet) -> Jet:
    zero = u - u
    one = u.constant(u.coefficients[0] * 0 + 1)
    return u.choose(u > zero, lambda: one, lambda: u.choose(u < zero, lambda: -one, lambda: zero))


def _floor(u: Jet) -> Jet:
    value = u.numbers.call("floor", (u.coefficients[0],))
    if u.side != 0 and _is_scalar(value):
        nearest = u.numbers.call("floor", (u.coefficients[0] + 0.5,))
        if abs(nearest - u.coefficients[0]) < _ROUNDING:
            value = nearest if u >= u.constant(nearest) else nearest - 1
    return u.constant(value)


def _clip(u: Jet, low: Jet, high: Jet) -> Jet:
    return _minimum(_maximum(u, low), high)


_SWITCHES: Mapping[str, Callable[..., Jet]] = {
    "abs": _abs,
    "clip": _clip,
    "floor": _floor,
    "max": _maximum,
    "min": _minimum,
    "relu": _relu,
    "sign": _sign,
}


def derivatives(
    tree: Node, values: Mapping[str, float], x: Any, order: int, numbers: Backend, side: int = 0
) -> tuple[Any, ...]:
    """Return f(x), f'(x), ..., f^(order)(x) of the formula.

    >>> import mpmath
    >>> from actlab.activations.formula import MpmathBackend, parse
    >>> tree = parse("abs(x)").tree
    >>> [int(c) for c in derivatives(tree, {}, mpmath.mpf(0), 1, MpmathBackend(), side=-1)]
    [0, -1]
    """
    backend = JetBackend(numbers, order, side)
    constants = {name: evaluate(literal(float(v)), backend, x, {}) for name, v in values.items()}
    jet: Jet = evaluate(tree, backend, x, constants)
    return tuple(c * math.factorial(k) for k, c in enumerate(jet.coefficients))
