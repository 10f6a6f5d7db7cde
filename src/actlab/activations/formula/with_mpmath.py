"""The formula language in arbitrary precision: the reference for every fact."""

from collections.abc import Callable
from typing import Any

import mpmath

from actlab.activations.formula.nodes import Number

_HUGE = 10**9
"""Beyond exp(+-this) a value counts as infinite or as 0: mpmath would need gigabytes to hold it."""


class MpmathBackend:
    """Values are real numbers of an mpmath context, at its precision when they are evaluated.

    What is no real number is NaN; a division by zero is infinite. One point at a time: only the
    branch that is chosen is evaluated.

    >>> from actlab.activations.formula import parse
    >>> with mpmath.workdps(30):
    ...     print(parse("x*sigmoid(x)").evaluate(MpmathBackend(), -1))
    -0.268941421369995120748840758178
    """

    def __init__(self, context: Any = mpmath.mp) -> None:
        self.context = context

    def input(self, x: Any) -> Any:
        """Return x as a number of the context."""
        return self.context.mpf(x)

    def number(self, literal: Number) -> Any:
        """Return the decimal as written, at full precision."""
        return self.context.mpf(literal.text)

    def constant(self, name: str) -> Any:
        """Return pi or e at full precision."""
        return +self.context.pi if name == "pi" else +self.context.e

    def divide(self, left: Any, right: Any) -> Any:
        """Return left / right; infinite with the sign of left where right is 0."""
        mp = self.context
        if right == 0:
            return mp.nan if left == 0 or mp.isnan(left) else mp.inf * mp.sign(left)
        return mp.mpf(left) / right

    def power(self, left: Any, right: Any) -> Any:
        """Return left ** right; NaN for a broken power of a negative number."""
        mp = self.context
        left, right = mp.mpf(left), mp.mpf(right)
        if right == 2:
            return left * left
        if left == 0:
            return mp.one if right == 0 else (mp.zero if right > 0 else mp.inf)
        whole = mp.isint(right)
        if mp.isnan(left) or mp.isnan(right) or (left < 0 and not whole):
            return mp.nan
        if whole and abs(right) <= 64 and mp.isfinite(left):
            return left ** int(right)
        size = self._exp(right * mp.log(abs(left)))
        return -size if left < 0 and int(right) % 2 else size

    def call(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """Return a function of the language."""
        values = tuple(self.context.mpf(argument) for argument in arguments)
        if any(self.context.isnan(value) for value in values):
            return self.context.nan
        special = getattr(self, f"_{function}", None)
        if special is not None:
            return special(*values)
        return getattr(self.context, function)(*values)

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
        """Return a number of the context."""
        return self.context.mpf(value)

    def _abs(self, x: Any) -> Any:
        return abs(x)

    def _exp(self, x: Any) -> Any:
        if x > _HUGE:
            return self.context.inf
        return self.context.zero if x < -_HUGE else self.context.exp(x)

    def _expm1(self, x: Any) -> Any:
        if abs(x) > 1:
            return self._exp(x) - 1
        return self.context.expm1(x)

    def _log(self, x: Any) -> Any:
        if x <= 0:
            return -self.context.inf if x == 0 else self.context.nan
        return self.context.log(x)

    def _log1p(self, x: Any) -> Any:
        if x <= -1:
            return -self.context.inf if x == -1 else self.context.nan
        return self.context.log1p(x) if self.context.isfinite(x) else x

    def _sqrt(self, x: Any) -> Any:
        return self.context.nan if x < 0 else self.context.sqrt(x)

    def _sinh(self, x: Any) -> Any:
        if abs(x) > 1:
            return (self._exp(x) - self._exp(-x)) / 2
        return self.context.sinh(x)

    def _cosh(self, x: Any) -> Any:
        return (self._exp(x) + self._exp(-x)) / 2

    def _tanh(self, x: Any) -> Any:
        return self.context.sign(x) if abs(x) > _HUGE else self.context.tanh(x)

    def _erf(self, x: Any) -> Any:
        return self.context.sign(x) if abs(x) > _HUGE else self.context.erf(x)

    def _sin(self, x: Any) -> Any:
        return self.context.sin(x) if self.context.isfinite(x) else self.context.nan

    def _cos(self, x: Any) -> Any:
        return self.context.cos(x) if self.context.isfinite(x) else self.context.nan

    def _tan(self, x: Any) -> Any:
        return self.context.tan(x) if self.context.isfinite(x) else self.context.nan

    def _asinh(self, x: Any) -> Any:
        return self.context.asinh(x) if self.context.isfinite(x) else x

    def _sigmoid(self, x: Any) -> Any:
        decay = self._exp(-abs(x))
        return (self.context.one if x >= 0 else decay) / (1 + decay)

    def _softplus(self, x: Any) -> Any:
        return max(x, self.context.zero) + self._log1p(self._exp(-abs(x)))

    def _relu(self, x: Any) -> Any:
        return max(x, self.context.zero)

    def _clip(self, x: Any, low: Any, high: Any) -> Any:
        return min(max(x, low), high)

    def _max(self, *values: Any) -> Any:
        return max(values)

    def _min(self, *values: Any) -> Any:
        return min(values)
