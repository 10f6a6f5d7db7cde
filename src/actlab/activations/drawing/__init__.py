"""Pictures of functions: what is drawn, as finished values; `picture` gathers them.

Pages are drawn by the kit's script, PNG and SVG by matplotlib, which needs no browser.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from gettext import NullTranslations

from actlab.activations.facts.kinks import Break
from actlab.text import significant


@dataclass(frozen=True)
class Line:
    """One output of a function: f and f' at the same x; NaN breaks a line at a jump."""

    x: Sequence[float]
    value: Sequence[float]
    slope: Sequence[float]
    label: str = ""


@dataclass(frozen=True)
class Surface:
    """A function of a gate and a value on a grid: `heights` has a row for each value."""

    gate: Sequence[float]
    value: Sequence[float]
    heights: Sequence[Sequence[float]]


@dataclass(frozen=True)
class DrawnFunction:
    """What a picture shows of one function.

    A scalar function has one line; a structural one has one for each output that is drawn, and
    `note` says which input is swept. `minimum` is (x, y) where it is attained at one point; the
    ends of the range are None where no range is known. A gated function has its slices as lines,
    and a surface.
    """

    name: str
    lines: tuple[Line, ...]
    kinks: tuple[Break, ...] = ()
    minimum: tuple[float, float] | None = None
    range_low: float | None = None
    range_high: float | None = None
    low_attained: bool = False
    high_attained: bool = False
    note: str = ""
    surface: Surface | None = None

    @property
    def range_text(self) -> str:
        """Return the range as an interval; a square bracket means that the end is attained.

        >>> line = Line((), (), ())
        >>> DrawnFunction("relu", (line,), range_low=0.0, range_high=math.inf,
        ...               low_attained=True).range_text
        '[0, ∞)'
        """
        if self.range_low is None or self.range_high is None:
            return ""
        left, right = "[" if self.low_attained else "(", "]" if self.high_attained else ")"
        return f"{left}{significant(self.range_low)}, {significant(self.range_high)}{right}"


def kink_text(function: DrawnFunction, translations: NullTranslations) -> str:
    """Return where the function has its kinks or jumps, in words."""
    _ = translations.gettext
    places = ", ".join(significant(kink.x) for kink in function.kinks[:4])
    if len(function.kinks) > 4:
        places += ", …"
    jumps = any(kink.order == 0 for kink in function.kinks)
    text = _("jump at x = {x}") if jumps else _("kink at x = {x}")
    return text.format(x=places)


def vertical_limits(functions: Sequence[DrawnFunction], slope: bool) -> tuple[float, float]:
    """Return the limits of an axis: what is drawn and 0, but no more than 8 around it."""
    values = [
        value
        for function in functions
        for line in function.lines
        for value in (line.slope if slope else line.value)
        if math.isfinite(value)
    ]
    low, high = min([0.0, *values]), max([0.0, *values])
    low, high = max(low, -8.0), min(high, 8.0)
    margin = 0.08 * max(high - low, 0.2)
    return low - margin, high + margin
