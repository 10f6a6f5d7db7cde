"""Functions of several numbers, against their definitions written out."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from torch.nn import functional

from actlab.activations import ParameterError, get
from actlab.activations.facts.timing import saved_bytes

# torch's forward-mode derivatives import torch.jit, which warns of itself.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

GATES = {
    "glu": lambda a, b: a * torch.sigmoid(b),
    "swiglu": lambda a, b: functional.silu(a) * b,
    "geglu": lambda a, b: functional.gelu(a) * b,
    "reglu": lambda a, b: torch.relu(a) * b,
    "bilinear_glu": lambda a, b: a * b,
}


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("dim", [-1, 1])
def test_a_gated_unit_is_its_definition(name: str, dim: int) -> None:
    x = torch.randn(3, 8, 6, generator=torch.Generator().manual_seed(1))
    a, b = x.chunk(2, dim)
    found = get(name).module(dim=dim)(x)
    assert torch.allclose(found, GATES[name](a, b), atol=1e-6)


@pytest.mark.parametrize("name", ["swiglu", "geglu", "reglu", "bilinear_glu"])
def test_a_gated_unit_refuses_an_odd_width(name: str) -> None:
    with pytest.raises(ParameterError, match="needs an even width in dimension -1, but 5"):
        get(name).module()(torch.zeros(2, 5))


@pytest.mark.parametrize("name", ["swiglu", "geglu", "reglu", "bilinear_glu"])
def test_a_gated_unit_has_every_derivative(name: str) -> None:
    module = get(name).module(dtype=torch.float64)
    x = torch.randn(3, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    x.requires_grad_()
    assert torch.autograd.gradgradcheck(module, (x,))
    assert torch.autograd.gradcheck(module, (x,), check_forward_ad=True)
    a, b = x.chunk(2, -1)
    assert torch.equal(module(x), module(a, b))


def test_a_gated_unit_shows_a_diverged_network() -> None:
    for name in ("swiglu", "geglu"):
        assert get(name).module()(torch.tensor([1e35, 1.0])).item() == pytest.approx(1e35, rel=1e-6)
        assert get(name).module()(torch.tensor([math.inf, 1.0])).item() == math.inf


def test_the_tanh_form_of_geglu() -> None:
    x = torch.randn(4, 8, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    a, b = x.chunk(2, -1)
    found = get("geglu").module(approximate=1, dtype=torch.float64)(x)
    assert torch.allclose(found, functional.gelu(a, approximate="tanh") * b, atol=1e-12)


def test_crelu_keeps_both_signs() -> None:
    x = torch.tensor([[1.0, -2.0]])
    assert get("crelu").module()(x).tolist() == [[1.0, 0.0, 0.0, 2.0]]


def test_maxout_takes_the_largest_of_neighbours() -> None:
    x = torch.tensor([[1.0, 5.0, -3.0, -4.0, 0.0, 0.5]])
    assert get("maxout").module()(x).tolist() == [[5.0, -3.0, 0.5]]
    assert get("maxout").module(pieces=3)(x).tolist() == [[5.0, 0.5]]
    with pytest.raises(ParameterError, match="multiple of 4 in dimension 1, not 6"):
        get("maxout").module(pieces=4)(x)


def test_maxout_of_an_empty_batch_is_empty() -> None:
    assert get("maxout").module()(torch.zeros(0, 6)).shape == (0, 3)


@pytest.mark.parametrize("row", [[-math.inf] * 3, [math.inf, 0.0, 0.0], [math.nan, 0.0, 1.0]])
def test_sparsemax_of_a_row_without_a_finite_maximum_is_nan(row: list[float]) -> None:
    """As softmax has it; the rows beside it are their own."""
    found = get("sparsemax").module()(torch.tensor([[1.0, 0.0, 0.0], row]))
    assert found[0].tolist() == [1.0, 0.0, 0.0]
    assert found[1].isnan().all()


def test_sparsemax_keeps_its_output_alone_and_has_every_derivative() -> None:
    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    module = get("sparsemax").module()
    assert torch.autograd.gradcheck(module, (x.requires_grad_(),), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(module, (x,))
    assert saved_bytes(module, x) == x.numel() * 8


def test_rational_pau_keeps_its_input_alone_and_has_every_derivative() -> None:
    module = get("rational_pau").module(dtype=torch.float64)
    x = torch.linspace(-6, 6, 40, dtype=torch.float64).requires_grad_()
    names = [name for name, _parameter in module.named_parameters()]

    def apply(x: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(module, dict(zip(names, parameters, strict=True)), (x,))

    assert torch.autograd.gradcheck(apply, (x, *module.parameters()), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(module, (x,))
    assert saved_bytes(module, x) <= x.numel() * 8 + 10 * 8
    far = module(torch.tensor([1e200, -1e300, math.inf], dtype=torch.float64))
    assert torch.isfinite(far[:2]).all()


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(scores=st.lists(st.floats(-5, 5), min_size=2, max_size=5))
def test_sparsemax_is_the_nearest_point_of_the_simplex(scores: list[float]) -> None:
    x = torch.tensor([scores], dtype=torch.float64)
    found = get("sparsemax").module()(x)[0].numpy()
    target = np.array(scores)
    start = np.full(len(scores), 1 / len(scores))
    solved = minimize(
        lambda p: ((p - target) ** 2).sum(),
        start,
        bounds=[(0, 1)] * len(scores),
        constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    assert ((found - target) ** 2).sum() <= solved.fun + 1e-9


def test_sparsemax_does_not_mind_a_masked_score() -> None:
    x = torch.tensor([[0.0, -math.inf, 0.5]])
    assert get("sparsemax").module()(x).tolist() == [[0.25, 0.0, 0.75]]


def test_the_rational_function_starts_near_leaky_relu_and_stays_finite() -> None:
    module = get("rational_pau").module()
    x = torch.linspace(-3, 3, 601)
    with torch.no_grad():
        off = (module(x) - functional.leaky_relu(x, 0.01)).abs().max()
    assert 0.03 < off < 0.034  # what its docstring says
    ends = torch.tensor([-3e38, -1e20, 1e20, 3e38], requires_grad=True)
    values = module(ends)
    values.sum().backward()
    assert torch.isfinite(values).all()
    assert torch.isfinite(ends.grad).all()


def test_the_rational_function_is_its_formula() -> None:
    module = get("rational_pau").module().double()
    x = torch.linspace(-2.9, 2.9, 59, dtype=torch.float64)
    p = module.numerator.detach().numpy()
    q = module.denominator.detach().numpy()
    top = np.polynomial.polynomial.polyval(x.numpy(), p)
    bottom = 1 + np.abs(np.polynomial.polynomial.polyval(x.numpy(), np.concatenate([[0], q])))
    with torch.no_grad():
        assert np.allclose(module(x).numpy(), top / bottom)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", ["swiglu", "geglu", "sparsemax", "rational_pau"])
def test_half_precision_is_computed_in_float32(name: str, dtype: torch.dtype) -> None:
    x = torch.randn(4, 8, generator=torch.Generator().manual_seed(2)).to(dtype)
    module = get(name).module().to(dtype)
    with torch.no_grad():
        found = module(x).float()
        expected = module.float()(x.float())
    assert torch.allclose(found, expected, rtol=2 * torch.finfo(dtype).eps, atol=1e-3)
