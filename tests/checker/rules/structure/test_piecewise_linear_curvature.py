"""Second derivatives of networks: of which activations they are zero, and where none is taken."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.checker.report import Report


class Sine(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x)


def equation(activation: type[nn.Module], order: int = 2, unused: bool = True) -> Report:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(1, 32), activation(), nn.Linear(32, 32), activation(), nn.Linear(32, 1)
    )

    def step() -> Tensor:
        x = torch.rand(128, 1, requires_grad=True)
        (found,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
        if order == 2:
            (found,) = torch.autograd.grad(
                found.sum(), x, create_graph=True, allow_unused=unused, materialize_grads=unused
            )
        return (found + torch.sin(x)).square().mean() + net(torch.zeros(1, 1)).square().mean()

    return actlab.check_step(step, model=net)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ReLU6])
def test_an_activation_without_curvature_is_found(activation: type[nn.Module]) -> None:
    assert "ACT409" in [f.code for f in equation(activation).warnings]


def test_a_derivative_that_must_be_used_is_found_too() -> None:
    assert "ACT409" in equation(nn.ReLU, unused=False).codes


@pytest.mark.parametrize("activation", [nn.Tanh, nn.SiLU, nn.GELU, nn.Softplus, Sine])
def test_a_curved_activation_is_left_alone(activation: type[nn.Module]) -> None:
    assert equation(activation).of_severity("error", "warning") == ()


def test_a_first_derivative_is_left_alone() -> None:
    assert equation(nn.ReLU, order=1).of_severity("error", "warning") == ()


def test_steps_on_fast_weights_are_no_second_derivative() -> None:
    torch.manual_seed(0)
    weights = [nn.Parameter(0.3 * torch.randn(*shape)) for shape in ((16, 4), (16,), (1, 16))]
    x, y = torch.randn(32, 4), torch.randn(32, 1)

    def cost(given: list[Tensor]) -> Tensor:
        return F.mse_loss(F.linear(F.relu(F.linear(x, given[0], given[1])), given[2]), y)

    def step() -> Tensor:
        fast: list[Tensor] = list(weights)
        for _inner in range(3):
            moves = torch.autograd.grad(cost(fast), fast, create_graph=True)
            fast = [w - 0.01 * move for w, move in zip(fast, moves, strict=True)]
        return cost(fast)

    assert actlab.check_step(step).of_severity("error", "warning") == ()
