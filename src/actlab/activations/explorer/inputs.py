"""What the explorer is drawn from: plain values, handed in finished."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Slider:
    """A parameter that can be moved: `symbol` is MathML; `low` and `high` are inclusive."""

    name: str
    symbol: str
    default: float
    low: float
    high: float
    step: float
    learnable: bool = False


@dataclass(frozen=True)
class ExplorerFunction:
    """One scalar function of the page.

    `facts` has the keys of `actlab functions show --json`. `value_code` and `slope_code` are
    JavaScript expressions in x and p (the parameters by name), written by
    `actlab.activations.formula.printers.code`. `formula_markup` is MathML. `pitfalls` are
    sentences in the page's language, `code` is a line to paste for each framework.
    """

    name: str
    facts: Mapping[str, Any]
    value_code: str
    slope_code: str
    formula_markup: str
    sliders: tuple[Slider, ...] = ()
    pitfalls: tuple[str, ...] = ()
    code: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StructuralFunction:
    """A function of several inputs: named and described, not drawn."""

    name: str
    formula: str
    arity: str
    output_width: str
    source: str


@dataclass(frozen=True)
class ExplorerData:
    """The whole page; `chosen` are the functions that it starts with."""

    functions: tuple[ExplorerFunction, ...]
    structural: tuple[StructuralFunction, ...] = ()
    chosen: tuple[str, ...] = ("silu", "relu")
