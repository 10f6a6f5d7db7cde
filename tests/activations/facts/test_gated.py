"""Functions of a gate and a value: facts against samples and integrals, slices, pictures."""

import dataclasses
import math
from typing import Literal

import numpy as np
import pytest
import torch

from actlab.activations import Function, functions, get
from actlab.activations.catalogue.declared import normal_cdf, normal_density
from actlab.activations.drawing.picture import HELD, drawn, surface
from actlab.activations.facts import hazards, measure, of, pasted, verify
from actlab.activations.facts.gated import gated_facts, slice_of

GATED = [function for function in functions() if function.factors is not None]


def test_the_gated_family_is_there() -> None:
    assert {"glu", "swiglu", "geglu", "reglu", "reglu_squared", "bilinear_glu"} <= {
        function.name for function in GATED
    }
    assert {"clamped_swiglu", "situ_glu", "powglu"} <= {function.name for function in GATED}


def test_every_fact_holds_for_the_module() -> None:
    rows = verify([function.name for function in GATED])
    assert len(rows) >= 13 * len(GATED)
    assert [row for row in rows if not row.ok] == []


def test_swiglu_against_integrals_of_its_own() -> None:
    x = np.linspace(-12, 12, 200_001)
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    sigmoid = 1 / (1 + np.exp(-x))
    silu, slope = x * sigmoid, sigmoid * (1 + x * (1 - sigmoid))
    by_gate = np.trapezoid(slope**2 * density, x)
    by_value = np.trapezoid(silu**2 * density, x)
    found = of("swiglu")
    assert found.second_moment_N01 == pytest.approx(by_value)
    assert found.inputs is not None
    assert found.inputs["gate"].second_moment_grad_N01 == pytest.approx(by_gate)
    assert found.gain_backward == pytest.approx(((by_gate + by_value) / 2) ** -0.5)


def test_ranges_and_shares() -> None:
    clamped = of("clamped_swiglu")
    top = 7 / (1 + math.exp(-1.702 * 7))
    assert (clamped.range_low, clamped.range_high) == pytest.approx((-6 * top, 8 * top))
    assert clamped.low_attained
    assert clamped.high_attained
    reglu = of("reglu").inputs
    assert reglu is not None
    assert reglu["gate"].zero_grad_fraction_N01 == reglu["value"].zero_grad_fraction_N01 == 0.5
    assert of("geglu", approximate=1).gain_forward == pytest.approx(of("gelu_tanh").gain_forward)
    assert of("softmax").inputs is None


@pytest.mark.parametrize("function", GATED, ids=lambda function: function.name)
def test_a_slice_is_its_module_with_the_other_input_held(function: object) -> None:
    entry = get(function)
    x = torch.linspace(-3, 3, 13, dtype=torch.float64)
    for along in ("gate", "value"):
        cut = slice_of(entry, along, 0.5)
        wanted = cut.module().double()(x)
        from actlab.activations.formula import NumpyBackend

        found = cut.expression.evaluate(NumpyBackend(), x.numpy())
        assert np.allclose(found, wanted.detach().numpy(), rtol=1e-12, atol=1e-12)


def test_hazards_of_a_slice() -> None:
    found = hazards(slice_of(get("swiglu"), "gate"), "float16")
    assert found.module.value_from is None
    assert found.formula.value_at_minus_inf == "nan"


def test_the_picture_has_slices_and_a_surface() -> None:
    picture = drawn(get("situ_glu"))
    assert len(picture.lines) == len(HELD)
    assert picture.surface is not None
    heights = np.array(surface(get("swiglu"), points=5).heights)
    module = get("swiglu").module().double()
    pair = torch.tensor([2.5, -5.0], dtype=torch.float64)
    assert heights[0, 3] == pytest.approx(float(module(pair)))


Bounds = tuple[float, bool, float, bool]


