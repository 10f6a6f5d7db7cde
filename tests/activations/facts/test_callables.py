"""Facts of what somebody wrote: strange callables are measured, or refused in one sentence."""

import functools
import itertools
import math
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from actlab.activations.facts.callables import facts_of_callable
from actlab.errors import ActlabError

_CALLS = itertools.count()


def leave(_x: Tensor) -> Tensor:
    sys.exit(3)


def refuse_negative(x: Tensor) -> Tensor:
    if (x < 0).any():
        raise ValueError("no negatives\nplease")
    return x


def of_batches(x: Tensor) -> Tensor:
    _rows, _columns = x.shape
    return torch.relu(x)


class Two(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * x if self.training else torch.tanh(x)


REFUSED: dict[str, tuple[Callable[..., Any], str]] = {
    "stateful": (lambda x: x + next(_CALLS), "gives other values when it is run again"),
    "random": (lambda x: x + torch.rand_like(x), "gives other values when it is run again"),
    "raising": (refuse_negative, "no negatives"),
    "leaving": (leave, "SystemExit"),
    "recursive": (lambda x: REFUSED["recursive"][0](x), "maximum recursion depth"),
    "undefined": (torch.log, "not at x = -5.3"),
    "a hole": (
        lambda x: torch.where((x - 0.3).abs() < 1e-3, torch.nan, x),
        "must be finite on the whole line",
    ),
    "float32": (lambda x: torch.tanh(x.float()), "computes in float32"),
    "whole": (lambda x: x.int(), "computes in int32"),
    "constant": (torch.ones_like, "has no gradient"),
    "detached": (lambda x: torch.sigmoid(x.detach()), "has no gradient"),
    "mixing": (lambda x: x / x.abs().sum(), "mixes its inputs"),
    "a pair": (lambda x: (x,), "does not return one number"),
    "two inputs": (lambda x, y: x * y, "missing 1 required positional argument"),
    "scalar": (math.tanh, "only one element tensors"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_has_no_facts_is_refused_in_one_sentence(kind: str) -> None:
    thing, words = REFUSED[kind]
    with pytest.raises(ActlabError) as caught:
        facts_of_callable(thing)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


MEASURED: dict[str, tuple[Callable[..., Any], str]] = {
    "in place": (lambda x: x.clamp_(min=0), "relu"),
    "of batches": (of_batches, "relu"),
    "partial": (
        functools.partial(torch.clamp, min=-2.0, max=2.0),
        "hardtanh(min_val=-2, max_val=2)",
    ),
    "training": (Two(), "tanh"),
    "a lambda": (lambda x: x * torch.sigmoid(1.5 * x), "swish(beta=1.5)"),
}


@pytest.mark.parametrize("kind", MEASURED)
def test_what_can_be_measured_is(kind: str) -> None:
    thing, call = MEASURED[kind]
    near = facts_of_callable(thing).nearest
    assert near is not None
    assert (near.call, near.equal) == (call, True)


def test_growth_is_no_kink_and_a_kink_between_the_places_is_no_smoothness() -> None:
    huge = facts_of_callable(lambda x: torch.exp(x * x))
    assert (huge.smoothness, huge.kinks) == (None, None)
    bent = facts_of_callable(lambda x: torch.relu(0.7 * x - 0.113))
    assert (bent.smoothness, bent.kinks) == (None, None)
    squared = facts_of_callable(lambda x: torch.relu(x) ** 2)
    assert (squared.smoothness, squared.kinks) == ("C1", ())
