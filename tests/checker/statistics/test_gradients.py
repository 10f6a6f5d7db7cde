"""Gradients of a captured step: halves against two separate steps, sizes against autograd's."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.captured_step import Program, captured
from actlab.checker.statistics.one_step import (
    early,
    gradients_of,
    half_gradients,
    loss_scale,
    quotient,
)
from actlab.checker.targets import Targets
from actlab.unit_statistics import root_mean_square, total_norm


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 4, 3), nn.Linear(4 * 16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.tanh(self.conv(x)).flatten(1))


def program(net: nn.Module, x: Tensor, y: Tensor, loss=F.cross_entropy) -> Program:
    def run(model_done):
        output = net(x)
        model_done(output)
        return loss(output, y)

    return Program(run, net, (net,), Targets.of(y), inputs=x)


def test_halves_are_two_separate_steps() -> None:
    torch.manual_seed(0)
    net = Net()
    x, y = torch.randn(10, 1, 6, 6), torch.arange(10) % 3
    with captured(program(net, x, y), None) as step:
        found = [half_gradients(step, layer) for layer in step.layers]
    for number, half in enumerate((slice(0, 5), slice(5, 10))):
        net.zero_grad()
        (F.cross_entropy(net(x[half]), y[half], reduction="sum") / 10).backward()
        for layer, weight in zip(found, (net.conv.weight, net.out.weight), strict=True):
            assert layer is not None
            expected = float(weight.grad.square().mean().sqrt())
            assert layer[number] == pytest.approx(expected, rel=1e-4)


def test_norms_are_those_of_clip_grad_norm() -> None:
    torch.manual_seed(0)
    net = Net()
    x, y = torch.randn(10, 1, 6, 6), torch.arange(10) % 3
    with captured(program(net, x, y), None) as step:
        (measure,) = gradients_of(step)
    F.cross_entropy(net(x), y).backward()
    norm = nn.utils.clip_grad_norm_(net.parameters(), math.inf)
    assert measure.norms == (pytest.approx(float(norm), rel=1e-5),)
    flat = torch.cat([p.detach().flatten() for p in net.parameters()])
    assert measure.parameters == pytest.approx(float(flat.norm()), rel=1e-5)
    assert [layer.label for layer in measure.layers] == ["conv (conv)", "out (linear)"]


def test_frozen_and_zero_layers_do_not_count() -> None:
    net = Net()
    net.conv.weight.requires_grad_(False)
    x, y = torch.randn(4, 1, 6, 6), torch.arange(4) % 3
    with captured(program(net, x, y), None) as step:
        assert [way.depth for way in gradients_of(step)] == [1]
    nn.init.zeros_(net.out.weight)
    with captured(program(net, x, y), None) as step:
        assert gradients_of(step) == []


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (F.cross_entropy, 1),
        (lambda o, y: F.cross_entropy(o, y, reduction="sum"), 10),
        (lambda o, y: (o - o.detach() + y[:, None]).square().sum() + 3.0, 30),
        (lambda o, y: (o - o.detach() + y[:, None]).square().sum(dim=1).mean(), 3),
        (lambda o, y: 65536.0 * F.cross_entropy(o, y), 65536),
    ],
)
def test_sums_over_the_batch_are_told_from_means(loss, expected: int) -> None:
    x, y = torch.randn(10, 1, 6, 6), torch.arange(10) % 3
    with captured(program(Net(), x, y, loss), None) as step:
        assert loss_scale(step) == expected


def test_two_networks_of_one_step_are_not_compared() -> None:
    torch.manual_seed(0)
    actor, critic = (nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)) for _ in "ac")
    x = torch.randn(6, 4)

    def run(model_done):
        model_done(None)
        return actor(x).square().mean() + 1e-6 * critic(x).square().mean()

    with captured(Program(run, None, (actor, critic), Targets(), inputs=x), None) as step:
        ways = gradients_of(step)
    assert [len(way.layers) for way in ways] == [2, 2]
    assert all(way.weakest is not None and way.weakest.ratios[0] > 0.01 for way in ways)


def test_arithmetic() -> None:
    assert float(root_mean_square(torch.tensor([3.0, 4.0]))) == pytest.approx(math.sqrt(12.5))
    assert total_norm([(5.0, 1), (6.0, 4)]) == 13.0
    assert math.isnan(quotient(0.0, 0.0))
    assert [early(depth) for depth in (1, 4, 7, 8, 26)] == [1, 1, 1, 2, 6]
