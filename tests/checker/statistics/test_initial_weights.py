"""Gains against Gaussian moments, fan-in against torch's own, and the defaults of torch."""

import pytest
import torch
from torch import nn

from actlab.checker.api import check
from actlab.checker.captured_step import Program, captured
from actlab.checker.rules.initialisation.init_never_called import _is_default
from actlab.checker.statistics.initial_weights import fan_in, fits_of
from actlab.checker.targets import Targets


def fits(act: nn.Module, layer: nn.Module, x: torch.Tensor):
    net = nn.Sequential(layer, act, nn.Flatten(), nn.LazyLinear(3))
    net(x)
    program = Program(lambda done: net(x).square().mean(), net, (net,), Targets(), inputs=x)
    with captured(program, None) as step:
        return fits_of(step)


@pytest.mark.parametrize(
    ("act", "gain"),
    [
        (nn.ReLU(), 2.0),
        (nn.LeakyReLU(0.2), 2 / 1.04),
        (nn.PReLU(init=0.25), 2 / 1.0625),
        (nn.Tanh(), 25 / 9),
        (nn.SELU(), 1.0),
        (nn.Sigmoid(), 1.0),
    ],
)
def test_gains_of_the_rules(act: nn.Module, gain: float) -> None:
    (fit,) = fits(act, nn.Linear(40, 50), torch.randn(4, 40))
    assert fit.gain == pytest.approx(gain, rel=1e-4)
    assert fit.size == pytest.approx(1 / 3, rel=0.1)  # U(-1/sqrt(n), 1/sqrt(n)): variance 1/(3n)


def test_the_gain_of_gelu_is_that_of_a_sample() -> None:
    (fit,) = fits(nn.GELU(), nn.Linear(40, 50), torch.randn(4, 40))
    z = torch.randn(2_000_000, generator=torch.Generator().manual_seed(0))
    assert fit.gain == pytest.approx(1 / float(nn.functional.gelu(z).square().mean()), rel=0.01)


def test_fan_in_is_torchs() -> None:
    for layer, op in ((nn.Linear(7, 3), "linear"), (nn.Conv2d(4, 6, 3, groups=2), "conv")):
        expected, _ = nn.init._calculate_fan_in_and_fan_out(layer.weight)
        assert fan_in(layer.weight, op) == expected
    assert fan_in(torch.zeros(4, 6, 3), "conv_transpose") is None


def test_defaults_are_told_from_everything_else() -> None:
    torch.manual_seed(0)
    missed = sum(not _is_default(nn.Linear(30, 40).weight.detach(), 30) for _ in range(200))
    assert missed <= 2
    others = (
        lambda w: nn.init.kaiming_normal_(w),
        lambda w: nn.init.xavier_uniform_(w),
        lambda w: nn.init.normal_(w, std=0.02),
        lambda w: nn.init.uniform_(w, -0.1, 0.1),
    )
    for other in others:
        weight = nn.Linear(30, 40).weight
        other(weight)
        assert not _is_default(weight.detach(), 30)


def test_a_trained_network_is_not_called_fresh() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.out = nn.Linear(20, 30), nn.Linear(30, 2)

        def init_weights(self) -> None:
            nn.init.zeros_(self.out.weight)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(torch.relu(self.hidden(x)))

    torch.manual_seed(0)
    net, batch = Net(), (torch.randn(64, 20), torch.arange(64) % 2)
    assert "ACT605" in check(net, nn.CrossEntropyLoss(), batch).codes
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    for _step in range(5):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(batch[0]), batch[1]).backward()
        optimizer.step()
    assert "ACT605" not in check(net, nn.CrossEntropyLoss(), batch).codes
