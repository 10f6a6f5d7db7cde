"""Means and spreads of latent distributions, by hand and by torch's own."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

import actlab
from actlab.checker.report import Report

Change = Callable[[Tensor], Tensor]


def same(x: Tensor) -> Tensor:
    return x


def coded(mean: Change = same, log_var: Change = same, spread: Change | None = None) -> Report:
    torch.manual_seed(0)
    body, loc, scale, out = nn.Linear(20, 16), nn.Linear(16, 4), nn.Linear(16, 4), nn.Linear(4, 20)
    x = torch.randn(64, 20)

    def step() -> Tensor:
        hidden = torch.tanh(body(x))
        m, v = mean(loc(hidden)), log_var(scale(hidden))
        std = torch.exp(0.5 * v) if spread is None else spread(v)
        divergence = -0.5 * (1 + v - m**2 - v.exp()).mean()
        return F.mse_loss(out(m + torch.randn_like(m) * std), x) + divergence

    return actlab.check_step(step)


def policy(mean: Change, log_std: Change, squash: Change = torch.tanh) -> Report:
    torch.manual_seed(0)
    body, loc, scale, critic = (nn.Linear(a, b) for a, b in ((6, 32), (32, 2), (32, 2), (8, 1)))
    seen = torch.randn(128, 6)

    def step() -> Tensor:
        hidden = F.elu(body(seen))
        chosen = Normal(mean(loc(hidden)), log_std(scale(hidden)).exp())
        drawn = chosen.rsample()
        value = critic(torch.cat((seen, squash(drawn)), 1)).mean()
        return 0.2 * chosen.log_prob(drawn).mean() - value

    return actlab.check_step(step)


def stretched(x: Tensor) -> Tensor:
    return -5 + 3.5 * (torch.tanh(x) + 1)


@pytest.mark.parametrize("bound", [F.relu, F.softplus, torch.sigmoid, torch.tanh])
def test_a_bound_on_a_log_variance_is_found(bound: Change) -> None:
    assert [f.code for f in coded(log_var=bound).warnings] == ["ACT308"]


@pytest.mark.parametrize("bound", [lambda v: F.relu(v).clamp(-20, 2), torch.tanh])
def test_a_bound_on_a_log_deviation_is_found(bound: Change) -> None:
    assert [f.code for f in policy(same, bound).warnings] == ["ACT308"]


def test_a_rectified_latent_mean_is_found() -> None:
    assert [f.code for f in coded(mean=F.relu).warnings] == ["ACT308"]


def test_a_mean_that_is_squashed_twice_is_found() -> None:
    report = policy(torch.tanh, lambda v: v.clamp(-20, 2))
    assert [f.code for f in report.warnings] == ["ACT309"]


RIGHT: dict[str, Callable[[], Report]] = {
    "free": coded,
    "clamped": lambda: coded(log_var=lambda v: v.clamp(-10, 10)),
    "a softplus for the spread": lambda: coded(spread=lambda v: F.softplus(v) + 1e-3),
    "a tanh that is stretched": lambda: coded(log_var=stretched),
    "a bounded code": lambda: coded(mean=torch.tanh),
    "a policy, clamped": lambda: policy(same, lambda v: v.clamp(-20, 2)),
    "a policy, stretched": lambda: policy(same, stretched),
    "a bounded mean, a plain sample": lambda: policy(torch.tanh, lambda v: v.clamp(-20, 2), same),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_needs_both_signs_and_has_them_is_left_alone(name: str) -> None:
    report = RIGHT[name]()
    assert report.of_severity("error", "warning") == (), str(report)
