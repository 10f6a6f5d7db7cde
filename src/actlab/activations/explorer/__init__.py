"""The explorer: one offline page on which functions are chosen, compared and moved.

    from actlab.report.explorer import ExplorerData, write

    write(Path("explorer.html"), data, "ko")

Everything that is shown comes in with `ExplorerData`; function values under a moved slider are
computed in the page, by code that was generated from the formula.
"""

from actlab.activations.explorer.inputs import (
    ExplorerData,
    ExplorerFunction,
    Slider,
    StructuralFunction,
)
from actlab.activations.explorer.page import render, write

__all__ = [
    "ExplorerData",
    "ExplorerFunction",
    "Slider",
    "StructuralFunction",
    "render",
    "write",
]