@pytest.mark.parametrize(
    ("gate", "value", "expected"),
    [
        ("x", "x", (-math.inf, False, math.inf, False)),
        ("clip(x, -1, 2)", "clip(x, -3, 1)", (-6, True, 3, True)),
        ("clip(x, -3, 1)", "clip(x, -1, 2)", (-6, True, 3, True)),
        ("clip(x, 2, 3)", "clip(x, 5, 7)", (10, True, 21, True)),
        ("clip(x, -3, -2)", "clip(x, 5, 7)", (-21, True, -10, True)),
        ("sigmoid(x)", "clip(x, 0, 1)", (0, True, 1, False)),
        ("clip(x, 0, 1)", "sigmoid(x)", (0, True, 1, False)),
        ("sigmoid(x)", "sigmoid(x)", (0, False, 1, False)),
        ("tanh(x)", "tanh(x)", (-1, False, 1, False)),
        ("relu(x)", "x", (-math.inf, False, math.inf, False)),
        ("relu(x)", "relu(x)", (0, True, math.inf, False)),
        ("relu(x)", "sigmoid(x)", (0, True, math.inf, False)),
        ("-2*sigmoid(x)", "1+relu(x)", (-math.inf, False, 0, False)),
        ("tanh(x)", "clip(x, -2, 2)", (-2, False, 2, False)),
    ],
)
def test_the_range_is_that_of_the_products_of_the_ends(
    gate: str, value: str, expected: Bounds
) -> None:
    found, _inputs = gated_facts(product(gate, value))
    assert (found.range_low, found.low_attained, found.range_high, found.high_attained) == expected


def product(gate: str, value: str) -> Function:
    return dataclasses.replace(get("swiglu"), factors=(gate, value))


PAIRS = [("2*x+1", "x-3"), ("relu(x)", "tanh(x)"), ("relu(x-1)", "clip(x, -1, 2)"), ("sin(x)", "x")]


@pytest.mark.parametrize(("gate", "value"), PAIRS)
def test_moments_are_products_of_those_of_the_factors(gate: str, value: str) -> None:
    found, inputs = gated_facts(product(gate, value))
    g, h = measure(pasted(gate)), measure(pasted(value))
    assert found.mean_under_N01 == pytest.approx(g.mean_under_N01 * h.mean_under_N01, abs=1e-15)
    assert found.second_moment_N01 == pytest.approx(g.second_moment_N01 * h.second_moment_N01)
    for name, moving, held in (("gate", g, h), ("value", h, g)):
        along = inputs[name]
        second = moving.second_moment_grad_N01 * held.second_moment_N01
        assert along.mean_grad_N01 == pytest.approx(
            moving.mean_grad_N01 * held.mean_under_N01, abs=1e-15
        )
        assert along.second_moment_grad_N01 == pytest.approx(second)
        assert along.gain_backward == pytest.approx(second**-0.5)
    slopes = [inputs[name].second_moment_grad_N01 for name in ("gate", "value")]
    assert found.gain_backward == pytest.approx((sum(slopes) / 2) ** -0.5)
    assert found.gain_forward == pytest.approx(found.second_moment_N01**-0.5)
    variance = found.second_moment_N01 - found.mean_under_N01**2
    assert found.nfnet_gamma == pytest.approx(variance**-0.5)
    share = abs(found.mean_under_N01) / found.second_moment_N01**0.5
    assert found.zero_centredness == pytest.approx(1 - share)


def test_moments_of_linear_factors_are_numbers() -> None:
    found, inputs = gated_facts(product("2*x+1", "x-3"))
    assert (found.mean_under_N01, found.second_moment_N01) == pytest.approx((-3, 50))
    assert inputs["gate"].second_moment_grad_N01 == pytest.approx(40)
    assert inputs["value"].second_moment_grad_N01 == pytest.approx(5)
    assert (inputs["gate"].mean_grad_N01, inputs["value"].mean_grad_N01) == pytest.approx((-6, 1))


