"""Static pictures of rows: a lane of SVG per row, coloured by the page's theme, without a script.

Every place is a percentage of the lane's width, so that a lane fits any column and its text, which
is the table's, keeps its size.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

HEIGHT = 22
"""The height of a lane in pixels."""


@dataclass(frozen=True)
class Scale:
    """The range that a lane shows, on a linear or a logarithmic axis.

    >>> Scale(0.001, 0.1, logarithmic=True).place(0.01)
    50.0
    """

    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return where a value lies, in percent of the width; a little beside where outside."""
        low, high, at = self.low, self.high, value
        if self.logarithmic:
            low, high, at = math.log10(low), math.log10(high), math.log10(max(value, 1e-300))
        share = (at - low) / (high - low) if high > low else 0.5
        return round(100 * min(max(share, -0.5), 1.5), 2)

    def holds(self, value: float) -> bool:
        """Return whether a value lies in the range."""
        return self.low <= value <= self.high

    def ticks(self, most: int = 4) -> tuple[float, ...]:
        """Return round values in the range: powers of ten times 1, 2 and 5 where logarithmic.

        >>> Scale(0.9512, 0.9829).ticks(), Scale(0.0005, 0.01, logarithmic=True).ticks()
        ((0.96, 0.97, 0.98), (0.0005, 0.001, 0.002, 0.005, 0.01))
        """
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            tenths = [float(f"1e{power}") for power in powers]
            fine = [
                round(part * ten, 12)
                for ten in tenths
                for part in (1, 2, 5)
                if self.holds(round(part * ten, 12))
            ]
            return tuple(fine) if len(fine) <= most + 2 else tuple(filter(self.holds, tenths))
        span = (self.high - self.low) or 1.0
        power = math.floor(math.log10(span / most))
        step = min(
            (part * 10.0**power for part in (1, 2, 5, 10)),
            key=lambda size: (span / size > most, abs(span / size - most)),
        )
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return tuple(round(number * step, 12) for number in range(first, last + 1))


@dataclass(frozen=True)
class Lane:
    """What a lane shows: a mark with its interval over single dots, each None where there is none.

    `look` is a class of the style sheet, which gives the colour.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    dots: tuple[float, ...] = ()
    look: str = ""


def lane(row: Lane, scale: Scale, band: tuple[float, float] | None = None) -> Markup:
    """Draw a lane; a mark outside the range is an arrow at its edge."""
    parts = []
    if band is not None:
        left, right = max(scale.place(band[0]), 0.0), min(scale.place(band[1]), 100.0)
        parts.append(
            f'<rect class="band" data-right="{right}" x="{left}%" '
            f'width="{max(right - left, 0.0):.2f}%" height="{HEIGHT}"/>'
        )
    middle = HEIGHT / 2
    for place, dot in enumerate(row.dots):
        if scale.holds(dot):
            height = middle + (place % 3 - 1) * 4
            parts.append(f'<circle class="dot1" cx="{scale.place(dot)}%" cy="{height}" r="2.2"/>')
    if row.low is not None and row.high is not None:
        ends = [min(max(scale.place(end), 0.0), 100.0) for end in (row.low, row.high)]
        if ends[0] < ends[1]:
            parts.append(f'<line x1="{ends[0]}%" x2="{ends[1]}%" y1="{middle}" y2="{middle}"/>')
    if row.value is not None:
        if scale.holds(row.value):
            parts.append(f'<circle cx="{scale.place(row.value)}%" cy="{middle}" r="5"/>')
        else:
            parts.append(_arrow(row.value < scale.low, middle))
    return _svg(parts, row.look)


def axis(scale: Scale, labels: Iterable[tuple[float, str]]) -> Markup:
    """Draw the ticks below lanes with their labels."""
    parts = []
    for value, label in labels:
        at = scale.place(value)
        anchor = "start" if at < 6 else "end" if at > 94 else "middle"
        parts.append(f'<line class="tick" x1="{at}%" x2="{at}%" y1="0" y2="4"/>')
        parts.append(f'<text x="{at}%" y="17" text-anchor="{anchor}">{escape(label)}</text>')
    return _svg(parts, "axis")


def strip(values: Sequence[float], chosen: Sequence[float], scale: Scale) -> Markup:
    """Draw values as faint ticks on a line, the chosen among them as strong ones."""
    parts = [f'<line class="tick" x1="0" x2="100%" y1="{HEIGHT - 5}" y2="{HEIGHT - 5}"/>']
    for name, some in (("all", values), ("near", chosen)):
        parts += [
            f'<line class="{name}" x1="{scale.place(v)}%" x2="{scale.place(v)}%" y1="5" '
            f'y2="{HEIGHT - 5}"/>'
            for v in some
            if v > 0
        ]
    return _svg(parts, "rates")


def without_worst(ordered: Sequence[float], higher_is_better: bool) -> tuple[float, float]:
    """Return the ends of rising values without their worst tenth, which would flatten a picture.

    >>> without_worst([*range(10), 99], True), without_worst([*range(10), 99], False)
    ((1, 99), (0, 9))
    """
    tenth = len(ordered) // 10
    if higher_is_better:
        return ordered[tenth], ordered[-1]
    return ordered[0], ordered[-1 - tenth]


def small_multiple(lines: Sequence[Sequence[float | None]], low: float, high: float) -> Markup:
    """Draw lines by step, the longest across the whole width."""
    steps = max((len(line) for line in lines), default=0)
    scale = Scale(low, high)
    paths = []
    for line in lines:
        points = [
            f"{100 * place / max(steps - 1, 1):.1f},{60 - 0.6 * scale.place(value):.1f}"
            for place, value in enumerate(line)
            if value is not None
        ]
        if points:
            paths.append(f'<polyline points="{" ".join(points)}"/>')
    body = "".join(paths)
    return Markup(  # numbers only
        '<svg class="small" viewBox="0 0 100 60" preserveAspectRatio="none" aria-hidden="true">'
        f"{body}</svg>"
    )


def _arrow(left: bool, middle: float) -> str:
    side = 'x="0" text-anchor="start"' if left else 'x="100%" text-anchor="end"'
    return f'<text class="arrow" {side} y="{middle + 5}">{"◂" if left else "▸"}</text>'


def _svg(parts: Sequence[str], look: str) -> Markup:
    return Markup(  # numbers and escaped labels only
        f'<svg class="lane {escape(look)}" width="100%" height="{HEIGHT}" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )
