"""What is computed over buffers is what is computed without them, and nothing else changes."""

import pytest
import torch
from torch import Tensor

from actlab.activations import Function, get
from tests.contracts.functions import ALL, an_input, module_of, name_of

every = pytest.mark.parametrize("function", ALL, ids=name_of)
RANDOM = ("gumbel_softmax",)


@every
def test_what_the_user_has_is_left_alone(function: Function) -> None:
    module, x = module_of(function), an_input(function).requires_grad_()
    torch.manual_seed(0)
    y = module(x)
    incoming = torch.linspace(-1, 2, y.numel()).reshape(y.shape)
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    owned = [x, y, incoming, *parameters]
    before = [tensor.detach().clone() for tensor in owned]
    first = torch.autograd.grad(y, [x, *parameters], incoming, retain_graph=True)
    kept = [slope.clone() for slope in first]
    second = torch.autograd.grad(y, [x, *parameters], incoming)
    assert all(map(torch.equal, owned, before))
    assert all(map(torch.equal, second, kept))
    assert all(map(torch.equal, first, kept))


@every
def test_a_recorded_backward_pass_gives_the_same_gradients(function: Function) -> None:
    module, x = module_of(function).double(), an_input(function).double().requires_grad_()
    torch.manual_seed(0)
    y = module(x)
    incoming = torch.linspace(-1, 2, y.numel(), dtype=torch.float64).reshape(y.shape)
    inputs = [x, *(parameter for parameter in module.parameters() if parameter.requires_grad)]
    plain = torch.autograd.grad(y, inputs, incoming, retain_graph=True)
    recorded = torch.autograd.grad(y, inputs, incoming, create_graph=True)
    for slope, other in zip(plain, recorded, strict=True):
        assert torch.allclose(slope, other, rtol=1e-9, atol=1e-12)


@every
def test_gradients_of_many_rows_at_once(function: Function) -> None:
    if function.name in RANDOM:
        return
    module, x = module_of(function).double(), an_input(function).double()
    rows = torch.stack([x, 0.5 * x, -x])

    def total(row: Tensor) -> Tensor:
        found: Tensor = module(row).sum()
        return found

    together = torch.func.vmap(torch.func.grad(total))(rows)
    alone = torch.stack([torch.func.grad(total)(row) for row in rows])
    assert torch.allclose(together, alone, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("mu", "sigma"), [(0.707107, 0.282095), (3.0, 0.01), (100.0, 0.5)])
def test_the_left_tail_of_the_normal_distribution_function_has_its_digits(
    mu: float, sigma: float
) -> None:
    x = torch.linspace(-12, 9, 4001) * sigma + mu
    found = get("laplace").module(mu=mu, sigma=sigma)(x).double()
    true = 0.5 * torch.special.erfc((mu - x.double()) / (sigma * 2**0.5))
    told = true > 1e-37
    assert ((found - true).abs() / true)[told].max() < 2 * torch.finfo(torch.float32).eps


@pytest.mark.parametrize("beta", [-1.0, 0.0, 1.0])
def test_a_learnt_gate_at_the_largest_numbers(beta: float) -> None:
    largest = torch.finfo(torch.float32).max
    x = torch.tensor([-torch.inf, -largest, -1e35, 1e35, largest, torch.inf], requires_grad=True)
    y = get("swish").module(beta=beta)(x)
    y.sum().backward()
    sign = torch.tensor([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0])
    gate = torch.heaviside(sign * beta, torch.tensor(0.5))
    assert torch.equal(y[1:5], (gate * x)[1:5])
    assert not y.isnan().any()
    assert x.grad is not None
    assert torch.equal(x.grad, gate)


@pytest.mark.parametrize("side", ["a", "b"])
def test_the_clamp_of_a_gated_unit_passes_gradients_at_its_limits(side: str) -> None:
    x = torch.tensor([[7.0, 2.0]]) if side == "a" else torch.tensor([[2.0, -7.0]])
    beyond = torch.nextafter(x, 2 * x)
    module = get("clamped_swiglu").module()
    place = 0 if side == "a" else 1
    for at, passes in ((x, True), (beyond, False)):
        given = at.clone().requires_grad_()
        module(given).backward()
        assert given.grad is not None
        assert (given.grad[0, place] != 0) == passes
