"""Facts of gated functions f(a, b) = g(a) h(b), from those of the gate g and the value h."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from actlab.activations.catalogue.declared import (
    SMOOTHNESS_ORDER,
    InputFacts,
    ScalarFacts,
    gain,
    nfnet_gamma,
    zero_centredness,
)
from actlab.activations.catalogue.entry import Entry
from actlab.activations.facts.critical_points import CriticalPoints
from actlab.activations.facts.curve import Curve
from actlab.activations.facts.measurable import PastedFormula
from actlab.activations.facts.measuring import measured
from actlab.activations.formula import Expression
from actlab.activations.formula.nodes import Binary, literal

if TYPE_CHECKING:
    from torch import Tensor, nn

KEPT_VALUES = 2
"""What backward keeps per output: a and b, whatever the gate needs in between."""


@dataclass(frozen=True)
class Slice(PastedFormula):
    """A gated function along one input, the other held at a number: a function of one input."""

    function: Entry | None = None
    along: Literal["gate", "value"] = "gate"
    held_at: float = 1.0

    def module(self) -> nn.Module:
        """Return the shipped module with the other input held."""
        from actlab.activations.modules import build

        assert self.function is not None, "made by slice_of"
        return _held(build(self.function), self.along, self.held_at)


def _held(built: nn.Module, along: str, held_at: float) -> nn.Module:
    import torch
    from torch import nn

    class Held(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gated = built

        def forward(self, x: Tensor) -> Tensor:
            other = torch.full_like(x, held_at)
            pair = (x, other) if along == "gate" else (other, x)
            result: Tensor = self.gated(
                torch.cat([part.unsqueeze(-1) for part in in_order(built, pair)], -1)
            )
            return result.squeeze(-1)

    return Held()


def in_order(built: nn.Module, pair: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return gate and value as the module takes them: torch's GLU has the gate second."""
    from torch import nn

    return (pair[1], pair[0]) if isinstance(built, nn.GLU) else pair


def slice_of(function: Entry, along: Literal["gate", "value"], held_at: float = 1.0) -> Slice:
    """Return a gated function along its gate or its value, the other one held.

    >>> from actlab.activations import get
    >>> slice_of(get("swiglu"), "value", 1.0).name
    'swiglu(gate = 1)'
    """
    gate, value = function.gate_and_value
    moving, held = (gate, value) if along == "gate" else (value, gate)
    factor = float(Curve.of(PastedFormula(held)).at(held_at)[0])
    name = f"{'value' if along == 'gate' else 'gate'} = {held_at:g}"
    tree = moving.tree if factor == 1 else Binary("*", moving.tree, literal(factor))
    text = moving.text if factor == 1 else f"({moving.text})*{factor!r}"
    return Slice(
        Expression(text, tree),
        {},
        f"{function.name}({name})",
        function=function,
        along=along,
        held_at=held_at,
    )


@dataclass(frozen=True)
class _Factor:
    facts: ScalarFacts
    zero: float
    """The share of normal inputs on which the factor itself is 0."""


@cache
def _factor(expression: Expression) -> _Factor:
    function = PastedFormula(expression)
    curve = Curve.of(function)
    critical_points = CriticalPoints(curve)
    zero = math.fsum(
        piece.normal_mass
        for piece in critical_points.pieces
        if piece.constant and curve.at(_inside(piece.low, piece.high))[0] == 0
    )
    return _Factor(measured(function), zero)


def _inside(low: float, high: float) -> float:
    low, high = max(float(low), -1e9), min(float(high), 1e9)
    return (low + high) / 2


def gated_facts(function: Entry) -> tuple[ScalarFacts, Mapping[str, InputFacts]]:
    """Return the facts of a gated function under two independent standard normal inputs.

    Of products of independent factors the moments are the products of theirs.

    >>> from actlab.activations import get
    >>> facts, inputs = gated_facts(get("bilinear_glu"))
    >>> facts.second_moment_N01, inputs["gate"].second_moment_grad_N01
    (1.0, 1.0)
    """
    gate, value = (_factor(expression) for expression in function.gate_and_value)
    g, h = gate.facts, value.facts
    mean = _times(g.mean_under_N01, h.mean_under_N01)
    second = _times(g.second_moment_N01, h.second_moment_N01)
    inputs = {"gate": _along(gate, value), "value": _along(value, gate)}
    slopes = [found.second_moment_grad_N01 for found in inputs.values()]
    known = [slope for slope in slopes if slope is not None]
    mean_slope = math.fsum(known) / 2 if len(known) == 2 else None
    low, high, low_attained, high_attained = _range(g, h)
    rough = [SMOOTHNESS_ORDER.index(f.smoothness) for f in (g, h) if f.smoothness is not None]
    facts = ScalarFacts(
        range_low=low,
        range_high=high,
        low_attained=low_attained,
        high_attained=high_attained,
        smoothness=SMOOTHNESS_ORDER[min(rough)],
        mean_under_N01=mean,
        second_moment_N01=second,
        gain_forward=gain(second),
        gain_backward=gain(mean_slope),
        zero_centredness=zero_centredness(mean, second),
        nfnet_gamma=nfnet_gamma(mean, second),
    )
    return facts, inputs


def _times(left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    return 0.0 if left == 0 or right == 0 else left * right


def _along(moving: _Factor, other: _Factor) -> InputFacts:
    f, o = moving.facts, other.facts
    second = _times(f.second_moment_grad_N01, o.second_moment_N01)
    flat = f.zero_grad_fraction_N01 or 0.0
    largest = [abs(end) for end in (o.range_low, o.range_high) if end is not None]
    return InputFacts(
        mean_grad_N01=_times(f.mean_grad_N01, o.mean_under_N01),
        second_moment_grad_N01=second,
        gain_backward=gain(second),
        zero_grad_fraction_N01=flat + other.zero - flat * other.zero,
        max_abs_grad=_times(f.max_abs_grad, max(largest)) if len(largest) == 2 else None,
    )


def _range(g: ScalarFacts, h: ScalarFacts) -> tuple[float, float, bool, bool]:
    """Return the least and the greatest product of the two ranges, and whether it is attained."""
    corners = []
    for gate, gate_attained in ((g.range_low, g.low_attained), (g.range_high, g.high_attained)):
        for value, attained in ((h.range_low, h.low_attained), (h.range_high, h.high_attained)):
            assert gate is not None
            assert value is not None
            product = _times(gate, value) or 0.0
            there = bool(gate_attained and attained)
            if product == 0:
                there = bool((gate == 0 and gate_attained) or (value == 0 and attained))
            corners.append((product, there))
    low, high = min(c[0] for c in corners), max(c[0] for c in corners)
    reached = [any(there for product, there in corners if product == end) for end in (low, high)]
    return low, high, reached[0], reached[1]
