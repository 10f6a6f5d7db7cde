"""Closed intervals and their arithmetic."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from actlab.text import significant

INF = math.inf


@dataclass(frozen=True)
class Interval:
    """A closed interval; both ends may be infinite."""

    low: float = -INF
    high: float = INF

    @property
    def bounded(self) -> bool:
        """Return whether both ends are finite."""
        return self.low > -INF and self.high < INF

    @property
    def whole(self) -> bool:
        """Return whether nothing is known."""
        return self.low == -INF and self.high == INF

    @property
    def width(self) -> float:
        """Return the distance between the ends."""
        return self.high - self.low

    def within(self, low: float, high: float, slack: float = 1e-6) -> bool:
        """Return whether the interval lies in [low, high]."""
        return self.low >= low - slack and self.high <= high + slack

    def __str__(self) -> str:
        return f"[{significant(self.low, 3)}, {significant(self.high, 3)}]"


WHOLE = Interval()
UNIT = Interval(0.0, 1.0)


def joined(a: Interval, b: Interval) -> Interval:
    """Return the smallest interval that holds both."""
    return Interval(min(a.low, b.low), max(a.high, b.high))


def _add(a: Interval, b: Interval) -> Interval:
    return Interval(a.low + b.low, a.high + b.high)


def _sub(a: Interval, b: Interval) -> Interval:
    return Interval(a.low - b.high, a.high - b.low)


def _mul(a: Interval, b: Interval) -> Interval:
    ends = [times(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(min(ends), max(ends))


def times(x: float, y: float) -> float:
    """Return x * y, with 0 times infinity 0."""
    return 0.0 if x == 0.0 or y == 0.0 else x * y


def div(a: Interval, b: Interval) -> Interval:
    """Return the interval of the quotients."""
    if b.low > 0 or b.high < 0:
        return _mul(a, Interval(_inverse(b.high), _inverse(b.low)))
    if b.low >= 0 and a.low >= 0:
        return Interval(0.0, INF)
    return WHOLE


def _inverse(x: float) -> float:
    return 0.0 if math.isinf(x) else 1.0 / x


BINARY: dict[str, Callable[[Interval, Interval], Interval]] = {
    "add": _add,
    "sub": _sub,
    "rsub": lambda a, b: _sub(b, a),
    "mul": _mul,
    "div": div,
    "rdiv": lambda a, b: div(b, a),
}
"""Operations on two operands; those with r take them the other way round."""
