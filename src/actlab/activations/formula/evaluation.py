"""Evaluating a tree with a backend, and the two backends of numbers: NumPy's and mpmath's.

Each has the one table of elementary functions for its kind of number.
"""

import math
import operator
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from typing import Any, Protocol

import mpmath
import numpy as np

from actlab.activations.formula.nodes import (
    Binary,
    Call,
    Choice,
    Comparison,
    Constant,
    Input,
    Logic,
    Negative,
    Node,
    Number,
    Parameter,
    Truth,
    children,
    label,
)

RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class Backend(Protocol):
    """What a kind of number has to offer; values are whatever the backend computes with.

    `as_written`: equal parts of a formula are computed as often as they stand in it, as in a
    program, where automatic differentiation follows each; otherwise once.
    """

    @property
    def as_written(self) -> bool:
        """Whether equal parts are computed as often as they stand in the formula."""

    def input(self, x: Any) -> Any:
        """Return the input as the backend computes with it."""

    def number(self, literal: Number) -> Any:
        """Return a literal."""

    def constant(self, name: str) -> Any:
        """Return pi or e."""

    def divide(self, left: Any, right: Any) -> Any:
        """Return left / right; inf or NaN where right is 0, as IEEE has it."""

    def power(self, left: Any, right: Any) -> Any:
        """Return left ** right; NaN where that is no real number."""

    def call(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """Return a function of the language, other than `where`."""

    def both(self, left: Any, right: Any) -> Any:
        """Return where both truths hold."""

    def either(self, left: Any, right: Any) -> Any:
        """Return where at least one of two truths holds."""

    def choose(self, condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        """Return `then` where the condition holds, `otherwise` elsewhere."""

    def result(self, value: Any, x: Any) -> Any:
        """Return the outcome with the shape and type of the input."""


def evaluate(tree: Node, backend: Backend, x: Any, parameters: Mapping[str, Any]) -> Any:
    """Return the value of the tree at x, computed by the backend."""
    point = backend.input(x)
    tree, repeated = (tree, _NONE) if backend.as_written else _repeated(tree)
    known: dict[int, Any] = {}

    def value(node: Node) -> Any:
        part = repeated.get(id(node))
        if part is None:
            return computed(node)
        if part not in known:
            known[part] = computed(node)
        return known[part]

    def computed(node: Node) -> Any:
        match node:
            case Input():
                return point
            case Number():
                return backend.number(node)
            case Constant(name):
                return backend.constant(name)
            case Parameter(name):
                return parameters[name]
            case Negative(operand):
                return -value(operand)
            case Binary(sign, left, right):
                return _binary(backend, sign, value(left), value(right))
            case Call(function, arguments):
                return backend.call(function, tuple(value(argument) for argument in arguments))
            case Choice(condition, then, otherwise):
                return backend.choose(
                    truth(condition), lambda: value(then), lambda: value(otherwise)
                )

    def truth(node: Truth) -> Any:
        match node:
            case Comparison(relation, left, right):
                return RELATIONS[relation](value(left), value(right))
            case Logic(joiner, left, right):
                join = backend.both if joiner == "and" else backend.either
                return join(truth(left), truth(right))

    return backend.result(value(tree), point)


_NONE: Mapping[int, int] = {}


@lru_cache(maxsize=512)
def _repeated(tree: Node) -> tuple[Node, Mapping[int, int]]:
    """Return the tree, and by the identity of a part of it the number of those that equal it.

    Parts that occur once are left out. An equal tree has other identities, so the one that they
    are of comes with them.
    """
    numbers: dict[tuple[Any, ...], int] = {}
    found: dict[int, int] = {}
    occurrences: Counter[int] = Counter()

    def of_part(node: Node | Truth) -> int:
        if id(node) not in found:
            parts = tuple(map(of_part, children(node)))
            found[id(node)] = numbers.setdefault((type(node), label(node), parts), len(numbers))
        occurrences[found[id(node)]] += 1
        return found[id(node)]

    of_part(tree)
    return tree, {key: part for key, part in found.items() if occurrences[part] > 1}


def _binary(backend: Backend, sign: str, left: Any, right: Any) -> Any:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return backend.divide(left, right)
        case _:
            return backend.power(left, right)


_EVERY_ERF: Callable[[Any], Any] = np.frompyfunc(math.erf, 1, 1)


def _erf(x: Any) -> Any:
    return np.asarray(_EVERY_ERF(x), dtype=float)[()]


def _sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)) by the branch whose exponential cannot overflow."""
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, decay) / (1.0 + decay)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "sign": np.sign,
    "floor": np.floor,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "erf": _erf,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "sigmoid": _sigmoid,
    "softplus": lambda x: np.logaddexp(0.0, x),
    "relu": lambda x: np.maximum(x, 0.0),
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "max": lambda *values: reduce(np.maximum, values),
    "min": lambda *values: reduce(np.minimum, values),
}


_GROWING = ("exp", "sinh", "cosh")


class NumpyBackend:
    """Values are float64 arrays or scalars; what is no real number is NaN, without a warning.

    `largest` bounds the argument of exp, sinh and cosh, so that products of them stay finite.

    >>> from actlab.activations.formula import parse
    >>> parse("x*sigmoid(x)").evaluate(NumpyBackend(), [-1.0, 0.0, 1.0]).round(4)
    array([-0.2689,  0.    ,  0.7311])
    """

    as_written = False

    def __init__(self, largest: float = math.inf) -> None:
        self._largest = largest

    def input(self, x: Any) -> Any:
        """Return x as a float64 array."""
        return np.asarray(x, dtype=np.float64)

    def number(self, literal: Number) -> Any:
        """Return the literal as float64."""
        return np.float64(literal.value)

    def constant(self, name: str) -> Any:
        """Return pi or e as float64."""
        return np.float64(math.pi if name == "pi" else math.e)

    def divide(self, left: Any, right: Any) -> Any:
        """Return left / right."""
        with np.errstate(all="ignore"):
            return np.divide(left, right)

    def power(self, left: Any, right: Any) -> Any:
        """Return left ** right."""
        with np.errstate(all="ignore"):
            return np.power(left, right)

    def call(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """Return a function of the language."""
        with np.errstate(all="ignore"):
            if function in _GROWING and self._largest < math.inf:
                least = -math.inf if function == "exp" else -self._largest
                arguments = (np.clip(arguments[0], least, self._largest),)
            return _FUNCTIONS[function](*arguments)

    def both(self, left: Any, right: Any) -> Any:
        """Return where both truths hold."""
        return np.logical_and(left, right)

    def either(self, left: Any, right: Any) -> Any:
        """Return where at least one of two truths holds."""
        return np.logical_or(left, right)

    def choose(self, condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        """Return `then` where the condition holds, `otherwise` elsewhere."""
        return np.where(condition, then(), otherwise())

    def result(self, value: Any, x: Any) -> Any:
        """Return an array of the shape of x."""
        return np.broadcast_to(value, np.shape(x)).copy()[()]


_HUGE = mpmath.mpf(10) ** 40
"""exp(+-x) beyond it is taken as exp(+-_HUGE): a number no sum notices, and that mpmath can hold.

