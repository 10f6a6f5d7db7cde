"""A function and its derivative as a small SVG in the colours of the page around it."""

import math
from collections.abc import Sequence

from actlab.activations.drawing import DrawnFunction, vertical_limits
from actlab.text import significant

WIDTH, HEIGHT, EDGE = 520, 300, 34


def svg(function: DrawnFunction) -> str:
    """Return the picture: f solid, f' dashed, axes through 0, ticks at whole numbers.

    Where there are several lines each has its label at its right end.
    """
    x = [value for line in function.lines for value in line.x]
    left, right = min(x), max(x)
    limits = [vertical_limits([function], slope) for slope in (False, True)]
    low, high = min(one[0] for one in limits), max(one[1] for one in limits)

    def across(value: float) -> float:
        return EDGE + (value - left) / (right - left) * (WIDTH - 2 * EDGE)

    def down(value: float) -> float:
        return HEIGHT - EDGE - (value - low) / (high - low) * (HEIGHT - 2 * EDGE)

    def path(xs: Sequence[float], ys: Sequence[float]) -> str:
        parts, drawing = [], False
        for a, b in zip(xs[::4], ys[::4], strict=True):
            inside = math.isfinite(b) and low <= b <= high
            if inside:
                parts.append(f"{'L' if drawing else 'M'}{across(a):.1f} {down(b):.1f}")
            drawing = inside
        return "".join(parts)

    step = _step(high - low)
    ticks = [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    frame = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{function.name}" style="max-width:100%;height:auto;font-size:11px">'
    )
    parts = [
        frame,
        '<g stroke="currentColor" stroke-opacity=".15" fill="none">',
        *(f'<path d="M{EDGE} {down(t):.1f}H{WIDTH - EDGE}"/>' for t in ticks),
        f'<path stroke-opacity=".5" d="M{across(0):.1f} {EDGE}V{HEIGHT - EDGE}"/></g>',
        '<g fill="currentColor" text-anchor="middle">',
        *(
            f'<text x="{across(n):.1f}" y="{HEIGHT - EDGE + 16}">{significant(float(n))}</text>'
            for n in range(math.ceil(left), math.floor(right) + 1)
        ),
        '</g><g fill="currentColor" text-anchor="end">',
        *(f'<text x="{EDGE - 6}" y="{down(t) + 4:.1f}">{significant(t)}</text>' for t in ticks),
        '</g><g fill="none" stroke-width="2">',
    ]
    for line in function.lines:
        parts.append(f'<path stroke="#4051b5" d="{path(line.x, line.value)}"/>')
        dashed = path(line.x, line.slope)
        parts.append(f'<path stroke="#c2410c" stroke-dasharray="5 4" d="{dashed}"/>')
    parts.append('</g><g fill="currentColor" text-anchor="end">')
    for line in function.lines:
        inside = [(a, b) for a, b in zip(line.x, line.value, strict=True) if low <= b <= high]
        if line.label and inside:
            a, b = inside[-1]
            y = down(b) + (-6 if b >= 0 else 14)
            parts.append(f'<text x="{across(a):.1f}" y="{y:.1f}">{line.label}</text>')
    return "".join([*parts, "</g></svg>"])


def _step(span: float) -> float:
    """Return a distance of 1, 2 or 5 times a power of ten for about six ticks.

    >>> _step(7.0)
    1.0
    """
    rough = span / 6
    power = 10.0 ** math.floor(math.log10(rough))
    return power * min((1, 2, 5, 10), key=lambda factor: abs(factor * power - rough))
