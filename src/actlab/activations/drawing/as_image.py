"""Pictures of functions as PNG or SVG, drawn by matplotlib without a display."""

import io
from collections.abc import Sequence
from gettext import NullTranslations
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from actlab.activations.drawing import DrawnFunction, Surface, kink_text, vertical_limits
from actlab.pages.theme import LIGHT, SERIES
from actlab.text import significant

_LATIN_FONT = "DejaVu Sans"
_HANGUL_FONTS = (
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumGothic",
    "NanumBarunGothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "UnDotum",
)
_STYLE = {
    "axes.edgecolor": LIGHT["line"],
    "axes.labelcolor": LIGHT["muted"],
    "axes.unicode_minus": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlecolor": LIGHT["ink"],
    "font.size": 10.0,
    "svg.fonttype": "path",
    "svg.hashsalt": "actlab",
    "text.color": LIGHT["ink"],
    "xtick.color": LIGHT["muted"],
    "ytick.color": LIGHT["muted"],
}


def static(functions: Sequence[DrawnFunction], translations: NullTranslations, kind: str) -> bytes:
    """Return the picture as the bytes of a "png" or "svg" file."""
    hangul = hangul_font()
    if hangul is None and not translations.gettext("minimum").isascii():
        translations = NullTranslations()  # no font here has the letters: English can be read
    fonts = [_LATIN_FONT] if hangul is None else [_LATIN_FONT, hangul]
    stream = io.BytesIO()
    with mpl.rc_context({**_STYLE, "font.family": fonts}):
        figure = _figure(functions, translations)
        metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {}
        figure.savefig(stream, format=kind, dpi=160, metadata=metadata)
    return stream.getvalue()


def hangul_font() -> str | None:
    """Return a font of this machine that has Korean letters, or None."""
    present = set(font_manager.get_font_names())
    return next((name for name in _HANGUL_FONTS if name in present), None)


def _figure(functions: Sequence[DrawnFunction], translations: NullTranslations) -> Figure:
    _ = translations.gettext
    surfaces = [function.surface for function in functions if function.surface is not None]
    size = (8.0, 11.0) if len(surfaces) == 1 else (8.0, 7.2)
    figure = Figure(figsize=size, layout="constrained", facecolor=LIGHT["surface"])
    if len(surfaces) == 1:
        above, below, third = figure.subplots(3, 1, height_ratios=(3, 2, 3))
        below.sharex(above)
        _contour(figure, third, surfaces[0], translations)
    else:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for axes, label in ((above, "f(x)"), (below, "f′(x)")):
        axes.axhline(0.0, color=LIGHT["line"], linewidth=1.0, zorder=0)
        axes.axvline(0.0, color=LIGHT["line"], linewidth=1.0, zorder=0)
        axes.grid(color=LIGHT["grid"], linewidth=0.8)
        axes.set_axisbelow(True)
        axes.set_ylabel(label)
        axes.set_ylim(vertical_limits(functions, slope=axes is below))
    below.set_xlabel("x")
    line = functions[0].lines[0]
    below.set_xlim(line.x[0], line.x[-1])
    for index, function in enumerate(functions):
        _draw(above, below, function, index, translations)
    title = ", ".join(function.name for function in functions)
    notes = " · ".join(function.note for function in functions if function.note)
    above.set_title(title, loc="left", fontsize=13)
    if notes:
        above.set_title(notes, loc="right", fontsize=9, color=LIGHT["muted"])
    handles, labels = above.get_legend_handles_labels()
    above.legend(handles, labels, loc="best", frameon=False, fontsize=9)
    return figure


def _contour(figure: Figure, axes: Any, surface: Surface, translations: NullTranslations) -> None:
    """Draw a surface by lines of equal height."""
    _ = translations.gettext
    colours = [LIGHT[SERIES[1]], LIGHT["surface"], LIGHT[SERIES[0]]]
    scale = LinearSegmentedColormap.from_list("heights", colours)
    highest = max(abs(height) for row in surface.heights for height in row)
    drawn = axes.contourf(
        surface.gate,
        surface.value,
        surface.heights,
        levels=17,
        cmap=scale,
        vmin=-highest,
        vmax=highest,
    )
    figure.colorbar(drawn, ax=axes)
    axes.set_xlabel(_("gate"))
    axes.set_ylabel(_("value"))


def _draw(
    above: Any,
    below: Any,
    function: DrawnFunction,
    index: int,
    translations: NullTranslations,
) -> None:
    """Draw one function and its marks."""
    _ = translations.gettext
    for offset, line in enumerate(function.lines):
        colour = LIGHT[SERIES[(index + offset) % len(SERIES)]]
        label = f"{function.name} {line.label}".strip()
        if function.range_text:
            label += "   " + _("range {interval}").format(interval=function.range_text)
        above.plot(line.x, line.value, color=colour, linewidth=2.2, label=label)
        below.plot(line.x, line.slope, color=colour, linewidth=2.2)
    colour = LIGHT[SERIES[index % len(SERIES)]]
    for end in _finite_ends(function):
        above.axhline(end, color=colour, linewidth=1.0, linestyle=(0, (6, 4)), alpha=0.6)
    if function.minimum is not None:
        x, y = function.minimum
        above.plot([x], [y], "o", color=colour, markersize=7, zorder=5)
        _note(
            above,
            _("minimum ({x}, {y})").format(x=significant(x), y=significant(y)),
            x,
            y,
            colour,
            -14,
        )
        below.plot([x], [0.0], "o", color=colour, markersize=5, zorder=5)
    label = kink_text(function, translations) if function.kinks else ""
    for kink in function.kinks:
        for y in {kink.left[0], kink.right[0]}:
            above.plot([kink.x], [y], "D", **_hollow(colour), label=label)
            label = ""
        for slope in {kink.left[1], kink.right[1]}:
            below.plot([kink.x], [slope], "D", **_hollow(colour))
        for axes in (above, below):
            axes.axvline(kink.x, color=colour, linewidth=0.9, linestyle=":", zorder=1)


def _hollow(colour: str) -> dict[str, Any]:
    return {
        "markerfacecolor": LIGHT["surface"],
        "markeredgecolor": colour,
        "markeredgewidth": 1.6,
        "markersize": 6.5,
        "zorder": 6,
        "linestyle": "none",
    }


def _note(axes: Any, text: str, x: float, y: float, colour: str, rise: int) -> None:
    axes.annotate(
        text,
        (x, y),
        xytext=(6, rise),
        textcoords="offset points",
        fontsize=9,
        color=colour,
        va="center",
    )


def _finite_ends(function: DrawnFunction) -> list[float]:
    ends = (function.range_low, function.range_high)
    return [end for end in ends if end is not None and abs(end) < 1e6]
