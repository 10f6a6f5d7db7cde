"""What is printed of a formula: code that computes the same, well-formed MathML, kinks."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from actlab.activations.drawing.picture import sampled
from actlab.activations.facts.curve import Curve
from actlab.activations.facts.kinks import find_breaks
from actlab.activations.facts.measurable import pasted
from actlab.activations.formula import NumpyBackend, parse
from actlab.activations.formula.printers.code import JAVASCRIPT, JAX, KERAS, TORCH, code
from actlab.activations.formula.printers.typeset import mathml
from actlab.activations.formula.with_torch import TorchBackend
from tests.activations.formula.test_expression import FORMULAS

POINTS = torch.tensor([-30.0, -5.0, -1.0, -0.2, 0.0, 0.3, 1.0, 2.5, 7.0, 40.0])


@pytest.mark.parametrize("text", sorted(FORMULAS))
def test_the_torch_code_computes_the_formula(text: str) -> None:
    formula = parse(text)
    names = {"torch": torch, "math": math, "x": POINTS, **FORMULAS[text]}
    printed = eval(code(formula.tree, TORCH), names)  # our own text, to see that it runs
    expected = formula.evaluate(TorchBackend(), POINTS, **FORMULAS[text])
    torch.testing.assert_close(printed, expected, rtol=0, atol=0, equal_nan=True)


def test_a_constant_branch_keeps_the_dtype_of_its_input() -> None:
    half = POINTS.to(torch.float16)
    names = {"torch": torch, "math": math, "x": half}
    assert eval(code(parse("where(x>0, 1.0, 0.0)").tree, TORCH), names).dtype == torch.float16


@pytest.mark.parametrize("dialect", [TORCH, JAX, KERAS, JAVASCRIPT])
def test_every_word_has_a_spelling_in_every_dialect(dialect: object) -> None:
    from actlab.activations.formula.parser import WORDS
    from actlab.activations.formula.printers.code import Dialect

    assert isinstance(dialect, Dialect)
    for name in set(WORDS) - {"where"}:
        assert dialect.call(name, scalar=False)
        assert dialect.call(name, scalar=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x*sigmoid(beta*x)", "x * sigmoid(p.beta * x)"),
        ("x-(1-x)", "x - (1 - x)"),
        ("-(x/2)/3", "-(x / 2) / 3"),
        ("(-x)**2", "Math.pow(-x, 2)"),
        ("where(x>0 and x<1, x, pi)", "(((x > 0) && (x < 1)) ? x : Math.PI)"),
        ("max(x, 0, 1)", "Math.max(x, Math.max(1, 0))"),
    ],
)
def test_javascript_keeps_the_order_of_operations(text: str, expected: str) -> None:
    assert code(parse(text).tree, JAVASCRIPT) == expected


@pytest.mark.parametrize("text", sorted(FORMULAS))
def test_mathml_is_well_formed(text: str) -> None:
    root = ElementTree.fromstring(mathml(parse(text).tree).replace("&nbsp;", " "))
    assert root.tag == "math"
    shown = "".join(root.itertext())
    assert "x" in shown
    assert ("otherwise" in shown) == ("where" in text or "if" in text or "(x > 1)" in text)


def test_mathml_takes_the_word_order_of_a_language() -> None:
    korean = mathml(parse("where(x>0, x, 0)").tree, condition="{condition}일 때", otherwise="그 외")
    shown = "".join(ElementTree.fromstring(korean.replace("&nbsp;", " ")).itertext())
    assert shown == "xx>0일 때0그 외"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("relu(x)", [0.0]),
        ("clip(x+3, 0, 6)/6", [-3.0, 3.0]),
        ("where(x>0, x, expm1(x))", []),
        ("where(x>0, x, 2*expm1(x))", [0.0]),
        ("where(abs(x)>0.5, x, 0.0)", [-0.5, 0.5]),
        ("abs(x*x - 2)", [-math.sqrt(2), math.sqrt(2)]),
        ("x*sigmoid(x)", []),
        ("x/(1+abs(x))", []),
        ("relu(x)**2", []),
    ],
)
def test_kinks_are_where_one_sided_slopes_differ(text: str, places: list[float]) -> None:
    breaks = find_breaks(Curve.of(pasted(text)))
    found = [float(kink.x) for kink in breaks if kink.is_kink]
    assert found == pytest.approx(places, abs=1e-15)


def test_a_jump_is_told_from_a_kink() -> None:
    (jump,) = find_breaks(Curve.of(pasted("where(x>1, x, 0.0)")))
    assert jump.order == 0
    assert (jump.left[0], jump.right[0]) == (0, 1)


def test_a_curve_breaks_at_a_jump_and_its_slope_at_a_kink() -> None:
    formula = parse("where(x>0.5, x, 0.25*x)")
    line, _kinks = sampled(Curve.of(pasted(formula)), -1.0, 1.0, points=5)
    x, value = np.array(line.x), np.array(line.value)
    assert np.isnan(value).sum() == np.isnan(line.slope).sum() == 1
    expected = formula.evaluate(NumpyBackend(), x[~np.isnan(value)] + 1e-12)
    np.testing.assert_allclose(value[~np.isnan(value)], expected)


def test_the_slope_of_an_odd_root_is_drawn_at_zero_too() -> None:
    line, _kinks = sampled(Curve.of(pasted("sign(x)*log1p(abs(x))")), -1.0, 1.0, points=3)
    assert line.slope == pytest.approx([0.5, 1.0, 0.5])
