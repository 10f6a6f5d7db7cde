"""A function of the catalogue as a picture: its curve sampled, its facts marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from gettext import NullTranslations
from html import escape
from pathlib import Path

import numpy as np

from actlab.activations.catalogue import ENTRIES
from actlab.activations.catalogue.declared import ScalarFacts
from actlab.activations.catalogue.entry import Entry
from actlab.activations.drawing import DrawnFunction, Line, Surface
from actlab.activations.facts import of
from actlab.activations.facts.curve import Curve
from actlab.activations.facts.kinks import Break, find_breaks
from actlab.activations.facts.measurable import Measurable, PastedFormula, module_of
from actlab.activations.formula.printers.typeset import mathml
from actlab.errors import ActlabError, missing_extra, nearest, writing
from actlab.files import write_bytes
from actlab.i18n import _, process_language, translation
from actlab.text import significant

SUFFIXES = (".html", ".png", ".svg")

_LOW, _HIGH = -5.0, 5.0
_BESIDE = 1e-9


@dataclass(frozen=True)
class Picture:
    """Functions drawn together; a notebook shows it, `save` writes HTML, PNG or SVG."""

    functions: tuple[DrawnFunction, ...]

    def save(self, path: str | Path) -> Path:
        """Write the picture as the suffix says (.html, .png, .svg) and return the path.

        Raises ActlabError for another suffix, or where the file cannot be written.
        """
        return write_plot(Path(path), self.functions, translation(process_language()))

    def _repr_html_(self) -> str:
        static = _of_matplotlib()
        drawn = static(self.functions, translation(process_language()), "svg").decode()
        return drawn[drawn.index("<svg") :]


def described(function: Entry) -> str:
    """Return the function as HTML for a notebook: name, formula, source and picture."""
    shown = f"<code>{escape(function.formula)}</code>"
    if function.kind == "scalar":
        shown = mathml(function.expression.tree)
    values = ", ".join(f"{name} = {significant(value)}" for name, value in function.values.items())
    rows = (f"<strong>{escape(function.name)}</strong>", shown, values, escape(function.source))
    text = "".join(f"<div>{row}</div>" for row in rows if row)
    return f"<div>{text}{picture([function])._repr_html_()}</div>"


def picture(functions: Sequence[Entry]) -> Picture:
    """Return one picture of the functions, with kinks, minima and ranges marked."""
    return Picture(tuple(drawn(function) for function in functions))


def drawn(function: Entry) -> DrawnFunction:
    """Return what a picture shows of a function of the catalogue."""
    if function.factors is not None:
        return drawn_gated(function)
    if function.kind == "structural":
        return drawn_structural(function)
    return drawn_scalar(_label(function), function, of(function))


def drawn_scalar(
    name: str, function: Measurable, known: ScalarFacts, half: float | None = None
) -> DrawnFunction:
    """Return what a picture shows of a scalar function with these facts."""
    low, high = (_LOW, _HIGH) if half is None else (-half, half)
    line, kinks = sampled(Curve.of(function), low, high)
    minimum = None
    if known.min_x is not None and known.min_y is not None and low <= known.min_x <= high:
        minimum = (known.min_x, known.min_y)
    return DrawnFunction(
        name=name,
        lines=(line,),
        kinks=kinks,
        minimum=minimum,
        range_low=known.range_low,
        range_high=known.range_high,
        low_attained=bool(known.low_attained),
        high_attained=bool(known.high_attained),
    )


def sampled(
    curve: Curve, low: float = -5.0, high: float = 5.0, points: int = 801
) -> tuple[Line, tuple[Break, ...]]:
    """Return f and f' at evenly spaced points and on both sides of each kink, and the kinks.

    A line is broken at a jump, the slope at every kink.

    >>> from actlab.activations.facts.measurable import pasted
    >>> line, _kinks = sampled(Curve.of(pasted("relu(x)")), -1.0, 1.0, points=3)
    >>> line.slope
    [0.0, 0.0, nan, 1.0, 1.0]
    """
    breaks = (found.in_doubles() for found in find_breaks(curve) if found.is_kink)
    kinks = tuple(found for found in breaks if low <= found.x <= high)
    places = np.array([kink.x for kink in kinks])
    even = np.linspace(low, high, points)
    apart = np.array([not np.any(np.abs(places - x) < _BESIDE) for x in even], dtype=bool)
    x = np.sort(np.concatenate([even[apart], places - _BESIDE, places + _BESIDE]))
    # Just off a grid point: 0 is where a formula's own sign(0) or 0/0 would show.
    value, slope = curve.sample(x + 1e-12, 1)
    at = np.searchsorted(x, places)
    here = np.array([kink.here if kink.order > 0 else np.nan for kink in kinks])
    x, value, slope = (
        np.insert(x, at, places),
        np.insert(value, at, here),
        np.insert(slope, at, np.nan),
    )
    return Line(x.tolist(), value.tolist(), slope.tolist()), kinks


@dataclass(frozen=True)
class Sweep:
    """Which input of a structural function a picture sweeps, counted from 0, and the others."""

    index: int = 0
    fixed: tuple[float, ...] = (1.0,)

    @property
    def note(self) -> str:
        """Return the sentence that stands in the picture."""
        if not self.fixed:
            return ""
        shown = ", ".join(significant(value) for value in self.fixed)
        note = _("input {number} swept, the others fixed at {values}")
        return note.format(number=self.index + 1, values=shown)


_SWEEPS: dict[str, Sweep] = {
    "softmax": Sweep(fixed=(1.0, 0.0)),
    "sparsemax": Sweep(fixed=(1.0, 0.0)),
    "crelu": Sweep(fixed=()),
    "rational_pau": Sweep(fixed=()),
}


def drawn_structural(function: Entry) -> DrawnFunction:
    """Return the outputs of a structural function as one input is swept, the rest fixed."""
    import torch

    sweep = _SWEEPS.get(function.name, Sweep())
    module = module_of(function).double().eval()
    x = torch.linspace(_LOW, _HIGH, 801, dtype=torch.float64, requires_grad=True)
    columns = [torch.full_like(x, value) for value in sweep.fixed]
    columns.insert(sweep.index, x)
    outputs = module(torch.stack(columns, dim=1))
    lines = []
    for index in range(outputs.shape[1]):
        (slope,) = torch.autograd.grad(outputs[:, index].sum(), x, retain_graph=True)
        label = f"y{index + 1}" if outputs.shape[1] > 1 else ""
        value = outputs[:, index].detach()
        lines.append(Line(x.detach().tolist(), value.tolist(), slope.tolist(), label))
    return DrawnFunction(function.name, tuple(lines), note=sweep.note)


HELD = (-1.0, 0.5, 1.0, 2.0)
"""The values at which the slices of a gated function are drawn."""


def drawn_gated(function: Entry) -> DrawnFunction:
    """Return a gated function along its gate for some values, and its surface over both."""
    import torch

    from actlab.activations.facts.gated import slice_of

    gate = torch.linspace(_LOW, _HIGH, 801, dtype=torch.float64, requires_grad=True)
    lines = []
    for held in HELD:
        value = slice_of(function, "gate", held).module().double().eval()(gate)
        (slope,) = torch.autograd.grad(value.sum(), gate)
        label = _("value = {value}").format(value=significant(held))
        shown = (gate.detach().tolist(), value.detach().tolist(), slope.tolist())
        lines.append(Line(*shown, label))
    known = of(function)
    return DrawnFunction(
        _label(function),
        tuple(lines),
        range_low=known.range_low,
        range_high=known.range_high,
        low_attained=bool(known.low_attained),
        high_attained=bool(known.high_attained),
        note=_("along the gate, for some values"),
        surface=surface(function),
    )


def surface(function: Entry, points: int = 61) -> Surface:
    """Return a gated function on an even grid of gates and values.

    >>> from actlab.activations import get
    >>> surface(get("bilinear_glu"), points=3).heights
    [[25.0, -0.0, -25.0], [-0.0, 0.0, 0.0], [-25.0, 0.0, 25.0]]
    """
    grid = np.linspace(_LOW, _HIGH, points)
    gate, value = (Curve.of(PastedFormula(part)) for part in function.gate_and_value)
    heights = np.outer(value.sample(grid, 0)[0], gate.sample(grid, 0)[0])
    return Surface(grid.tolist(), grid.tolist(), heights.tolist())


def _label(function: Entry) -> str:
    usual = ENTRIES[function.name].values
    moved = {name: value for name, value in function.values.items() if value != usual[name]}
    inside = ", ".join(f"{name}={significant(value)}" for name, value in moved.items())
    return f"{function.name}({inside})" if inside else function.name


def write_plot(
    path: Path, functions: Sequence[DrawnFunction], translations: NullTranslations
) -> Path:
    """Draw the functions into a file of the kind that its suffix names, and return the path.

    Raises ActlabError for another suffix, or where the file cannot be written.
    """
    content = _drawing(path.suffix)(functions, translations)
    with writing(path, "-o"):
        return write_bytes(path, content)


def _of_matplotlib() -> Callable[..., bytes]:
    """Return what draws PNG and SVG; it takes half a second to load."""
    try:
        from actlab.activations.drawing.as_image import static
    except ImportError as error:
        raise missing_extra(error.name or "matplotlib", "study") from None
    return static


def _drawing(suffix: str) -> Callable[[Sequence[DrawnFunction], NullTranslations], bytes]:
    if suffix == ".html":
        from actlab.activations.drawing.as_html import html

        return lambda functions, translations: html(functions, translations).encode()
    if suffix in SUFFIXES:
        static = _of_matplotlib()
        return lambda functions, translations: static(functions, translations, suffix[1:])
    message = _('A picture ends in .html, .png or .svg, not in "{suffix}". Did you mean "{near}"?')
    near = nearest(suffix, SUFFIXES) or ".svg"
    raise ActlabError(message.format(suffix=suffix, near=near))
