"""What all figures share: a figure with its words and its views, and the common layout."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from actlab.pages.theme import FONT, LIGHT

if TYPE_CHECKING:
    import plotly.graph_objects as go

PERCENT_AXIS = ".4~p"
"""Axis labels in percent with at most four digits, so that a zoom still shows steps of 0.01 %."""


@dataclass(frozen=True)
class View:
    """A button of a figure: the changes to layout, and to the first trace, that it makes."""

    label: str
    layout: dict[str, Any] = field(default_factory=dict)
    trace: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PageFigure:
    """A figure with its words.

    `caption` says what it shows in a sentence, `description` is read out instead of the picture.
    `views` are offered as buttons; the first is the one it opens with. A figure with a
    `minimum_width` (pixels) scrolls sideways on a narrower screen.
    """

    name: str
    title: str
    caption: str
    description: str
    figure: go.Figure
    views: tuple[View, ...] = ()
    height: int = 420
    minimum_width: int = 0


def plain(text: str) -> str:
    """Return a text that a figure shows as it is: in its labels "<" and "&" would be markup.

    >>> plain("a<b> & c")
    'a&lt;b&gt; &amp; c'
    """
    return html.escape(text, quote=False)


def frame(**layout: Any) -> go.Figure:
    """Return an empty figure in the page's style, with further layout of its own."""
    import plotly.graph_objects as go

    base: dict[str, Any] = {
        "template": go.layout.Template(),
        "paper_bgcolor": LIGHT["surface"],
        "plot_bgcolor": LIGHT["surface"],
        "font": {"family": FONT, "size": 13, "color": LIGHT["ink"]},
        "margin": {"l": 12, "r": 16, "t": 12, "b": 12},
        "hoverlabel": {
            "bgcolor": LIGHT["surface"],
            "bordercolor": LIGHT["line"],
            "font": {"color": LIGHT["ink"], "family": FONT},
            "align": "left",
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"color": LIGHT["ink"]},
        },
        "hovermode": "closest",
        "uirevision": "keep",
    }
    return go.Figure(layout=base | layout)


def axis(title: str, **more: Any) -> dict[str, Any]:
    """Return an axis in the page's style."""
    return {
        "title": {"text": title, "font": {"color": LIGHT["muted"], "size": 13}, "standoff": 10},
        "gridcolor": LIGHT["grid"],
        "linecolor": LIGHT["line"],
        "tickcolor": LIGHT["line"],
        "tickfont": {"color": LIGHT["muted"]},
        "zerolinecolor": LIGHT["line"],
        "zeroline": False,
        "automargin": True,
        "showline": True,
    } | more


def accuracy_axis(
    title: str, shown: tuple[float, float] | None = None, **more: Any
) -> dict[str, Any]:
    """Return an axis of accuracy, labelled in percent, that shows the given range."""
    extra = {} if shown is None else {"range": list(shown)}
    return axis(title, tickformat=PERCENT_AXIS, **(extra | more))


def lane_axis(label: str) -> dict[str, Any]:
    """Return the second vertical axis: a narrow lane under the plot for trials without accuracy.

    The lane shares the horizontal axis, so that such a trial stays in sight in every zoom.
    """
    return axis(
        "",
        domain=[0.0, 0.07],
        range=[-1, 1],
        tickvals=[0],
        ticktext=[label],
        showgrid=False,
        fixedrange=True,
    )


MAIN_ABOVE_LANE = [0.13, 1.0]
"""Where the main vertical axis lies when there is a lane under it."""
