"""Functions of a gate and a value: facts against samples and integrals, slices, pictures."""

import math

import numpy as np
import pytest
import torch

from actlab.activations import functions, get
from actlab.activations.drawing.picture import HELD, drawn, surface
from actlab.activations.facts import hazards, of, verify
from actlab.activations.facts.gated import slice_of

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
