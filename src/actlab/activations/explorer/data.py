"""What the explorer shows, gathered from the catalogue and the facts."""

import math
from gettext import NullTranslations
from typing import TYPE_CHECKING, Any

from actlab.activations.code_lines import FRAMEWORKS, activation_line
from actlab.activations.explorer import ExplorerData, ExplorerFunction, Slider, StructuralFunction
from actlab.activations.formula import parse
from actlab.activations.formula.printers.code import JAVASCRIPT, code
from actlab.activations.formula.printers.mathml import mathml, symbol
from actlab.activations.pitfalls import pitfalls

if TYPE_CHECKING:
    from actlab.activations import Function, Parameter


def explorer_data(translations: NullTranslations) -> ExplorerData:
    """Return the page's data, its sentences in the language of `translations`."""
    from actlab.activations import facts, functions

    scalar, structural = [], []
    for function in functions():
        found = facts.of(function).as_json()
        if function.kind == "structural":
            structural.append(_structural(function, found))
        else:
            scalar.append(_scalar(function, found, translations))
    return ExplorerData(tuple(scalar), tuple(structural))


def _scalar(
    function: "Function", found: dict[str, Any], translations: NullTranslations
) -> ExplorerFunction:
    _ = translations.gettext
    formula = parse(function.formula, function.values)
    return ExplorerFunction(
        name=function.name,
        facts=found,
        value_code=code(formula.tree, JAVASCRIPT),
        slope_code=code(formula.derivative().tree, JAVASCRIPT),
        formula_markup=mathml(
            formula.tree, condition=_("if {condition}"), otherwise=_("otherwise")
        ),
        sliders=tuple(slider(parameter) for parameter in function.parameters),
        pitfalls=pitfalls(function.pitfalls, found, translations),
        code={framework: activation_line(function, framework) for framework in FRAMEWORKS},
    )


def _structural(function: "Function", found: dict[str, Any]) -> StructuralFunction:
    return StructuralFunction(
        name=function.name,
        formula=function.formula,
        arity=str(found["arity"]),
        output_width=str(found["output_width"]),
        source=function.source,
    )


def slider(parameter: "Parameter") -> Slider:
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
