"""What is decided by numbers that left torch, as the source of the same function tells."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from actlab.capture.outside import Decision, decisions
from actlab.capture.recorder import recording


def at_once(x: Tensor) -> Any:
    return (x * 2).numpy() >= 0.25


def through_a_name(x: Tensor) -> Any:
    found = (x * 2).flatten().tolist()
    found = [*found, 3.0]
    return found[0] > 0.5


def indexed(x: Tensor) -> Any:
    found = (x * 2).numpy()
    return found[:, 0].copy() < 1


def rounded(x: Tensor) -> Any:
    return np.round((x * 2).numpy())


def by_another_number(x: Tensor, limit: float = 0.5) -> Any:
    return (x * 2).numpy() > limit


def of_something_else(x: Tensor) -> Any:
    found = (x * 2).numpy()
    return len(found) > 3


def made_in(function: Callable[[Tensor], Any]) -> list[Decision]:
    with recording() as trace:
        function(torch.rand(3, 2))
    return [made for call in trace.left for made in decisions(call)]


@pytest.mark.parametrize(
    ("function", "op", "limit"),
    [(at_once, "ge", 0.25), (indexed, "lt", 1.0), (rounded, "round", 0.5)],
)
def test_a_number_that_is_compared_is_found(
    function: Callable[[Tensor], Any], op: str, limit: float
) -> None:
    (made,) = made_in(function)
    assert (made.op, made.limit) == (op, limit)
    assert made.location.file == __file__
    assert made.location.line is not None
    assert made.location.line > function.__code__.co_firstlineno


@pytest.mark.parametrize("function", [through_a_name, by_another_number, of_something_else])
def test_what_has_changed_or_is_no_number_is_left_alone(function: Callable[[Tensor], Any]) -> None:
    assert made_in(function) == []
