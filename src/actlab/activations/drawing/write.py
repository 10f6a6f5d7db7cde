"""Pictures of functions: f and f' with the kinks, the minimum and the range marked.

The values come in finished; `write_plot` draws them as HTML (Plotly), PNG or SVG (matplotlib, which
needs no browser).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from gettext import NullTranslations
from pathlib import Path

from actlab.errors import ActlabError, nearest, writing
from actlab.files import write_bytes
from actlab.i18n import _

SUFFIXES = (".html", ".png", ".svg")


@dataclass(frozen=True)
class MarkedKink:
    """A point where f jumps or its slope does; the values and slopes are the one-sided limits."""

    x: float
    left: float
    right: float
    slope_left: float
    slope_right: float

    @property
    def is_jump(self) -> bool:
        """Return whether f itself is not continuous here."""
        return abs(self.left - self.right) > 1e-5


@dataclass(frozen=True)
class Line:
    """One output of a function: f and f' at the same x; NaN breaks a line at a jump."""

    x: Sequence[float]
    value: Sequence[float]
    slope: Sequence[float]
    label: str = ""


@dataclass(frozen=True)
class DrawnFunction:
    """What a picture shows of one function.

    A scalar function has one line; a structural one has one for each output that is drawn, and
    `note` says which input is swept. `minimum` is (x, y) where it is attained at one point; the
    ends of the range are None where no range is known.
    """

    name: str
    lines: tuple[Line, ...]
    kinks: tuple[MarkedKink, ...] = ()
    minimum: tuple[float, float] | None = None
    range_low: float | None = None
    range_high: float | None = None
    low_attained: bool = False
    high_attained: bool = False
    note: str = ""

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
        return f"{left}{short(self.range_low)}, {short(self.range_high)}{right}"


def short(value: float) -> str:
    """Return a number with four digits and a true minus sign.

    >>> short(-0.27846), short(math.inf)
    ('−0.2785', '∞')
    """
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.4g}".replace("-", "−")


def write_plot(
    path: Path, functions: Sequence[DrawnFunction], translations: NullTranslations
) -> Path:
    """Draw the functions into a file of the kind that its suffix names, and return the path.

    Raises ActlabError for another suffix, or where the file cannot be written.
    """
    content = _drawing(path.suffix)(functions, translations)
    with writing(path, "-o"):
        return write_bytes(path, content)


def _drawing(suffix: str) -> Callable[[Sequence[DrawnFunction], NullTranslations], bytes]:
    if suffix == ".html":
        from actlab.activations.drawing.as_html import html

        return lambda functions, translations: html(functions, translations).encode()
    if suffix in SUFFIXES:
        from actlab.activations.drawing.as_image import static  # matplotlib: half a second

        return lambda functions, translations: static(functions, translations, suffix[1:])
    message = _('A picture ends in .html, .png or .svg, not in "{suffix}". Did you mean "{near}"?')
    near = nearest(suffix, SUFFIXES) or ".svg"
    raise ActlabError(message.format(suffix=suffix, near=near))


def kink_text(function: DrawnFunction, translations: NullTranslations) -> str:
    """Return where the function has its kinks or jumps, in words."""
    _ = translations.gettext
    places = ", ".join(short(kink.x) for kink in function.kinks[:4])
    if len(function.kinks) > 4:
        places += ", …"
    jumps = any(kink.is_jump for kink in function.kinks)
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
