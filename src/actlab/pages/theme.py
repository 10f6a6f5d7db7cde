"""Colours of the page and its figures, light and dark, and a mark for each activation.

One truth for both: the style sheet takes its variables from here, and the page's script draws a
figure's colours by their names. So no two names share a colour within the light theme. The series
colours keep a contrast of 3 : 1 to the surface and stay apart under the three kinds of colour
blindness; each also has a shape of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass

LIGHT = {
    "page": "#f6f6f3",
    "surface": "#ffffff",
    "ink": "#1b2025",
    "muted": "#58616a",
    "line": "#dcdfda",
    "grid": "#eceeea",
    "accent": "#1d5cb8",
    "good": "#17704a",
    "caution": "#8a5a00",
    "trouble": "#b3261e",
    "band": "#dbe7f8",
    "heat0": "#edf2f9",
    "heat1": "#d3e2f5",
    "heat2": "#b1cdef",
    "heat3": "#8bb6e8",
    "heat4": "#5f9be0",
    "series0": "#234ea9",
    "series1": "#bc4003",
    "series2": "#01826d",
    "series3": "#d852b1",
    "series4": "#2a92f3",
    "series5": "#b88c00",
    "series6": "#4d4263",
    "series7": "#7d221b",
}

DARK = {
    "page": "#121417",
    "surface": "#1a1d21",
    "ink": "#e7eaec",
    "muted": "#a2abb3",
    "line": "#343a41",
    "grid": "#272c32",
    "accent": "#84b5f7",
    "good": "#63cf9d",
    "caution": "#e9b64d",
    "trouble": "#ff8f85",
    "band": "#22364f",
    "heat0": "#22282f",
    "heat1": "#243a56",
    "heat2": "#265080",
    "heat3": "#285d98",
    "heat4": "#2a69ae",
    "series0": "#5689d1",
    "series1": "#ff7800",
    "series2": "#12b973",
    "series3": "#ff93bc",
    "series4": "#64c9ff",
    "series5": "#f3ca19",
    "series6": "#dae0e1",
    "series7": "#b1535b",
}

SERIES = tuple(name for name in LIGHT if name.startswith("series"))

SHAPES = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "triangle-down",
    "cross",
    "pentagon",
    "star",
    "hourglass",
)
"""Nine shapes with eight colours: 72 activations before a mark comes twice."""

FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Apple SD Gothic Neo', "
    "'Malgun Gothic', 'Noto Sans KR', 'Noto Sans CJK KR', 'NanumGothic', sans-serif"
)


@dataclass(frozen=True)
class Mark:
    """How an activation looks wherever it is drawn; `role` names its colour in both themes."""

    role: str
    shape: str

    @property
    def colour(self) -> str:
        """Return the colour in the light theme, which figures are drawn in."""
        return LIGHT[self.role]


def marks(names: Iterable[str]) -> dict[str, Mark]:
    """Return a mark for each name, by its place in the order given.

    >>> marks(["relu", "tanh"])["tanh"].shape
    'square'
    """
    return {
        name: Mark(SERIES[index % len(SERIES)], SHAPES[index % len(SHAPES)])
        for index, name in enumerate(dict.fromkeys(names))
    }


def colour_names() -> dict[str, str]:
    """Return the name of each colour of the light theme, in which figures are made."""
    return {colour: name for name, colour in LIGHT.items()}


def style_variables() -> str:
    """Return both themes as CSS custom properties: the system's, or the one the reader chose."""

    def block(colours: dict[str, str]) -> str:
        return " ".join(f"--{name}: {colour};" for name, colour in colours.items())

    return (
        f":root {{ color-scheme: light dark; --font: {FONT}; {block(LIGHT)} }}\n"
        "@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) "
        f"{{ {block(DARK)} }} }}\n"
        f":root[data-theme=dark] {{ color-scheme: dark; {block(DARK)} }}\n"
        ":root[data-theme=light] { color-scheme: light; }\n"
        "@media print { :root, :root[data-theme=dark] "
        f"{{ color-scheme: light; {block(LIGHT)} }} }}\n"
    )
