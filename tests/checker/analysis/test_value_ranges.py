"""Ranges are sound: whatever numbers run through the calls, the results lie in the interval."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from actlab.capture.recorder import recording
from actlab.checker.analysis.interval import Interval
from actlab.checker.analysis.value_ranges import Bounds

UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu, "relu6": F.relu6,
    "gelu": F.gelu, "silu": F.silu, "mish": F.mish, "elu": F.elu, "selu": F.selu,
    "hardswish": F.hardswish, "softplus": F.softplus, "leaky": F.leaky_relu, "exp": torch.exp,
    "square": torch.square, "cube": lambda x: x**3, "abs": torch.abs, "neg": lambda x: -x,
    "scaled": lambda x: 2.5 * x, "shifted": lambda x: x - 0.5, "from one": lambda x: 1 - x,
    "half": lambda x: x / 2, "inverse": lambda x: 1 / (1 + torch.exp(-x)),
    "clamp": lambda x: x.clamp(-0.5, 0.7), "clamp min": lambda x: x.clamp(min=0.1),
    "hardtanh": lambda x: F.hardtanh(x, -2.0, 0.5), "softmax": lambda x: F.softmax(x, 0),
    "log softmax": lambda x: F.log_softmax(x, 0), "sum": lambda x: x.sum(0, keepdim=True),
    "mean": lambda x: x.mean(0, keepdim=True), "sin": torch.sin, "sqrt": lambda x: x.abs().sqrt(),
    "threshold": lambda x: F.threshold(x, 0.1, -3.0), "celu": lambda x: F.celu(x, 0.5),
    "twice": lambda x: torch.cat([x, torch.sigmoid(x)]), "stack": lambda x: torch.stack([x, x * x]),
    "product": lambda x: torch.sigmoid(x) * torch.tanh(x), "norm": lambda x: F.normalize(x, dim=0),
    "maximum": lambda x: torch.maximum(x, torch.tanh(x)), "log": lambda x: torch.log(x.abs() + 1),
    "expm1": lambda x: torch.expm1(x.clamp(max=3.0)), "log1p": lambda x: torch.log1p(x.abs()),
    "reciprocal": lambda x: torch.reciprocal(x.abs() + 0.5),
}  # fmt: skip


def interval_of(function: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Interval, Tensor]:
    with recording() as trace:
        out = function(x)
    value = trace.value_of(out)
    assert value is not None
    return Bounds(lambda source: True).of(value), out


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(sorted(UNARY)), min_size=1, max_size=4),
    st.lists(st.floats(-30, 30), min_size=3, max_size=8),
)
def test_every_result_lies_in_its_interval(names: list[str], numbers: list[float]) -> None:
    def chain(x: Tensor) -> Tensor:
        for name in names:
            x = UNARY[name](x)
        return x

    reach, out = interval_of(chain, torch.tensor(numbers, dtype=torch.float64))
    finite = out[torch.isfinite(out)]
    slack = 1e-4 * (1 + finite.abs().max().item() if finite.numel() else 1.0)
    assert bool((finite >= reach.low - slack).all()), (names, reach, out)
    assert bool((finite <= reach.high + slack).all()), (names, reach, out)


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        (lambda x: torch.sigmoid(x) * 2 - 1, -1.0, 1.0),
        (lambda x: 1 / (1 + torch.exp(-x)), 0.0, 1.0),
        (lambda x: F.elu(x) + 1, 0.0, math.inf),
        (lambda x: 10 * torch.tanh(x), -10.0, 10.0),
        (lambda x: F.relu(x).view(-1)[1:], 0.0, math.inf),
        (lambda x: torch.cat([torch.sigmoid(x), 3 + torch.tanh(x)])[:3], 0.0, 1.0),
        (lambda x: torch.where(x > 0, torch.sigmoid(x), torch.tanh(x)), -1.0, 1.0),
        (lambda x: x.clone(), -math.inf, math.inf),
        (lambda x: torch.linalg.inv(torch.eye(3)) @ x, -math.inf, math.inf),
    ],
)
def test_the_interval_is_no_wider_than_it_must(
    function: Callable[[Tensor], Tensor], low: float, high: float
) -> None:
    reach, _out = interval_of(function, torch.tensor([-1.0, 0.5, 2.0]))
    assert (reach.low, reach.high) == pytest.approx((low, high))


def test_a_small_constant_counts_with_its_numbers() -> None:
    scale = torch.tensor([2.0, 3.0])
    with recording() as trace:
        out = torch.tanh(torch.randn(4, 2, requires_grad=True)) * scale
    value = trace.value_of(out)
    assert value is not None
    free = Bounds(lambda source: source.tensor.requires_grad)
    assert str(free.of(value)) == "[−3, 3]"


def test_of_tensors_that_are_broadcast_together_each_keeps_its_own_range() -> None:
    x = torch.tensor([-1.0, 0.5, 2.0])
    pair = interval_of(lambda x: torch.broadcast_tensors(F.softplus(x), torch.tanh(x))[1], x)[0]
    assert (pair.low, pair.high) == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        (lambda x: torch.sigmoid(x).masked_fill(x > 0, -5.0), -5.0, 1.0),
        (lambda x: F.pad(torch.sigmoid(x), (1, 1), value=3.0), 0.0, 3.0),
        (lambda x: F.pad(torch.sigmoid(x) + 1.0, (1, 1)), 0.0, 2.0),
        (lambda x: torch.where(x > 0, torch.sigmoid(x), 4.0), 0.0, 4.0),
    ],
)
def test_numbers_that_are_filled_in_count(
    function: Callable[[Tensor], Tensor], low: float, high: float
) -> None:
    reach, _out = interval_of(function, torch.tensor([-1.0, 0.5, 2.0]))
    assert (reach.low, reach.high) == (low, high)


def test_an_interval_with_one_end_is_neither_bounded_nor_whole() -> None:
    assert Interval().whole
    for one_end in (Interval(low=0.0), Interval(high=0.0)):
        assert not one_end.whole
        assert not one_end.bounded
    assert Interval(0.0, 1.0).bounded
