"""A function of the catalogue as a picture: its curve sampled, its facts marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actlab.activations.drawing.sampled_curve import sample
from actlab.activations.drawing.write import DrawnFunction, Line, MarkedKink, write_plot
from actlab.activations.formula.expression import parse
from actlab.i18n import _, process_language, translation

if TYPE_CHECKING:
    from actlab.activations.catalogue.declared import ScalarFacts
    from actlab.activations.function import Function

_LOW, _HIGH = -5.0, 5.0


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
        from actlab.activations.drawing.as_image import static

        drawn = static(self.functions, translation(process_language()), "svg").decode()
        return drawn[drawn.index("<svg") :]


def described(function: Function) -> str:
    """Return the function as HTML for a notebook: name, formula, source and picture."""
    from actlab.activations.formula.printers.mathml import mathml

    shown = f"<code>{escape(function.formula)}</code>"
    if function.kind == "scalar":
        shown = mathml(parse(function.formula, function.values).tree)
    values = ", ".join(f"{name} = {value:g}" for name, value in function.values.items())
    rows = (f"<strong>{escape(function.name)}</strong>", shown, values, escape(function.source))
    text = "".join(f"<div>{row}</div>" for row in rows if row)
    return f"<div>{text}{picture([function])._repr_html_()}</div>"


def picture(functions: Sequence[Function]) -> Picture:
    """Return one picture of the functions, with kinks, minima and ranges marked."""
    return Picture(tuple(drawn(function) for function in functions))


def drawn(function: Function) -> DrawnFunction:
    """Return what a picture shows of a function of the catalogue."""
    from actlab.activations import facts

    if function.kind == "structural":
        return drawn_structural(function)
    return drawn_formula(_label(function), function.formula, function.values, facts.of(function))


def drawn_formula(
    name: str, formula: str, values: Any, facts: ScalarFacts, half: float | None = None
) -> DrawnFunction:
    """Return what a picture shows of a formula with these parameter values and facts."""
    low, high = (_LOW, _HIGH) if half is None else (-half, half)
    curve = sample(parse(formula), values, low, high)
    minimum = None
    if facts.min_x is not None and facts.min_y is not None and low <= facts.min_x <= high:
        minimum = (facts.min_x, facts.min_y)
    return DrawnFunction(
        name=name,
        lines=(Line(curve.x.tolist(), curve.value.tolist(), curve.slope.tolist()),),
        kinks=tuple(
            MarkedKink(kink.x, kink.left, kink.right, kink.slope_left, kink.slope_right)
            for kink in curve.kinks
        ),
        minimum=minimum,
        range_low=facts.range_low,
        range_high=facts.range_high,
        low_attained=bool(facts.low_attained),
        high_attained=bool(facts.high_attained),
    )


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
        shown = ", ".join(f"{value:g}" for value in self.fixed)
        note = _("input {number} swept, the others fixed at {values}")
        return note.format(number=self.index + 1, values=shown)


_SWEEPS: dict[str, Sweep] = {
    "glu": Sweep(index=1),
    "softmax": Sweep(fixed=(1.0, 0.0)),
    "sparsemax": Sweep(fixed=(1.0, 0.0)),
    "crelu": Sweep(fixed=()),
    "rational_pau": Sweep(fixed=()),
}


def drawn_structural(function: Function) -> DrawnFunction:
    """Return the outputs of a structural function as one input is swept, the rest fixed."""
    import torch

    sweep = _SWEEPS.get(function.name, Sweep())
    module = function.module().double().eval()
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


def _label(function: Function) -> str:
    from actlab.activations import get

    usual = get(function.name).values
    moved = {name: value for name, value in function.values.items() if value != usual[name]}
    inside = ", ".join(f"{name}={value:g}" for name, value in moved.items())
    return f"{function.name}({inside})" if inside else function.name
