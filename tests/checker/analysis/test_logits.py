"""Class scores: what softmax and sigmoid are applied to, and how far such scores can go."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from actlab.checker.analysis.logits import written_sigmoid
from tests.checker.analysis.traced import outcome

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