A finite stand-in instead of infinity keeps 0 * infinity out of derivatives.
"""

_TURNS = mpmath.mpf(10) ** 1000
"""sin and cos beyond it are refused: reducing the angle would take as many digits of pi.

It is beyond the cube of every double, as in sin(x^3).
"""

_SATURATED = 10**5
"""tanh and erf beyond it are 1 to tens of thousands of digits, which mpmath would compute."""


@lru_cache(maxsize=512)
def _decimal(text: str, precision: int) -> Any:
    with mpmath.workprec(precision):
        return mpmath.mpf(text)


class MpmathBackend:
    """Values are mpmath's real numbers, at its precision when they are evaluated.

    What is no real number is NaN; a division by zero is infinite. One point at a time: only the
    branch that is chosen is evaluated.

    >>> from actlab.activations.formula import parse
    >>> with mpmath.workdps(30):
    ...     print(parse("x*sigmoid(x)").evaluate(MpmathBackend(), -1))
    -0.268941421369995120748840758178
    """

    as_written = False

    def input(self, x: Any) -> Any:
        """Return x as a number of mpmath."""
        return mpmath.mpf(x)

    def number(self, literal: Number) -> Any:
        """Return the decimal as written, at full precision."""
        return _decimal(literal.text, mpmath.mp.prec)

    def constant(self, name: str) -> Any:
        """Return pi or e at full precision."""
        return +mpmath.pi if name == "pi" else +mpmath.e

    def divide(self, left: Any, right: Any) -> Any:
        """Return left / right; infinite with the sign of left where right is 0."""
        if right == 0:
            return mpmath.nan if left == 0 or mpmath.isnan(left) else mpmath.inf * mpmath.sign(left)
        return mpmath.mpf(left) / right

    def power(self, left: Any, right: Any) -> Any:
        """Return left ** right; NaN for a broken power of a negative number."""
        left, right = mpmath.mpf(left), mpmath.mpf(right)
        if right == 2:
            return left * left
        if left == 0:
            return mpmath.mpf(1) if right == 0 else (mpmath.mpf(0) if right > 0 else mpmath.inf)
        whole = mpmath.isint(right)
        if mpmath.isnan(left) or mpmath.isnan(right) or (left < 0 and not whole):
            return mpmath.nan
        if whole and abs(right) <= 64 and mpmath.isfinite(left):
            return left ** int(right)
        size = self._exp(right * mpmath.log(abs(left)))
        return -size if left < 0 and int(right) % 2 else size

    def call(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """Return a function of the language."""
        values = tuple(mpmath.mpf(argument) for argument in arguments)
        if any(mpmath.isnan(value) for value in values):
            return mpmath.nan
        special = getattr(self, f"_{function}", None)
        if special is not None:
            return special(*values)
        return getattr(mpmath.mp, function)(*values)

    def both(self, left: bool, right: bool) -> bool:
        """Return whether both truths hold."""
        return left and right

    def either(self, left: bool, right: bool) -> bool:
        """Return whether at least one of two truths holds."""
        return left or right

    def choose(self, condition: bool, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        """Return the branch that the condition asks for."""
        return then() if condition else otherwise()

    def result(self, value: Any, x: Any) -> Any:  # noqa: ARG002  the protocol's shape
        """Return a number of mpmath."""
        return mpmath.mpf(value)

    def _abs(self, x: Any) -> Any:
        return abs(x)

    def _exp(self, x: Any) -> Any:
        if mpmath.isinf(x):
            return mpmath.inf if x > 0 else mpmath.mpf(0)
        return mpmath.exp(min(max(x, -_HUGE), _HUGE))

    def _expm1(self, x: Any) -> Any:
        if abs(x) > 1:
            return self._exp(x) - 1
        return mpmath.expm1(x)

    def _log(self, x: Any) -> Any:
        if x <= 0:
            return -mpmath.inf if x == 0 else mpmath.nan
        return mpmath.log(x)

    def _log1p(self, x: Any) -> Any:
        if x <= -1:
            return -mpmath.inf if x == -1 else mpmath.nan
        return mpmath.log1p(x) if mpmath.isfinite(x) else x

    def _sqrt(self, x: Any) -> Any:
        return mpmath.nan if x < 0 else mpmath.sqrt(x)

    def _sinh(self, x: Any) -> Any:
        if abs(x) > 1:
            return (self._exp(x) - self._exp(-x)) / 2
        return mpmath.sinh(x)

    def _cosh(self, x: Any) -> Any:
        return (self._exp(x) + self._exp(-x)) / 2

    def _tanh(self, x: Any) -> Any:
        return mpmath.sign(x) if abs(x) > _SATURATED else mpmath.tanh(x)

    def _erf(self, x: Any) -> Any:
        return mpmath.sign(x) if abs(x) > _SATURATED else mpmath.erf(x)

    def _floor(self, x: Any) -> Any:
        return mpmath.floor(x) if mpmath.isfinite(x) else x

    def _sin(self, x: Any) -> Any:
        return mpmath.sin(x) if abs(x) < _TURNS else mpmath.nan

    def _cos(self, x: Any) -> Any:
        return mpmath.cos(x) if abs(x) < _TURNS else mpmath.nan

    def _tan(self, x: Any) -> Any:
        return mpmath.tan(x) if abs(x) < _TURNS else mpmath.nan

    def _asinh(self, x: Any) -> Any:
        return mpmath.asinh(x) if mpmath.isfinite(x) else x

    def _sigmoid(self, x: Any) -> Any:
        decay = self._exp(-abs(x))
        return (mpmath.mpf(1) if x >= 0 else decay) / (1 + decay)

    def _softplus(self, x: Any) -> Any:
        return max(x, mpmath.mpf(0)) + self._log1p(self._exp(-abs(x)))

    def _relu(self, x: Any) -> Any:
        return max(x, mpmath.mpf(0))

    def _clip(self, x: Any, low: Any, high: Any) -> Any:
        return min(max(x, low), high)

    def _max(self, *values: Any) -> Any:
        return max(values)

    def _min(self, *values: Any) -> Any:
        return min(values)
