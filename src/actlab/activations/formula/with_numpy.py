"""The formula language in float64 arrays: quick and vectorised."""

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from actlab.activations.formula.nodes import Number


def _erf(x: Any) -> Any:
    from scipy.special import erf  # imported where needed: it takes longer than all of numpy

    return erf(x)


def _sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)) by the branch whose exponential cannot overflow."""
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, decay) / (1.0 + decay)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "sign": np.sign,
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


class NumpyBackend:
    """Values are float64 arrays or scalars; what is no real number is NaN, without a warning.

    >>> from actlab.activations.formula import parse
    >>> parse("x*sigmoid(x)").evaluate(NumpyBackend(), [-1.0, 0.0, 1.0]).round(4)
    array([-0.2689,  0.    ,  0.7311])
    """

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
