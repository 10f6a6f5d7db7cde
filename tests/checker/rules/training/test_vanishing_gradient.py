"""Gradients are compared along a way through one network, and freed of the loss's own scale."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.checker.report import Report


def deep(activation: type[nn.Module], out: int = 16) -> nn.Sequential:
    hidden = [layer for _number in range(4) for layer in (nn.Linear(16, 16), activation())]
    return nn.Sequential(*hidden, nn.Linear(16, out))


@pytest.mark.parametrize("scale", [1.0, 65536.0, torch.tensor(65536.0)])
def test_a_factor_of_the_loss_explodes_nothing(scale: float | Tensor) -> None:
    torch.manual_seed(0)
    net, x, y = deep(nn.ReLU, 3), torch.randn(64, 16), torch.arange(64) % 3
    report = actlab.check_step(lambda: F.cross_entropy(net(x), y) * scale, model=net)
    assert report.of_severity("error", "warning") == (), str(report)


def test_a_sum_over_pixels_explodes_nothing() -> None:
    torch.manual_seed(0)
    layers = [part for _n in range(3) for part in (nn.Conv2d(3, 3, 3, padding=1), nn.ReLU())]
    net, x = nn.Sequential(*layers, nn.Conv2d(3, 3, 3, padding=1)), torch.randn(4, 3, 32, 32)
    report = actlab.check_step(lambda: (net(x) - x).square().sum(), model=net)
    assert "ACT504" not in report.codes


def weighted(weight: float, model: bool) -> Report:
    torch.manual_seed(0)
    actor, critic, x = deep(nn.Tanh), deep(nn.Tanh), torch.randn(64, 16)

    def step() -> Tensor:
        loss: Tensor = weight * actor(x).square().mean() + critic(x).square().mean()
        return loss

    parts = nn.ModuleDict({"actor": actor, "critic": critic})
    return actlab.check_step(step, model=parts if model else None)


@pytest.mark.parametrize("model", [False, True])
@pytest.mark.parametrize("weight", [1e-4, 1e4])
def test_two_networks_with_unlike_weights_are_two(weight: float, model: bool) -> None:
    assert weighted(weight, model).of_severity("error", "warning") == ()


def test_a_gradient_that_fades_inside_one_of_two_networks_is_found() -> None:
    torch.manual_seed(0)
    fading = nn.Sequential(
        *[layer for _number in range(6) for layer in (nn.Linear(16, 16), nn.Sigmoid())],
        nn.Linear(16, 5),
    )
    other, x, y = deep(nn.ReLU), torch.randn(64, 16), torch.arange(64) % 5
    report = actlab.check_step(lambda: F.cross_entropy(fading(x), y) + other(x).square().mean())
    assert "ACT503" in [f.code for f in report.warnings]
