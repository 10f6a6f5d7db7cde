"""The two kinds of number that Taylor arithmetic runs on: mpmath's reals, and numpy's doubles."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import mpmath
import numpy as np

_HUGE = mpmath.mpf(10) ** 40
"""exp(+-x) beyond it is taken as exp(+-_HUGE): a number no sum notices, and that mpmath can hold.

A finite stand-in instead of infinity keeps 0 * infinity out of the derivatives.
"""

_TURNS = mpmath.mpf(10) ** 60
"""sin and cos beyond it are refused: reducing the angle would take as many digits of pi."""


_SATURATED = 10**5
"""tanh beyond it is 1 to tens of thousands of digits; mpmath would fill the memory with them."""

_LARGE = 340.0
"""The same for doubles: the square of exp(_LARGE) is still finite."""


class Algebra(Protocol):
    """Elementary functions of one kind of number, and the choice between two of them."""

    def number(self, text: str) -> Any:
        """Return a decimal literal."""

    def function(self, name: str) -> Callable[[Any], Any]:
        """Return an elementary function by its name in the formula language."""

    def merged(self, condition: Any, then: Any, otherwise: Any) -> Any:
        """Return `then` where the condition holds, `otherwise` elsewhere."""


@lru_cache(maxsize=512)
def _decimal(text: str, precision: int) -> Any:
    with mpmath.workprec(precision):
        return mpmath.mpf(text)


class Reals:
    """mpmath numbers at the working precision; one point at a time, only the taken branch runs."""

    def number(self, text: str) -> Any:
        """Return the decimal at full precision."""
        return _decimal(text, mpmath.mp.prec)

    def function(self, name: str) -> Callable[[Any], Any]:
        """Return the function, safe for arguments of any size."""
        own: Callable[[Any], Any] | None = getattr(self, f"_{name}", None)
        return own or getattr(mpmath, name)

    def merged(self, condition: Any, then: Any, otherwise: Any) -> Any:
        """Return the one that is taken."""
        return then if condition else otherwise

    def _exp(self, x: Any) -> Any:
        return mpmath.exp(min(max(x, -_HUGE), _HUGE))

    def _log(self, x: Any) -> Any:
        return mpmath.log(x) if x > 0 else mpmath.nan

    def _sqrt(self, x: Any) -> Any:
        return mpmath.sqrt(x) if x >= 0 else mpmath.nan

    def _cosh(self, x: Any) -> Any:
        return (self._exp(x) + self._exp(-x)) / 2

    def _sinh(self, x: Any) -> Any:
        return mpmath.sinh(x) if abs(x) < 1 else (self._exp(x) - self._exp(-x)) / 2

    def _tanh(self, x: Any) -> Any:
        return mpmath.tanh(x) if abs(x) < _SATURATED else mpmath.sign(x)

    def _sigmoid(self, x: Any) -> Any:
        decay = self._exp(-abs(x))
        return (1 if x >= 0 else decay) / (1 + decay)

    def _softplus(self, x: Any) -> Any:
        return max(x, mpmath.mpf(0)) + mpmath.log1p(self._exp(-abs(x)))

    def _expm1(self, x: Any) -> Any:
        return mpmath.expm1(x) if abs(x) < 1 else self._exp(x) - 1

    def _log1p(self, x: Any) -> Any:
        return mpmath.log1p(x) if x > -1 else mpmath.nan

    def _sin(self, x: Any) -> Any:
        return mpmath.sin(x) if abs(x) < _TURNS else mpmath.nan

    def _cos(self, x: Any) -> Any:
        return mpmath.cos(x) if abs(x) < _TURNS else mpmath.nan


def _sigmoid(x: Any) -> Any:
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, decay) / (1 + decay)


def _erf(x: Any) -> Any:
    return _EVERY_ERF(x).astype(float)


_EVERY_ERF: Callable[[Any], Any] = np.frompyfunc(math.erf, 1, 1)
_OWN_DOUBLES: dict[str, Callable[[Any], Any]] = {
    "erf": _erf,
    "sigmoid": _sigmoid,
    "softplus": lambda x: np.logaddexp(0.0, x),
}


class Doubles:
    """numpy arrays of float64; both branches are computed, one is taken."""

    def number(self, text: str) -> Any:
        """Return the decimal, rounded."""
        return np.float64(text)

    def function(self, name: str) -> Callable[[Any], Any]:
        """Return the function."""
        if name in _OWN_DOUBLES:
            return _OWN_DOUBLES[name]
        if name == "exp":
            return lambda x: np.exp(np.minimum(x, _LARGE))
        if name in ("cosh", "sinh"):
            bounded: Callable[[Any], Any] = getattr(np, name)
            return lambda x: bounded(np.clip(x, -_LARGE, _LARGE))
        named: Callable[[Any], Any] = getattr(
            np, {"atan": "arctan", "asinh": "arcsinh"}.get(name, name)
        )
        return named

    def merged(self, condition: Any, then: Any, otherwise: Any) -> Any:
        """Return an array that takes each element from one of the two."""
        return np.where(condition, then, otherwise)
