"""Values and gradients of the modules where arithmetic is hardest, and the identities they obey."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from actlab.activations import Function, get
from tests.contracts.functions import (
    HALF,
    NAN_AT_INFINITY,
    SCALAR,
    module_of,
    name_of,
    value_and_gradient,
)

every_scalar = pytest.mark.parametrize("function", SCALAR, ids=name_of)
quick = settings(max_examples=40, deadline=None, derandomize=True, database=None)

reals = st.one_of(
    st.floats(-8, 8),
    st.floats(-1e-6, 1e-6),
    st.floats(-1e30, 1e30),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, 6.0, 10.0]),
)


def at(module: nn.Module, *xs: float, dtype: torch.dtype = torch.float64) -> Tensor:
    with torch.no_grad():
        result: Tensor = module(torch.tensor(xs, dtype=dtype))
    return result


IDENTITIES = {
    "celu(1) = elu": ("celu", functional.elu),
    "pelu(1, 1) = elu": ("pelu", functional.elu),
    "swish(1) = silu": ("swish", functional.silu),
    "prelu = leaky_relu(0.25)": ("prelu", lambda x: functional.leaky_relu(x, 0.25)),
    "rrelu in evaluation": ("rrelu_eval", lambda x: functional.leaky_relu(x, 11 / 48)),
    "relu6 = hardtanh(0, 6)": ("relu6", lambda x: functional.hardtanh(x, 0.0, 6.0)),
    "hardswish = x hardsigmoid": ("hardswish", lambda x: x * (x + 3).clamp(0, 6) / 6),
    "logsigmoid = -softplus(-x)": ("logsigmoid", functional.logsigmoid),
    "tanh = 2 sigmoid(2x) - 1": ("tanh", lambda x: 2 * torch.sigmoid(2 * x) - 1),
    "elliott = (1 + softsign) / 2": ("elliott", lambda x: 0.5 + 0.5 * functional.softsign(x)),
    "quick_gelu = swish(1.702)": ("quick_gelu", lambda x: x * torch.sigmoid(1.702 * x)),
    "eswish = 1.5 silu": ("eswish", lambda x: 1.5 * functional.silu(x)),
    "clipped_gelu = gelu, at most 10": ("clipped_gelu", lambda x: functional.gelu(x).clamp(max=10)),
    "star_relu = s relu_squared + b": (
        "star_relu",
        lambda x: (2 * torch.relu(x) ** 2 - 1) / math.sqrt(5),
    ),
    "acon_c(1.2, -0.8)": ("acon_c", lambda x: 2 * x * torch.sigmoid(2 * x) - 0.8 * x),
    "golu": ("golu", lambda x: x * torch.exp(-torch.exp(-x))),
    "arctan": ("arctan", torch.atan),
}


@pytest.mark.parametrize("identity", IDENTITIES)
@quick
@given(x=st.floats(-30, 30))
def test_identities_of_values(identity: str, x: float) -> None:
    name, other = IDENTITIES[identity]
    expected = float(other(torch.tensor(x, dtype=torch.float64)))
    given_value = float(at(module_of(get(name)).double(), x))
    assert given_value == pytest.approx(expected, rel=1e-6, abs=1e-6)


SLOPES = {
    "softplus": "sigmoid",
    "sparse_plus": "sparse_sigmoid",
    "silu": "dsilu",
}


@pytest.mark.parametrize("name", SLOPES)
@quick
@given(x=st.floats(-18, 18))
def test_identities_of_slopes(name: str, x: float) -> None:
    _value, slope = value_and_gradient(get(name).module(), torch.tensor([x], dtype=torch.float64))
    assert float(slope) == pytest.approx(float(at(get(SLOPES[name]).module(), x)), abs=1e-9)


@pytest.mark.parametrize(
    ("general", "values", "special"),
    [
        ("smu", {"alpha": 0.0, "mu": math.sqrt(0.5)}, "gelu"),
        ("acon_c", {"p1": 1.0, "p2": 0.0}, "silu"),
        ("bsilu", {"alpha": 0.0}, "silu"),
        ("swish", {"beta": 1.702}, "quick_gelu"),
        ("selu", {"alpha": 1.0, "scale": 1.0}, "elu"),
        ("penalized_tanh", {"a": 1.0}, "tanh"),
        ("laplace", {"mu": 0.0, "sigma": 1.0}, "normal"),
    ],
)
@quick
@given(x=st.floats(-12, 12))
def test_special_cases(general: str, values: dict[str, float], special: str, x: float) -> None:
    expected = (
        0.5 * math.erfc(-x / math.sqrt(2))
        if special == "normal"
        else float(at(module_of(get(special)).double(), x))
    )
    given_value = float(at(get(general).module(**values).double(), x))
    assert given_value == pytest.approx(expected, rel=1e-6, abs=1e-7)


@every_scalar
@quick
@given(x=reals)
def test_float32_is_float64_rounded(function: Function, x: float) -> None:
    """The criterion of the hazards, on inputs that hypothesis chooses."""
    single = torch.tensor([x], dtype=torch.float32)
    value, slope = value_and_gradient(module_of(function), single)
    with_double = module_of(function).double()
    true_value, true_slope = value_and_gradient(with_double, single.double())
    if float(true_value.abs()) > 3e38 or float(true_slope.abs()) > 3e38:
        return
    if any("float32" in exception.dtypes for exception in function.exceptions):
        return  # named in the catalogue, and tried in tests/facts/test_hazards.py
    eps = 1.2e-7
    scale = max(abs(float(true_value)), abs(x))
    assert abs(float(value) - float(true_value)) <= 5 * eps * scale + 1e-37
    bound = get(function.name).facts.max_abs_grad
    assert bound is not None
    scale = max(abs(float(true_slope)), min(bound, max(1.0, abs(x))))
    kinks = get(function.name).facts.kinks or ()
    if not any(abs(kink.x - x) < 1e-6 for kink in kinks):
        assert abs(float(slope) - float(true_slope)) <= 8 * eps * scale


@every_scalar
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_special_numbers(function: Function, dtype: torch.dtype) -> None:
    """NaN stays NaN; at infinity the limit or, without one, NaN; no gradient is NaN elsewhere."""
    module = module_of(function).to(dtype)
    assert at(module, math.nan, dtype=dtype).isnan().all()
    assert function.declared is not None
    for x, limit in zip((-math.inf, math.inf), function.declared.limits, strict=True):
        found = float(at(module, x, dtype=dtype))
        if limit is None or x in NAN_AT_INFINITY.get(function.name, ()):
            assert math.isnan(found), f"{function.name}({x}) is {found}: update NAN_AT_INFINITY"
        else:
            assert found == pytest.approx(limit, rel=1e-2)
    info = torch.finfo(dtype)
    sizes = torch.tensor([0.0, info.tiny, 1e-3, 1.0, 40.0, 300.0, 6e4], dtype=dtype)
    _values, slopes = value_and_gradient(module, torch.cat([sizes, -sizes]))
    overflowing = function.declared.steepest[0] == math.inf
    assert not slopes.isnan().any()
    assert overflowing or torch.isfinite(slopes).all()


@every_scalar
def test_a_negative_zero_is_a_zero(function: Function) -> None:
    values, slopes = value_and_gradient(module_of(function), torch.tensor([0.0, -0.0]))
    assert values[0] == values[1]
    assert slopes[0] == slopes[1]


@pytest.mark.parametrize("dtype", HALF, ids=str)
@every_scalar
def test_half_precision_is_rounded_once(function: Function, dtype: torch.dtype) -> None:
    """Within 2 ULP of float32's answer, as for a result that is computed there and rounded."""
    x = torch.linspace(-9, 9, 181).to(dtype)
    value, slope = value_and_gradient(module_of(function).to(dtype), x)
    rounded = module_of(function).to(dtype).float()
    true_value, true_slope = value_and_gradient(rounded, x.float())
    eps = torch.finfo(dtype).eps
    scale = torch.maximum(true_value.abs(), x.float().abs())
    assert ((value.float() - true_value).abs() <= 2 * eps * scale + 1e-7).all()
    scale = true_slope.abs().clamp(min=1)
    assert ((slope.float() - true_slope).abs() <= 2 * eps * scale).all()


def test_rrelu_draws_slopes_in_training_only() -> None:
    module = get("rrelu_eval").module()
    x = -torch.ones(500)
    drawn = -module(x)
    assert 0.125 <= float(drawn.min()) < float(drawn.max()) <= 1 / 3
    assert torch.allclose(-module.eval()(x), torch.full_like(x, 11 / 48))


def test_backward_keeps_the_input_alone() -> None:
    from actlab.activations.facts.timing import saved_bytes

    x = torch.randn(64, requires_grad=True)
    for name in ("tanhexp", "serf", "golu", "squareplus", "lisht", "snake"):
        assert saved_bytes(get(name).module(), x) == 64 * 4
    wide = torch.randn(4, 64, requires_grad=True)
    assert saved_bytes(get("swiglu").module(), wide) == 4 * 64 * 4
