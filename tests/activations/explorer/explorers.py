"""A small explorer to test with: functions with and without parameters, kinks and jumps."""

import math
from gettext import NullTranslations
from typing import Any

import numpy as np

from actlab.activations.explorer.data import (
    ExplorerData,
    ExplorerFunction,
    Slider,
    StructuralFunction,
)
from actlab.activations.facts.curve import Curve
from actlab.activations.facts.kinks import find_breaks
from actlab.activations.facts.measurable import pasted
from actlab.activations.formula import Expression, NumpyBackend, parse
from actlab.activations.formula.printers.code import JAVASCRIPT, code
from actlab.activations.formula.printers.typeset import mathml, symbol

FORMULAS: dict[str, tuple[str, dict[str, float]]] = {
    "silu": ("x*sigmoid(x)", {}),
    "relu": ("relu(x)", {}),
    "prelu": ("where(x>0, x, a*x)", {"a": 0.25}),
    "gelu": ("0.5*x*(1+erf(x/sqrt(2.0)))", {}),
    "tanh": ("tanh(x)", {}),
    "hardshrink": ("where(abs(x)>lambd, x, 0.0)", {"lambd": 0.5}),
    "mish": ("x*tanh(softplus(x))", {}),
    "symlog": ("sign(x)*log1p(abs(x))", {}),
    "isru": ("x/sqrt(1+alpha*x**2)", {"alpha": 1.0}),
    "elu": ("where(x>0, x, alpha*expm1(x))", {"alpha": 1.0}),
    "sinsig": ("x*sin(pi/2*sigmoid(x))", {}),
    "band": ("where(x>-1 and x<1 or x>3, cos(x), -min(1, atan(x)))", {}),
    "relu6": ("clip(x, 0, 6)", {}),
    "rest": ("asinh(x) + 0.01*sinh(clip(x,-3,3))/cosh(x) + log(2+x**2) + tan(0.1*x)", {}),
}


def explorer(**changes: Any) -> ExplorerData:
    """Return the page's data; `changes` replace fields of it."""
    functions = tuple(_function(name, *FORMULAS[name]) for name in FORMULAS)
    structural = (StructuralFunction("glu", "a*sigmoid(b)", "2n", "n", "Dauphin et al. 2016"),)
    return ExplorerData(**{"functions": functions, "structural": structural, **changes})


def _function(name: str, text: str, values: dict[str, float]) -> ExplorerFunction:
    formula = parse(text)
    return ExplorerFunction(
        name=name,
        facts=_facts(name, text, values),
        value_code=code(formula.tree, JAVASCRIPT),
        slope_code=code(formula.derivative().tree, JAVASCRIPT),
        formula_markup=mathml(formula.tree),
        sliders=tuple(
            Slider(parameter, f"<math>{symbol(parameter)}</math>", value, -1.0, 2.0, 0.01)
            for parameter, value in values.items()
        ),
        pitfalls=("Watch out for <b>this</b>.",) if name == "relu" else (),
        code={"torch": f'torch.nn.{name}("&")'},
    )


def _facts(name: str, text: str, values: dict[str, float]) -> dict[str, Any]:
    """Return facts measured roughly here: the page shows what it is given."""
    formula = parse(text)
    x = np.linspace(-9, 9, 18001)
    weight = np.exp(-0.5 * x**2)
    weight /= weight.sum()
    slope_formula = formula.derivative()
    f = formula.evaluate(NumpyBackend(), x, **values)
    used = {parameter: values[parameter] for parameter in slope_formula.names}
    slope = slope_formula.evaluate(NumpyBackend(), x, **used)
    rising = bool(np.all(np.diff(f) >= 0))
    return {
        "name": name,
        "formula": text,
        "source": "Somebody & others 2020",
        "aliases": ("swish", "torch:SiLU") if name == "silu" else (),
        "learnable": name == "prelu",
        "range_low": float(f.min()) if abs(f[0]) < 3 else -math.inf,
        "range_high": float(f.max()) if abs(f[-1]) < 3 else math.inf,
        "low_attained": False,
        "high_attained": False,
        "monotonic": "non_decreasing" if rising else "non_monotonic",
        "min_x": -1.278 if name == "silu" else None,
        "min_y": -0.278 if name == "silu" else None,
        "max_abs_grad": float(np.abs(slope).max()),
        "smoothness": "discontinuous" if name == "hardshrink" else "C0",
        "mean_under_N01": float(np.sum(weight * f)),
        "second_moment_N01": float(np.sum(weight * f**2)),
        "mean_grad_N01": float(np.sum(weight * slope)),
        "second_moment_grad_N01": float(np.sum(weight * slope**2)),
        "gain_forward": float(np.sum(weight * f**2)) ** -0.5,
        "gain_backward": float(np.sum(weight * slope**2)) ** -0.5,
        "zero_grad_fraction_N01": float(np.sum(weight[slope == 0])),
        "kinks": [{"x": place} for place in _kinks(formula, values)],
    }


def _kinks(formula: Expression, values: dict[str, float]) -> list[float]:
    if "tan(0" in formula.text:
        return []  # a pole is no kink, and such a function has no facts
    breaks = find_breaks(Curve.of(pasted(formula, **values)))
    return [float(found.x) for found in breaks if found.is_kink]


def english() -> NullTranslations:
    """Return messages that are the source texts."""
    return NullTranslations()