def test_a_moment_that_one_factor_lacks_is_none_unless_the_other_is_0() -> None:
    found, inputs = gated_facts(product("exp(0.4*x**2)", "x"))
    assert (found.mean_under_N01, found.second_moment_N01) == (0, None)
    assert (found.gain_forward, found.gain_backward) == (None, None)
    assert inputs["gate"].gain_backward is None
    assert inputs["value"].second_moment_grad_N01 is None


BELOW_1 = normal_cdf(1)


@pytest.mark.parametrize(
    ("gate", "value", "by_gate", "by_value"),
    [
        ("relu(x)", "relu(x)", 0.75, 0.75),
        ("relu(x-1)", "x", BELOW_1, BELOW_1),
        ("relu(x-1)", "relu(x)", 1 - (1 - BELOW_1) / 2, 1 - (1 - BELOW_1) / 2),
        ("clip(x, -1, 2)", "x", 2 - BELOW_1 - normal_cdf(2), 0),
        ("tanh(x)", "x", 0, 0),
        ("where(x>1, x-1, 0)+3", "x", BELOW_1, 0),
    ],
)
def test_a_slope_vanishes_where_the_factor_is_flat_or_the_other_is_0(
    gate: str, value: str, by_gate: float, by_value: float
) -> None:
    _found, inputs = gated_facts(product(gate, value))
    assert inputs["gate"].zero_grad_fraction_N01 == pytest.approx(by_gate, abs=1e-15)
    assert inputs["value"].zero_grad_fraction_N01 == pytest.approx(by_value, abs=1e-15)


def test_the_steepest_slope_is_beside_the_largest_of_the_other_factor() -> None:
    _found, inputs = gated_facts(product("2*tanh(x)", "clip(3*x, -5, 4)"))
    assert (inputs["gate"].max_abs_grad, inputs["value"].max_abs_grad) == pytest.approx((10, 6))
    _found, inputs = gated_facts(product("tanh(x)", "x"))
    assert (inputs["gate"].max_abs_grad, inputs["value"].max_abs_grad) == (math.inf, 1)


def test_a_product_is_as_smooth_as_its_rougher_factor() -> None:
    for gate, value, smoothness in (
        ("x", "tanh(x)", "Cinf"),
        ("relu(x)", "tanh(x)", "C0"),
        ("tanh(x)", "relu(x)**2", "C1"),
        ("relu(x)", "sign(x)", "discontinuous"),
    ):
        assert gated_facts(product(gate, value))[0].smoothness == smoothness


@pytest.mark.parametrize(
    ("along", "held_at", "name", "text", "at_2"),
    [
        ("gate", 1.0, "swiglu(value = 1)", "x*sigmoid(x)", 2 / (1 + math.exp(-2))),
        ("gate", -2.5, "swiglu(value = -2.5)", "(x*sigmoid(x))*-2.5", -5 / (1 + math.exp(-2))),
        ("value", 0.5, "swiglu(gate = 0.5)", None, 1 / (1 + math.exp(-0.5))),
        ("gate", 0.0, "swiglu(value = 0)", "(x*sigmoid(x))*0.0", 0),
    ],
)
def test_a_slice_names_what_is_held_and_multiplies_by_it(
    along: Literal["gate", "value"], held_at: float, name: str, text: str | None, at_2: float
) -> None:
    from actlab.activations.formula import NumpyBackend

    cut = slice_of(get("swiglu"), along, held_at)
    assert cut.name == name
    assert text is None or cut.expression.text == text
    assert cut.expression.evaluate(NumpyBackend(), 2.0) == pytest.approx(at_2, rel=1e-14)
    assert (cut.along, cut.held_at, cut.values) == (along, held_at, {})
    module = cut.module().double()
    assert float(module(torch.tensor(2.0, dtype=torch.float64))) == pytest.approx(at_2, rel=1e-14)


def test_the_mean_of_a_half_normal_gate_is_the_density_at_0() -> None:
    found, inputs = gated_facts(product("relu(x)", "relu(x)"))
    assert found.mean_under_N01 == pytest.approx(normal_density(0) ** 2)
    assert inputs["gate"].mean_grad_N01 == pytest.approx(normal_density(0) / 2)
