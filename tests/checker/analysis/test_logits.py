"""Class scores: what softmax and sigmoid are applied to, and how far such scores can go."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical
from torch.nn import functional as F

from actlab.capture.trace import Call, Value
from actlab.checker.analysis.logits import (
    compares_samples,
    cross_entropy_floor,
    greatest_probability,
    is_similarity,
    logits_of,
    sigmoid,
    softmax_dim,
    softplus,
    written_sigmoid,
)
from actlab.checker.analysis.origins import origins
from tests.checker.analysis.steps import bare_step, outcome

X = torch.linspace(-2, 2, 12).reshape(3, 4)

SIGMOIDS: dict[str, Callable[[Tensor], Tensor]] = {
    "over": lambda x: 1 / (1 + torch.exp(-x)),
    "over, the one behind": lambda x: 1.0 / (torch.exp(-x) + 1.0),
    "reciprocal": lambda x: torch.reciprocal(1 + torch.exp(torch.neg(x))),
    "by name": lambda x: 1 / torch.add(torch.exp(-x), other=1),
}
NO_SIGMOIDS: dict[str, Callable[[Tensor], Tensor]] = {
    "two over": lambda x: 2 / (1 + torch.exp(-x)),
    "two below": lambda x: 1 / (2 + torch.exp(-x)),
    "not negative": lambda x: 1 / (1 + torch.exp(x)),
    "of a product": lambda x: 1 / (1 + torch.exp(x * 2)),
    "another power": lambda x: 1 / (1 + torch.exp2(-x)),
    "of what is given": lambda x: 1 / (1 + x),
    "a difference": lambda x: 1 / (1 - torch.exp(-x)),
    "of a sum of two": lambda x: 1 / (torch.exp(-x) + torch.exp(x)),
    "not below": lambda x: (1 + torch.exp(-x)) / 1,
    "one of all": lambda x: 1 / x,
    "the sum alone": lambda x: 1 + torch.exp(-x),
    "the sum times one": lambda x: (1 + torch.exp(-x)) * 1,
    "torch's own": torch.sigmoid,
}


@pytest.mark.parametrize("name", SIGMOIDS)
def test_a_sigmoid_that_is_written_out_is_known(name: str) -> None:
    value = outcome(SIGMOIDS[name], X)
    assert torch.allclose(value.tensor, torch.sigmoid(X))
    assert value.call is not None
    given = written_sigmoid(value.call)
    assert given is not None
    assert given.tensor is X


@pytest.mark.parametrize("name", NO_SIGMOIDS)
def test_what_is_like_a_sigmoid_is_none(name: str) -> None:
    value = outcome(NO_SIGMOIDS[name], X)
    assert value.call is not None
    assert written_sigmoid(value.call) is None


N, C = 8, 5
Y = torch.arange(N) % C
ROW, HOT = torch.arange(N), F.one_hot(Y, C).float()
Z = torch.randn(N, C, generator=torch.Generator().manual_seed(3)).requires_grad_()
MAPS = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(4)).requires_grad_()
PLACES = torch.arange(32).reshape(2, 4, 4) % 3
BITS = torch.arange(N) % 2 * 1.0

Score = tuple[str, str, int, int]
SCORES: dict[str, tuple[Callable[[], Tensor], list[Score]]] = {
    "cross entropy": (lambda: F.cross_entropy(Z, Y), [("softmax", "cross_entropy", 1, C)]),
    "maps": (lambda: F.cross_entropy(MAPS, PLACES), [("softmax", "cross_entropy", 1, 3)]),
    "margins": (lambda: F.multi_margin_loss(Z, Y), [("softmax", "multi_margin_loss", 1, C)]),
    "a policy": (
        lambda: Categorical(logits=Z).log_prob(Y), [("softmax", "logsumexp", 1, C)]
    ),
    "labels": (
        lambda: F.binary_cross_entropy_with_logits(Z, HOT), [("sigmoid", "bce_logits", 1, C)]
    ),
    "soft margins": (
        lambda: F.soft_margin_loss(Z, HOT), [("sigmoid", "soft_margin_loss", 1, C)]
    ),
    "labels with margins": (
        lambda: F.multilabel_soft_margin_loss(Z, HOT),
        [("sigmoid", "multilabel_soft_margin_loss", 1, C)],
    ),
    "one label": (
        lambda: F.binary_cross_entropy_with_logits(Z[:, 0], BITS), [("sigmoid", "bce_logits", 0, N)]
    ),
    "a scalar": (
        lambda: F.binary_cross_entropy_with_logits(Z.mean(), torch.tensor(1.0)),
        [("sigmoid", "bce_logits", 0, 1)],
    ),
    "log-probabilities": (
        lambda: F.nll_loss(F.log_softmax(Z, 1), Y), [("softmax", "log_softmax", 1, C)]
    ),
    "log-probabilities of maps": (
        lambda: F.nll_loss(F.log_softmax(MAPS, -3), PLACES), [("softmax", "log_softmax", 1, 3)]
    ),
    "logarithms": (
        lambda: F.nll_loss(F.softmax(Z, 1).log(), Y), [("softmax", "softmax", 1, C)]
    ),
    "divergence": (
        lambda: F.kl_div(F.log_softmax(Z, 1), HOT, reduction="sum"),
        [("softmax", "log_softmax", 1, C)],
    ),
    "probabilities": (
        lambda: F.binary_cross_entropy(torch.sigmoid(Z), HOT), [("sigmoid", "sigmoid", 1, C)]
    ),
    "probabilities of scalars": (
        lambda: F.binary_cross_entropy(torch.sigmoid(Z.mean()), torch.tensor(1.0)),
        [("sigmoid", "sigmoid", 0, 1)],
    ),
    "probabilities that are written out": (
        lambda: F.binary_cross_entropy(1 / (1 + torch.exp(-Z)), HOT), [("sigmoid", "rdiv", 1, C)]
    ),
    "a scalar that is written out": (
        lambda: F.binary_cross_entropy(1 / (1 + torch.exp(-Z.mean())), torch.tensor(1.0)),
        [("sigmoid", "rdiv", 0, 1)],
    ),
    "log-sigmoids": (
        lambda: F.nll_loss(F.logsigmoid(Z), Y), [("sigmoid", "logsigmoid", 1, C)]
    ),
    "a policy's probabilities": (
        lambda: Categorical(probs=F.softmax(Z, 1)).log_prob(Y), [("softmax", "softmax", 1, C)]
    ),
    "softmax twice": (
        lambda: F.cross_entropy(F.softmax(Z, 1), Y),
        [("softmax", "cross_entropy", 1, C), ("softmax", "softmax", 1, C)],
    ),
    "sigmoid, then softmax": (
        lambda: F.cross_entropy(torch.sigmoid(Z), Y),
        [("softmax", "cross_entropy", 1, C), ("sigmoid", "sigmoid", 1, C)],
    ),
    "two heads": (
        lambda: F.nll_loss(torch.cat([F.log_softmax(Z, 1), F.logsigmoid(Z)], 1), Y),
        [("softmax", "log_softmax", 1, C), ("sigmoid", "logsigmoid", 1, C)],
    ),
    "two losses of one": (
        lambda: F.nll_loss(p := F.log_softmax(Z, 1), Y) + F.kl_div(p, HOT, reduction="sum"),
        [("softmax", "log_softmax", 1, C)],
    ),
    "two losses": (
        lambda: F.cross_entropy(Z, Y) + F.cross_entropy(Z, Y),
        [("softmax", "cross_entropy", 1, C)] * 2,
    ),
    "what is given": (lambda: F.binary_cross_entropy(Z.detach() * 0, HOT), []),
    "noise": (lambda: F.nll_loss(torch.cat([Z, torch.zeros(N, 1)], 1), Y), []),
    "distance": (lambda: F.mse_loss(torch.sigmoid(Z), HOT), []),
}  # fmt: skip


@pytest.mark.parametrize("name", SCORES)
def test_the_scores_that_a_loss_normalises(name: str) -> None:
    loss, expected = SCORES[name]
    step, _ = bare_step(loss)
    first = step.loss_calls[0]
    found = [one for one in logits_of(step) if not one.loss.custom or one.loss is first]
    answer = [(one.normaliser, one.consumer.op, one.dim, one.classes) for one in found]
    assert answer == expected
    ends = [{id(end.value.tensor) for end in origins(one.value)} for one in found]
    assert all(
        part & {id(Z), id(MAPS)} or "scalar" in name or one.consumer.op == "cross_entropy"
        for part, one in zip(ends, found, strict=True)
    )


def softmax_of(op: str, ndim: int, *args: Any, **kwargs: Any) -> Call:
    value = Value(torch.zeros((2,) * ndim), 0)
    return Call(0, op, None, (value, *args), kwargs, (value,))


@pytest.mark.parametrize(
    ("call", "dim"),
    [
        *((softmax_of("softmax", ndim), dim)
          for ndim, dim in ((0, 0), (1, 0), (2, 1), (3, 0), (4, 1), (5, 1))),
        *((softmax_of("softmax", ndim, None), dim) for ndim, dim in ((2, 1), (3, 0))),
        (softmax_of("softmax", 3, 1), 1), (softmax_of("softmax", 3, -1), 2),
        (softmax_of("log_softmax", 3, dim=-2), 1), (softmax_of("softmax", 3, dim=0), 0),
        (softmax_of("softmax", 0, -1), 0), (softmax_of("softmax", 1, -1), 0),
        (softmax_of("gumbel_softmax", 3), 2), (softmax_of("gumbel_softmax", 3, 1.0, True), 2),
        (softmax_of("gumbel_softmax", 3, 1, False, 1e-10, 1), 1),
        (softmax_of("gumbel_softmax", 3, 1, dim=0), 0),
    ],
)  # fmt: skip
def test_the_dimension_that_a_softmax_normalises(call: Call, dim: int) -> None:
    assert softmax_dim(call) == dim


@pytest.mark.filterwarnings("ignore:Implicit dimension")
@pytest.mark.parametrize("ndim", range(6))
def test_without_a_dimension_it_is_the_one_that_torch_takes(ndim: int) -> None:
    z = torch.randn((3,) * ndim, generator=torch.Generator().manual_seed(ndim))
    value = outcome(lambda z: F.softmax(z), z)
    assert value.call is not None
    assert torch.equal(F.softmax(z, softmax_dim(value.call)), value.tensor)


A, B = torch.randn(6, 3, requires_grad=True), torch.randn(6, 3, requires_grad=True)
W, PLAIN = torch.randn(6, 3, requires_grad=True), torch.randn(6, 3)
LAYER, SQUARE = torch.nn.Linear(3, 3), torch.randn(3, 3, requires_grad=True)
SIMILARITIES: dict[str, tuple[Callable[[], Tensor], bool, bool]] = {
    "products": (lambda: LAYER(A) @ LAYER(B).T, True, True),
    "products over a temperature": (lambda: (LAYER(A) @ LAYER(B).T) / 0.1 + 1, True, True),
    "minus products": (lambda: -(LAYER(A) @ LAYER(B).T) - 1, True, True),
    "distances": (lambda: torch.cdist(A, B), True, True),
    "minus distances": (lambda: -torch.cdist(A, B), True, True),
    "squares of distances": (lambda: -torch.cdist(A, B).square(), False, True),
    "powers of distances": (lambda: torch.cdist(A, B) ** 2, False, True),
    "clamped": (lambda: torch.cdist(A, B).clamp(0, 4), False, True),
    "to fewer": (lambda: torch.cdist(A, B[:4]), False, True),
    "in batches": (lambda: torch.cdist(A[None], B[None]), False, True),
    "products with weights": (lambda: LAYER(A) @ W.T, False, False),
    "products with what was looked up": (lambda: LAYER(A) @ W[ROW[:6]].T, True, True),
    "products of what is given": (lambda: PLAIN.clone() @ PLAIN.T, True, True),
    "normalised products": (lambda: F.normalize(A) @ W.T, False, True),
    "weights with products": (lambda: W @ LAYER(A).T, False, False),
    "products to fewer": (lambda: LAYER(A) @ LAYER(B[:4]).T, False, False),
    "cosines": (lambda: F.cosine_similarity(A[:, None], W[None], dim=-1), False, True),
    "angles": (lambda: torch.acos(F.cosine_similarity(A[:, None], W[None], dim=-1)), False, True),
    "distances of pairs": (lambda: F.pairwise_distance(A, B), False, True),
    "normalised features": (lambda: F.linear(F.normalize(A), F.normalize(W)), False, True),
    "normalised weights": (lambda: 3 * F.linear(A, F.normalize(W)), False, True),
    "a normalised bias": (lambda: F.linear(A, W, F.normalize(W[:, :1])[:, 0]), False, False),
    "a layer": (lambda: LAYER(A), False, False),
    "a square layer": (lambda: F.linear(SQUARE, W[:3]), False, False),
    "a rectified layer": (lambda: F.relu(LAYER(A)), False, False),
    "a product of numbers": (lambda: A * B, False, False),
    "what is given": (lambda: A.view(3, 6), False, False),
    "a square that is given": (lambda: SQUARE.clone(), False, False),
}  # fmt: skip


@pytest.mark.parametrize("name", SIMILARITIES)
def test_a_similarity_is_told_from_scores_of_a_layer(name: str) -> None:
    function, square, similarity = SIMILARITIES[name]
    value = outcome(function)
    assert (compares_samples(value), is_similarity(value)) == (square, similarity)


@pytest.mark.parametrize("classes", [1, 2, 3, 10, 1000])
@pytest.mark.parametrize("width", [0.0, 0.5, 1.0, 2.0, 6.0])
def test_the_bounds_of_scores_are_those_of_torch(classes: int, width: float) -> None:
    scores = torch.zeros(1, classes, dtype=torch.float64)
    scores[0, 0] = width
    least = F.cross_entropy(scores, torch.tensor([0])).item()
    assert cross_entropy_floor(classes, width) == pytest.approx(least)
    assert greatest_probability(classes, width) == pytest.approx(scores.softmax(1)[0, 0].item())
    if width == 1.0:
        assert cross_entropy_floor(classes) == pytest.approx(least)
        assert greatest_probability(classes) == pytest.approx(scores.softmax(1)[0, 0].item())


@pytest.mark.parametrize("x", [-800.0, -30.0, -1.0, -1e-9, 0.0, 0.5, 1.0, 3.0, 30.0, 800.0])
def test_sigmoid_and_softplus_are_those_of_torch_and_do_not_overflow(x: float) -> None:
    given = torch.tensor(x, dtype=torch.float64)
    assert sigmoid(x) == pytest.approx(torch.sigmoid(given).item(), rel=1e-12, abs=0)
    exact = torch.logaddexp(given, torch.zeros((), dtype=torch.float64)).item()
    assert softplus(x) == pytest.approx(exact, rel=1e-9, abs=0)
