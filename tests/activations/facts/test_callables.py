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

from actlab.activations.facts.callables import (
    as_rows,
    check_elementwise,
    facts_of_callable,
    name_of,
)
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


def test_a_module_is_measured_as_a_copy_and_stays_as_it_is() -> None:
    module = nn.PReLU(init=0.125)
    found = facts_of_callable(module)
    assert (found.name, found.learnable) == ("PReLU", True)
    assert (found.df0_left, found.df0_right) == pytest.approx((0.125, 1))
    assert (module.weight.dtype, module.training) == (torch.float32, True)
    assert not facts_of_callable(module.requires_grad_(False)).learnable


def test_a_function_is_called_by_its_name_or_its_kind() -> None:
    assert name_of(torch.tanh) == "tanh"
    assert name_of(functools.partial(torch.clamp, min=0.0)) == "partial"
    assert name_of(Two()) == "Two"


@pytest.mark.parametrize(
    ("holes", "named"),
    [((7.5, -9.0), "7.5"), ((-3.25, 11.0), "-3.25"), ((-11.5,), "-11.5"), ((11.5,), "11.5")],
)
def test_of_several_holes_the_one_nearest_0_is_named(holes: tuple[float, ...], named: str) -> None:
    def with_holes(x: Tensor) -> Tensor:
        here = torch.stack([(x - hole).abs() < 1e-4 for hole in holes]).any(0)
        return torch.where(here, torch.nan, x)

    with pytest.raises(ActlabError, match=rf"not at x = {named}\."):
        facts_of_callable(with_holes)


@pytest.mark.parametrize(
    ("off", "refused"), [(5e-14, False), (2e-13, True), (-5e-14, False), (-2e-13, True)]
)
def test_rounding_may_depend_on_the_position_in_a_tensor_to_13_digits(
    off: float, refused: bool
) -> None:
    def positioned(x: Tensor) -> Tensor:
        return x * (1 + off * (torch.arange(len(x)) > 0).double())

    if refused:
        with pytest.raises(ActlabError, match="mixes its inputs"):
            check_elementwise(positioned, "f")
    else:
        check_elementwise(positioned, "f")


def test_a_sum_of_all_inputs_is_mixed_in_however_small() -> None:
    for size in (1e-3, 1e-12):
        with pytest.raises(ActlabError, match="mixes its inputs"):
            check_elementwise(lambda x, s=size: s * (x + x.sum()), "f")


def test_one_that_needs_a_batch_gets_one_and_no_other_does() -> None:
    row = torch.tensor([-1.0, 2.0], dtype=torch.float64)
    assert as_rows(of_batches)(row).tolist() == [0, 2]
    shapes: list[tuple[int, ...]] = []

    def plain(x: Tensor) -> Tensor:
        shapes.append(tuple(x.shape))
        return x

    assert as_rows(plain)(row).tolist() == [-1, 2]
    assert shapes[-1] == (2,)
    in_place = as_rows(lambda x: x.mul_(2))
    assert in_place(row).tolist() == [-2, 4]
    assert row.tolist() == [-1, 2]


def test_a_steep_callable_and_one_with_a_kink_beside_a_place_do_not_jump() -> None:
    steep = facts_of_callable(lambda x: torch.tanh(20 * x))
    assert (steep.smoothness, steep.kinks) == (None, None)
    beside = facts_of_callable(lambda x: (x - 1.2502).abs())
    assert beside.smoothness != "discontinuous"
