"""What the explorer shows: plain values, gathered from the catalogue and the facts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from gettext import NullTranslations
from typing import Any

from actlab.activations.catalogue import ENTRIES
from actlab.activations.catalogue.entry import Entry, Parameter
from actlab.activations.code_lines import FRAMEWORKS, activation_line
from actlab.activations.drawing import DrawnFunction
from actlab.activations.drawing.picture import drawn_gated
from actlab.activations.facts import of
from actlab.activations.formula.printers.code import JAVASCRIPT, code
from actlab.activations.formula.printers.typeset import mathml, symbol
from actlab.activations.pitfalls import pitfalls


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
    """A function of several inputs: named and described.

    A gated one has its facts, its curve along the gate for some values, and its surface.
    """

    name: str
    formula: str
    arity: str
    output_width: str
    source: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    drawn: DrawnFunction | None = None


@dataclass(frozen=True)
class ExplorerData:
    """The whole page; `chosen` are the functions that it starts with."""

    functions: tuple[ExplorerFunction, ...]
    structural: tuple[StructuralFunction, ...] = ()
    chosen: tuple[str, ...] = ("silu", "relu")


def explorer_data(translations: NullTranslations) -> ExplorerData:
    """Return the page's data, its sentences in the language of `translations`."""
    scalar, structural = [], []
    for function in ENTRIES.values():
        found = of(function).as_json()
        if function.kind == "structural":
            structural.append(_structural(function, found))
        else:
            scalar.append(_scalar(function, found, translations))
    return ExplorerData(tuple(scalar), tuple(structural))


def _scalar(
    function: Entry, found: dict[str, Any], translations: NullTranslations
) -> ExplorerFunction:
    _ = translations.gettext
    formula = function.expression
    return ExplorerFunction(
        name=function.name,
        facts=found,
        value_code=code(formula.tree, JAVASCRIPT),
        slope_code=code(formula.derivative().tree, JAVASCRIPT),
        formula_markup=mathml(
            formula.tree, condition=_("if {condition}"), otherwise=_("otherwise")
        ),
        sliders=tuple(slider(p) for p in function.parameters if p.name in formula.names),
        pitfalls=pitfalls(function.pitfalls, found, translations),
        code={framework: activation_line(function, framework) for framework in FRAMEWORKS},
    )


def _structural(function: Entry, found: dict[str, Any]) -> StructuralFunction:
    return StructuralFunction(
        name=function.name,
        formula=function.formula,
        arity=str(found["arity"]),
        output_width=str(found["output_width"]),
        source=function.source,
        facts=found if function.factors is not None else {},
        drawn=drawn_gated(function) if function.factors is not None else None,
    )


def slider(parameter: Parameter) -> Slider:
    """Return a slider around the default, inside the parameter's domain.

    >>> from actlab.activations import get
    >>> negative_slope = slider(get("leaky_relu").parameters[0])
    >>> negative_slope.low <= 0.01 <= negative_slope.high
    True
    """
    default = parameter.default
    reach = max(2.0 * abs(default), 1.0)
    step = 10.0 ** math.floor(math.log10(reach) - 1.5)
    low = math.floor((default - reach) / step) * step
    high = math.ceil((default + reach) / step) * step
    lowest = parameter.low + (step if parameter.low_open else 0.0)
    highest = parameter.high - (step if parameter.high_open else 0.0)
    return Slider(
        name=parameter.name,
        symbol=f"<math>{symbol(parameter.name)}</math>",
        default=default,
        low=_rounded(max(low, lowest)),
        high=_rounded(min(high, highest)),
        step=_rounded(step),
        learnable=parameter.learnable,
    )


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")
