"""Mixtures of densities in a loss: which of their parts are weights, and which densities."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from actlab.checker.analysis import mixtures
from actlab.checker.analysis.mixtures import summands
from tests.checker.analysis.steps import bare_step, outcome, value_in

FIXED = torch.Generator().manual_seed(3)
N, K = 8, 3


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=FIXED)


LAYER, RAW, MEANS = nn.Linear(4, K), random(N, K).requires_grad_(), random(K).requires_grad_()
X, Y, TIED = random(N, 4), random(N, 1), random(N, K)
Loss = Callable[[], Tensor]


def density() -> Tensor:
    return -0.5 * (Y - MEANS).pow(2)


def bump() -> Tensor:
    return torch.exp(density())


def cumulative(x: Tensor) -> Tensor:
    return torch.sigmoid(x) - torch.sigmoid(x - 1)


LOGGED: dict[str, tuple[Loss, int]] = {
    "a layer": (lambda: -torch.logsumexp(LAYER(X) + density(), 1).mean(), 1),
    "the other way": (lambda: -torch.logsumexp(density() + LAYER(X), 1).mean(), 1),
    "a parameter": (lambda: -torch.logsumexp(RAW + density(), 1).mean(), 1),
    "the last dimension": (lambda: -torch.logsumexp(RAW + density(), -1).mean(), 1),
    "by name": (lambda: -torch.logsumexp(RAW + density(), dim=1).mean(), 1),
    "in a list": (lambda: -torch.logsumexp(RAW + density(), [1]).mean(), 1),
    "in a tuple": (lambda: -torch.logsumexp(RAW + density(), dim=(-1,)).mean(), 1),
    "three dimensions": (
        lambda: -torch.logsumexp(RAW[None] + density()[None], 2).mean(), 2
    ),
    "the first dimension": (lambda: -torch.logsumexp(RAW + density(), 0).mean(), 0),
    "log-softmax": (
        lambda: -torch.logsumexp(F.log_softmax(LAYER(X), 1) + density(), 1).mean(), 1
    ),
    "log-sigmoid": (lambda: -torch.logsumexp(F.logsigmoid(RAW) + density(), 1).mean(), 1),
    "log of positive": (
        lambda: -torch.logsumexp(F.softplus(RAW).log() + density(), 1).mean(), 1
    ),
    "viewed": (lambda: -torch.logsumexp(LAYER(X).view(N, K) + density(), 1).mean(), 1),
    "absolute": (lambda: -torch.logsumexp(RAW - 1e-8 + -(Y - MEANS).abs(), 1).mean(), 1),
    "square": (lambda: -torch.logsumexp(RAW + -torch.square(Y - MEANS), 1).mean(), 1),
    "two densities": (
        lambda: -torch.logsumexp(RAW + density() + -(Y - MEANS).abs(), 1).mean(), 1
    ),
    "with a number": (lambda: -torch.logsumexp(RAW + density() + 2.0, 1).mean(), 1),
    "of torch": (
        lambda: -torch.logsumexp(RAW + Normal(MEANS, 1.0).log_prob(Y), 1).mean(), 1
    ),
    "of an interval": (
        lambda: -torch.logsumexp(RAW + cumulative(Y - MEANS).log(), 1).mean(), 1
    ),
}  # fmt: skip
NO_MIXTURES: dict[str, Loss] = {
    "all dimensions": lambda: -torch.logsumexp(RAW + density(), (0, 1)).mean(),
    "a row": lambda: -torch.logsumexp(MEANS + -(MEANS * 2).pow(2), 0).mean(),
    "made great": lambda: torch.logsumexp(RAW + density(), 1).mean(),
    "scores alone": lambda: -torch.logsumexp(LAYER(X), 1).mean(),
    "densities alone": lambda: -torch.logsumexp(density() + density(), 1).mean(),
    "two layers": lambda: -torch.logsumexp(LAYER(X) + RAW + density(), 1).mean(),
    "two layers alone": lambda: -torch.logsumexp(LAYER(X) + RAW, 1).mean(),
    "weights for all": lambda: -torch.logsumexp(MEANS + density(), 1).mean(),
    "a tie": lambda: -torch.logsumexp(TIED + density(), 1).mean(),
    "no density": lambda: -torch.logsumexp(RAW + (Y - MEANS), 1).mean(),
    "densities that are given": lambda: -torch.logsumexp(RAW + TIED.pow(2), 1).mean(),
    "one sigmoid": lambda: -torch.logsumexp(RAW + (Y - torch.sigmoid(MEANS)), 1).mean(),
    "a sum of two": lambda: (
        -torch.logsumexp(RAW + (torch.sigmoid(Y - MEANS) + torch.tanh(Y - MEANS)).sin(), 1).mean()
    ),
    "of plain tensors": lambda: -torch.logsumexp(TIED + -TIED.pow(2), 1).mean() + RAW.mean(),
    "of products, made great": lambda: (F.softplus(RAW) * bump()).sum(1).log().mean(),
}
PRODUCTS: dict[str, tuple[Loss, int]] = {
    "softplus": (lambda: -(F.softplus(RAW) * bump()).sum(1).log().mean(), 1),
    "the other way": (lambda: -(bump() * F.softplus(RAW)).sum(1).log().mean(), 1),
    "exp": (lambda: -(RAW.exp() * bump()).sum(-1).log().mean(), 1),
    "sigmoid": (lambda: -(torch.sigmoid(LAYER(X)) * bump()).sum(dim=1).log().mean(), 1),
    "relu": (lambda: -(F.relu(RAW) * bump()).sum((1,)).log().mean(), 1),
    "abs": (lambda: -(RAW.abs() * bump()).sum([-1]).log().mean(), 1),
    "square": (lambda: -(RAW.square() * bump()).sum(0).log().mean(), 0),
    "epsilon": (lambda: -((RAW.exp() * bump()).sum(1) + 1e-8).log().mean(), 1),
    "three dimensions": (lambda: -(RAW.exp()[None] * bump()[None]).sum(2).log().mean(), 2),
    "over a number": (lambda: -(RAW.exp() * (bump() / 2.5)).sum(1).log().mean(), 1),
    "over its width": (
        lambda: -(RAW.exp() * (bump() / MEANS.exp())).sum(1).log().mean(), 1
    ),
    "times a number": (lambda: -(RAW.exp() * (0.4 * bump())).sum(1).log().mean(), 1),
    "times and over": (lambda: -(RAW.exp() * (0.4 * bump() / 3)).sum(1).log().mean(), 1),
    "six factors": (
        lambda: -(RAW.exp() * (bump() * 2 / 3 * 4 / 5 * 6 / 7)).sum(1).log().mean(), 1
    ),
}  # fmt: skip
NO_PRODUCTS: dict[str, Loss] = {
    "all of them": lambda: -(RAW.exp() * bump()).sum().log(),
    "two dimensions": lambda: -(RAW.exp() * bump()).sum((0, 1)).log(),
    "a mean": lambda: -(RAW.exp() * bump()).mean(1).log().mean(),
    "no product": lambda: -(RAW.exp() + bump()).sum(1).log().mean(),
    "a parameter's sum": lambda: -RAW.exp().sum(1).log().mean(),
    "what is given, summed": lambda: -RAW.sum(1).log().mean(),
    "a number": lambda: -(bump() * 2).sum(1).log().mean(),
    "shares": lambda: -(RAW.softmax(1) * bump()).sum(1).log().mean(),
    "scores": lambda: -(RAW * bump()).sum(1).log().mean(),
    "two weights": lambda: -(RAW.exp() * F.softplus(RAW)).sum(1).log().mean(),
    "two densities": lambda: -(bump() * bump()).sum(1).log().mean(),
    "positive of no layer": lambda: -(RAW.sin().exp() * bump()).sum(1).log().mean(),
    "a tie": lambda: -(TIED.exp() * bump()).sum(1).log().mean(),
    "weights for all": lambda: -(MEANS.exp() * bump()).sum(1).log().mean(),
    "no density": lambda: -(RAW.exp() * torch.exp(Y - MEANS)).sum(1).log().mean(),
    "no exponential": lambda: -(RAW.exp() * density()).sum(1).log().mean(),
    "a density below": lambda: -(RAW.exp() * (2 / bump())).sum(1).log().mean(),
    "two sums": lambda: (
        -torch.cat([(RAW.exp() * bump()).sum(1), (RAW.exp() * bump()).sum(1)]).log().mean()
    ),
    "seven factors": lambda: (
        -(RAW.exp() * (bump() * 2 / 3 * 4 / 5 * 6 / 7 * 8)).sum(1).log().mean()
    ),
}


def answers(loss: Loss) -> list[tuple[int, bool, torch.Size]]:
    return [(m.dim, m.logged, m.weights.shape) for m in mixtures.mixtures(bare_step(loss)[0])]


@pytest.mark.parametrize("name", LOGGED)
def test_a_logarithm_of_summed_exponentials_is_a_mixture(name: str) -> None:
    loss, dim = LOGGED[name]
    ((found, logged, shape),) = answers(loss)
    assert (found, logged) == (dim, True)
    assert shape[-2:] == (N, K)


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_logarithm_of_summed_products_is_a_mixture(name: str) -> None:
    loss, dim = PRODUCTS[name]
    ((found, logged, shape),) = answers(loss)
    assert (found, logged) == (dim, False)
    assert shape[-2:] == (N, K)


@pytest.mark.parametrize("loss", [*NO_MIXTURES.values(), *NO_PRODUCTS.values()],
                         ids=[*NO_MIXTURES, *NO_PRODUCTS])  # fmt: skip
def test_what_is_no_mixture_is_left_alone(loss: Loss) -> None:
    assert answers(loss) == []


def test_the_weights_of_a_mixture_are_what_the_layer_says() -> None:
    made: list[Tensor] = []

    def run() -> Tensor:
        made.append(LAYER(X))
        return -torch.logsumexp(density() + made[0], 1).mean()

    step, _ = bare_step(run)
    (one,) = mixtures.mixtures(step)
    assert one.weights is value_in(step.trace, made[0])
    assert one.call.op == "logsumexp"


def ids(values: Iterable[Any]) -> list[int]:
    return [id(value.tensor) for value in values]


def test_the_summands_of_a_sum_are_its_tensors() -> None:
    a, b, c = random(3), random(3), random(3)
    assert ids(summands(outcome(lambda: a.add(b)))) == ids_of(a, b)
    assert ids(summands(outcome(lambda: a + (b + c)))) == ids_of(a, b, c)
    assert ids(summands(outcome(lambda: a + 1.0 + b))) == ids_of(a, b)
    for alone in (outcome(lambda: a * b), outcome(lambda: a - b)):
        assert list(summands(alone)) == [alone]


def ids_of(*tensors: Tensor) -> list[int]:
    return [id(tensor) for tensor in tensors]


@pytest.mark.parametrize(("count", "reached"), [(1, True), (6, True), (7, True), (8, False)])
def test_a_sum_is_followed_through_seven_sums(count: int, reached: bool) -> None:
    first = random(3)

    def nested() -> Tensor:
        term = first
        for _ in range(count):
            term = term + 1.0
        return term

    (end,) = summands(outcome(nested))
    assert (end.tensor is first) is reached
