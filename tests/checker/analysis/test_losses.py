"""Likelihoods that users write, with the logarithm and without; other losses left alone."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn import functional as F

import actlab
from actlab.checker.analysis import losses
from actlab.checker.analysis.losses import LiveValues, LossCall
from actlab.checker.report import Report
from actlab.checker.targets import Targets
from tests.checker.analysis.traced import traced

Loss = Callable[[Tensor], Tensor]
N, C = 64, 5
Y, ROW = torch.arange(N) % C, torch.arange(N)
ONE_HOT = F.one_hot(Y, C).float()
FIXED = torch.Generator().manual_seed(3)
SUPPORT = torch.linspace(-4, 4, C)
REWARDS, WEIGHTS = torch.randn(N, C, generator=FIXED), torch.randn(N, generator=FIXED)


def p(z: Tensor) -> Tensor:
    return F.softmax(z, 1)


def log_p(z: Tensor) -> Tensor:
    return F.log_softmax(z, 1)


WITHOUT_LOGARITHM: dict[str, Loss] = {
    "a picked probability": lambda z: -p(z)[ROW, Y].mean(),
    "a weighted probability": lambda z: -(ONE_HOT * p(z)).sum(1).mean(),
    "a weighted score": lambda z: -(ONE_HOT * z).sum(1).mean(),
    "an einsum": lambda z: -torch.einsum("bc,bc->b", ONE_HOT, z).mean(),
    "a picked score": lambda z: -z[ROW, Y].mean(),
    "a gathered score": lambda z: -z.gather(1, Y[:, None]).mean(),
    "a score times an advantage": lambda z: -(z.gather(1, Y[:, None]).squeeze(1) * WEIGHTS).mean(),
    "soft labels, the sign on the labels": lambda z: (-F.softmax(ONE_HOT, 1) * z).sum(-1).mean(),
    "averaged over everything": lambda z: -(ONE_HOT * z).sum() / N,
}
RIGHT: dict[str, Loss] = {
    "picked": lambda z: -log_p(z)[ROW, Y].mean(),
    "weighted": lambda z: -(ONE_HOT * log_p(z)).sum(1).mean(),
    "logarithm after the pick": lambda z: -torch.log(p(z)[ROW, Y] + 1e-8).mean(),
    "policy gradient": lambda z: -(log_p(z).gather(1, Y[:, None])[:, 0] * WEIGHTS).mean(),
    "a categorical": lambda z: -(Categorical(logits=z).log_prob(Y) * WEIGHTS).mean(),
    "a value of an action": lambda z: F.smooth_l1_loss(z.gather(1, Y[:, None])[:, 0], WEIGHTS),
    "a value by one-hot": lambda z: ((z * ONE_HOT).sum(1) - WEIGHTS).pow(2).mean(),
    "a margin": lambda z: F.relu(1 - z[ROW, Y] + z[ROW, (Y + 1) % C]).mean(),
    "normalised in two terms": lambda z: torch.logsumexp(z, 1).mean() - z[ROW, Y].mean(),
    "absolute error of a probability": lambda z: (1 - p(z)[ROW, Y]).mean(),
    "focal": lambda z: (-((1 - p(z)[ROW, Y]) ** 2) * log_p(z)[ROW, Y]).mean(),
    "expected reward": lambda z: -(p(z) * REWARDS).sum(1).mean(),
    "expected value": lambda z: (
        ((p(z) * torch.linspace(-4, 4, C)).sum(1) - WEIGHTS).square().mean()
    ),
    "distillation": lambda z: -(F.softmax(REWARDS, 1) * log_p(z / 2)).sum(1).mean() * 4,
    "importance weights": lambda z: -(p(z)[ROW, Y] / torch.full((N,), 0.2) * WEIGHTS).mean(),
    "one against the rest": lambda z: -(ONE_HOT * F.logsigmoid(z)).sum(1).mean(),
    "a scaled loss": lambda z: F.cross_entropy(z, Y) * torch.tensor(65536.0),
    "what a saliency map asks": lambda z: z[ROW, Y].sum(),
}


def reports(loss: Loss) -> tuple[Report, Report]:
    torch.manual_seed(0)
    net, x = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, C)), torch.randn(N, 16)
    by_step = actlab.check_step(lambda: loss(net(x)), model=net)
    return by_step, actlab.check(net, lambda z, __: loss(z), (x, Y))


@pytest.mark.parametrize("name", WITHOUT_LOGARITHM)
def test_a_likelihood_without_its_logarithm_is_found(name: str) -> None:
    for report in reports(WITHOUT_LOGARITHM[name]):
        assert [f.code for f in report.errors] == ["ACT106"], str(report)


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_a_likelihood_or_none_is_left_alone(name: str) -> None:
    for report in reports(RIGHT[name]):
        assert report.of_severity("error", "warning") == (), str(report)


def test_the_softmax_before_a_picked_logarithm_is_seen() -> None:
    for report in reports(lambda z: -torch.log(p(p(z))[ROW, Y]).mean()):
        assert "ACT101" in report.codes


def test_a_difference_times_itself_is_a_squared_error() -> None:
    targets = torch.linspace(-3, 3, N)[:, None].expand(N, C).contiguous()

    def product(outputs: Tensor, y: Tensor) -> Tensor:
        difference = F.relu(outputs) - y
        return (difference * difference).mean()

    def computed_twice(outputs: Tensor, y: Tensor) -> Tensor:
        reached = F.relu(outputs)
        return ((reached - y) * (reached - y)).mean()

    def found(loss: Callable[[Tensor, Tensor], Tensor]) -> list[str]:
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, C))
        report = actlab.check(net, loss, (torch.randn(N, 16), targets))
        return [one.code for one in report.findings]

    expected = found(lambda z, y: F.mse_loss(F.relu(z), y))
    assert "ACT301" in expected
    assert found(product) == expected
    assert found(computed_twice) == expected


def found(
    loss: Callable[..., Any], *given: Tensor, targets: Any = (), in_loss_code: bool = True
) -> list[LossCall]:
    """Return the comparisons with a target that a function of some tensors has."""
    trace = traced(loss, *given)
    known = Targets.of(targets)
    live = LiveValues(trace, known.ids)
    return list(losses.find(trace, known, live, lambda call: in_loss_code))


def learnt(*shape: int) -> Tensor:
    """Return positive numbers that a loss can be differentiated by."""
    return (torch.rand(*shape, generator=FIXED) + 0.5).requires_grad_()


SCORES, REALS = learnt(N, C), torch.randn(N, C, generator=FIXED)

MINUS_A_NUMBER: dict[str, tuple[Loss, list[str]]] = {
    "a number taken off": (lambda z: -z[ROW, Y].mean() - 0.5, ["nll_loss"]),
    "a number taken off by name": (lambda z: torch.sub(-z[ROW, Y].mean(), other=2), ["nll_loss"]),
    "a score made small, a number taken off": (lambda z: z[ROW, Y].mean() - 0.5, []),
    "taken off a number": (lambda z: torch.tensor(3.0) - z[ROW, Y].mean(), ["nll_loss"]),
    "what it is divided by": (lambda z: -(torch.tensor(2.0) / z[ROW, Y].mean()), []),
    "divided by a number": (lambda z: -(z[ROW, Y].mean() / torch.tensor(2.0)), ["nll_loss"]),
    "flat indices": (lambda z: -torch.take_along_dim(z, (ROW * C + Y)[:, None]).mean(), []),
    "indices of rows": (lambda z: -torch.take_along_dim(z, Y[:, None], 1).mean(), ["nll_loss"]),
}


@pytest.mark.parametrize("name", MINUS_A_NUMBER)
def test_a_likelihood_keeps_its_sign_when_a_number_is_taken_off(name: str) -> None:
    loss, kinds = MINUS_A_NUMBER[name]
    assert [one.kind for one in found(loss, SCORES)] == kinds
