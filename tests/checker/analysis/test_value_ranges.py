"""Ranges are sound: whatever numbers run through the calls, the results lie in the interval."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from actlab.capture.autograd_graph import complete
from actlab.capture.recorder import recording
from actlab.capture.trace import Value
from actlab.checker.analysis.interval import Interval
from actlab.checker.analysis.value_ranges import Bounds, is_normalised

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
    "steep elu": lambda x: F.elu(x, 2.5), "wide celu": lambda x: F.celu(x, 2.5),
    "steep softplus": lambda x: F.softplus(x, 5.0), "flat softplus": lambda x: F.softplus(x, 0.2),
    "written": lambda x: x.scatter(0, torch.tensor([1]), 4.0), "gelu by tanh":
    lambda x: F.gelu(x, approximate="tanh"), "fourth power": lambda x: x.clamp(-9, 9) ** 4,
    "beyond": lambda x: torch.lerp(torch.tanh(x), x, 1.5), "floor": lambda x: torch.div(
        x, 3.0, rounding_mode="floor"), "limit": lambda x: x.clamp(max=torch.tensor(0.2)),
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


GRID = torch.cat([torch.linspace(-1e4, 1e4, 1001), torch.linspace(-8.0, 8.0, 1601)]).double()


def cut(x: Tensor, low: float, high: float) -> Tensor:
    return x.clamp(low, high)


REACHED: dict[str, tuple[Callable[[Tensor], Tensor], float, float]] = {
    "sigmoid": (torch.sigmoid, 0.0, 1.0),
    "hardsigmoid": (F.hardsigmoid, 0.0, 1.0),
    "softmax": (lambda x: F.softmax(x.view(-1, 2), 0), 0.0, 1.0),
    "softmin": (lambda x: F.softmin(x, 0), 0.0, 1.0),
    "softsign": (F.softsign, -1.0, 1.0),
    "tanh": (torch.tanh, -1.0, 1.0),
    "sin": (torch.sin, -1.0, 1.0),
    "cos": (torch.cos, -1.0, 1.0),
    "erf": (torch.erf, -1.0, 1.0),
    "erfc": (torch.erfc, 0.0, 2.0),
    "sign": (torch.sign, -1.0, 1.0),
    "atan": (torch.atan, -math.pi / 2, math.pi / 2),
    "arctan": (torch.arctan, -math.pi / 2, math.pi / 2),
    "log softmax": (lambda x: F.log_softmax(x.view(-1, 2), 0), -math.inf, 0.0),
    "logsigmoid": (F.logsigmoid, -math.inf, 0.0),
    "one hot": (lambda x: F.one_hot((x > 0).long()), 0.0, 1.0),
    "equal": (lambda x: x.eq(0.0), 0.0, 1.0),
    "not equal": (lambda x: x.ne(0.0), 0.0, 1.0),
    "less": (lambda x: x < 0, 0.0, 1.0),
    "at most": (lambda x: x <= 0, 0.0, 1.0),
    "greater": (lambda x: x > 0, 0.0, 1.0),
    "at least": (lambda x: x >= 0, 0.0, 1.0),
    "uniform": (lambda x: torch.rand(2000, dtype=x.dtype), 0.0, 1.0),
    "uniform like": (torch.rand_like, 0.0, 1.0),
    "coins": (lambda x: torch.bernoulli(torch.sigmoid(x)), 0.0, 1.0),
    "gumbel softmax": (lambda x: F.gumbel_softmax(x.view(-1, 2), dim=1), 0.0, 1.0),
    "cosine similarity": (lambda x: F.cosine_similarity(x[:, None], x[:1, None]), -1.0, 1.0),
    "cosine of positive": (
        lambda x: F.cosine_similarity(
            torch.stack([F.relu(x), F.relu(-x)]).T, torch.tensor([[0.0, 1.0]]).abs()
        ),
        0.0, 1.0,
    ),
    "norm": (lambda x: x[:, None].norm(dim=1), 0.0, math.inf),
    "distances": (lambda x: torch.cdist(x[::50, None], x[::50, None]), 0.0, math.inf),
    "distance of pairs": (lambda x: F.pairwise_distance(x[:, None], x[:, None], eps=0), 0.0,
                          math.inf),
    "variance": (lambda x: x.view(2, -1).var(0).sub(0).clamp(min=0), 0.0, math.inf),
    "deviation": (lambda x: torch.stack([x, x], 1).std(1), 0.0, math.inf),
    "squared error": (lambda x: F.mse_loss(x, x), 0.0, math.inf),
    "absolute error": (lambda x: F.l1_loss(x, x), 0.0, math.inf),
    "gelu": (F.gelu, -0.17005, math.inf),
    "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), -0.17005, math.inf),
    "silu": (F.silu, -0.27847, math.inf),
    "mish": (F.mish, -0.30885, math.inf),
    "hardswish": (F.hardswish, -0.375, math.inf),
    "hardswish below 3": (lambda x: F.hardswish(cut(x, -9.0, 3.0)), -0.375, 3.0),
    "hardswish below 0": (lambda x: F.hardswish(cut(x, -9.0, -1.0)), -0.375, 0.0),
    "hardswish from 0": (lambda x: F.hardswish(cut(x, 0.0, 3.0)), 0.0, 3.0),
    "relu": (F.relu, 0.0, math.inf),
    "relu from a half": (lambda x: F.relu(cut(x, 0.5, 3.0)), 0.5, 3.0),
    "relu below 0": (lambda x: F.relu(cut(x, -2.0, -1.0)), 0.0, 0.0),
    "relu6": (F.relu6, 0.0, 6.0),
    "relu6 between": (lambda x: F.relu6(cut(x, 0.5, 6.5)), 0.5, 6.0),
    "hardtanh": (F.hardtanh, -1.0, 1.0),
    "hardtanh in place": (lambda x: F.hardtanh_(x.clone()), -1.0, 1.0),
    "hardtanh in place with limits": (lambda x: F.hardtanh_(x.clone(), -3.0, 2.0), -3.0, 2.0),
    "hardtanh with limits": (lambda x: F.hardtanh(x, -3.0, 2.0), -3.0, 2.0),
    "hardtanh by name": (lambda x: F.hardtanh(x, max_val=2.5, min_val=-0.5), -0.5, 2.5),
    "hardtanh inside": (lambda x: F.hardtanh(cut(x, -0.5, 0.25)), -0.5, 0.25),
    "hardtanh above": (lambda x: F.hardtanh(cut(x, 3.0, 4.0)), 1.0, 1.0),
    "hardtanh below": (lambda x: F.hardtanh(cut(x, -4.0, -3.0)), -1.0, -1.0),
    "clamp": (lambda x: x.clamp(-0.5, 0.75), -0.5, 0.75),
    "clamp min": (lambda x: torch.sigmoid(x).clamp(min=0.25), 0.25, 1.0),
    "clamp max": (lambda x: torch.sigmoid(x).clamp(max=0.25), 0.0, 0.25),
    "clamp_min": (lambda x: torch.sigmoid(x).clamp_min(0.25), 0.25, 1.0),
    "clamp_max": (lambda x: torch.sigmoid(x).clamp_max(0.25), 0.0, 0.25),
    "clamp_max by name": (lambda x: torch.clamp_max(torch.sigmoid(x), max=0.25), 0.0, 0.25),
    "clamp upside down": (lambda x: torch.sigmoid(x).clamp(min=2.0), 2.0, 2.0),
    "clamp with crossed limits": (lambda x: x.clamp(3.0, -1.0), -1.0, -1.0),
    "clip": (lambda x: torch.clip(x, -2.0), -2.0, math.inf),
    "elu": (F.elu, -1.0, math.inf),
    "elu with alpha": (lambda x: F.elu(x, 0.5), -0.5, math.inf),
    "elu in place": (lambda x: F.elu_(x.clone()), -1.0, math.inf),
    "elu in place with alpha": (lambda x: F.elu_(x.clone(), 0.5), -0.5, math.inf),
    "elu without alpha": (lambda x: F.elu(x, 0.0), 0.0, math.inf),
    "elu of a part": (lambda x: F.elu(cut(x, -0.5, 2.0), 3.0), 3.0 * math.expm1(-0.5), 2.0),
    "elu below 0": (lambda x: F.elu(cut(x, -2.0, -1.0)), math.expm1(-2.0), math.expm1(-1.0)),
    "celu of a part": (lambda x: F.celu(cut(x, -0.5, 2.0), 3.0), 3.0 * math.expm1(-0.5 / 3.0),
                       2.0),
    "plain celu": (lambda x: torch.celu(x), -1.0, math.inf),
    "plain celu with alpha": (lambda x: torch.celu(x, 0.5), -0.5, math.inf),
    "elu from a half": (lambda x: F.elu(cut(x, 0.5, 2.0)), 0.5, 2.0),
    "elu from 0": (lambda x: F.elu(cut(x, 0.0, 2.0)), 0.0, 2.0),
    "celu": (lambda x: F.celu(x, 2.0), -2.0, math.inf),
    "leaky relu": (F.leaky_relu, -math.inf, math.inf),
    "leaky relu of a part": (lambda x: F.leaky_relu(cut(x, -2.0, 3.0)), -0.02, 3.0),
    "leaky relu with a slope": (lambda x: F.leaky_relu(cut(x, -2.0, 3.0), 0.25), -0.5, 3.0),
    "leaky relu by name": (
        lambda x: F.leaky_relu(cut(x, -4.0, -2.0), negative_slope=0.5), -2.0, -1.0
    ),
    "leaky relu from a half": (lambda x: F.leaky_relu(cut(x, 0.5, 3.0)), 0.5, 3.0),
    "leaky relu without a slope": (lambda x: F.leaky_relu(x, 0.0), 0.0, math.inf),
    "leaky relu in place": (lambda x: F.leaky_relu_(cut(x, -2.0, 3.0)), -0.02, 3.0),
    "leaky relu in place with a slope": (
        lambda x: F.leaky_relu_(cut(x, -2.0, 3.0), 0.25), -0.5, 3.0
    ),
    "exp": (lambda x: torch.exp(cut(x, -1.0, 2.0)), math.exp(-1.0), math.exp(2.0)),
    "exp of large numbers": (torch.exp, 0.0, math.inf),
    "expm1": (lambda x: torch.expm1(cut(x, -1.0, 2.0)), math.expm1(-1.0), math.expm1(2.0)),
    "log": (lambda x: torch.log(cut(x, 0.5, 2.0)), math.log(0.5), math.log(2.0)),
    "log from 0": (lambda x: torch.log(cut(x, 0.0, 2.0)), -math.inf, math.log(2.0)),
    "log of one's own": (lambda x: torch.log(cut(x, 0.5, 1.0)), math.log(0.5), 0.0),
    "log1p": (lambda x: torch.log1p(cut(x, -0.5, 2.0)), math.log(0.5), math.log(3.0)),
    "log1p from -1": (lambda x: torch.log1p(cut(x, -1.0, 2.0)), -math.inf, math.log(3.0)),
    "reciprocal": (lambda x: torch.reciprocal(cut(x, 0.5, 4.0)), 0.25, 2.0),
    "softplus": (lambda x: F.softplus(cut(x, -1.0, 2.0)), math.log1p(math.exp(-1.0)),
                 math.log1p(math.exp(2.0))),
    "softplus of large numbers": (lambda x: F.softplus(cut(x, 800.0, 900.0)), 800.0, 900.0),
    "softplus below 0": (lambda x: F.softplus(cut(x, -900.0, 0.0)), 0.0, math.log(2.0)),
    "softplus with beta": (lambda x: F.softplus(cut(x, 0.0, 1.0), 5.0), math.log(2.0) / 5.0,
                           math.log1p(math.exp(5.0)) / 5.0),
    "softplus with a small beta": (lambda x: F.softplus(cut(x, 0.0, 1.0), beta=0.5),
                                   2.0 * math.log(2.0), 2.0 * math.log1p(math.exp(0.5))),
    "softplus with a threshold": (lambda x: F.softplus(cut(x, 0.0, 1.0), 1.0, 20.0),
                                  math.log(2.0), math.log1p(math.e)),
    "selu": (lambda x: F.selu(cut(x, -9e3, 2.0)), -1.0507009873554805 * 1.6732632423543772,
             2.0 * 1.0507009873554805),
    "selu of a part": (lambda x: F.selu(cut(x, -1.0, 0.5)), -1.1113307, 0.5253505),
    "sqrt": (lambda x: torch.sqrt(cut(x, 0.25, 4.0)), 0.5, 2.0),
    "sqrt from 0": (lambda x: torch.sqrt(cut(x, 0.0, 4.0)), 0.0, 2.0),
    "abs": (lambda x: cut(x, -3.0, 2.0).abs(), 0.0, 3.0),
    "abs above": (lambda x: cut(x, 0.5, 2.0).abs(), 0.5, 2.0),
    "abs below": (lambda x: cut(x, -3.0, -0.5).abs(), 0.5, 3.0),
    "neg": (lambda x: -cut(x, -3.0, 2.0), -2.0, 3.0),
    "square": (lambda x: cut(x, -3.0, 2.0).square(), 0.0, 9.0),
    "square of a half": (lambda x: cut(x, -1.0, 4.0).square(), 0.0, 16.0),
    "second power": (lambda x: cut(x, -3.0, 2.0) ** 2, 0.0, 9.0),
    "fourth power": (lambda x: cut(x, -1.0, 2.0).pow(4), 0.0, 16.0),
    "third power": (lambda x: cut(x, 0.0, 2.0).pow(3), 0.0, 8.0),
    "third power from a half": (lambda x: cut(x, 0.5, 2.0).pow(exponent=3), 0.125, 8.0),
    "root": (lambda x: cut(x, 0.25, 4.0) ** 0.5, 0.5, 2.0),
    "an immense power": (lambda x: cut(x, 0.0, 1e4) ** 401, 0.0, math.inf),
    "an immense even power": (lambda x: x**400, 0.0, math.inf),
    "inverse power from 0": (lambda x: cut(x, 0.0, 1e4) ** -1, 0.0, math.inf),
    "the power 0": (lambda x: x**0, 1.0, 1.0),
    "the power 0 of what is positive": (lambda x: cut(x, 0.5, 3.0) ** 0.0, 1.0, 1.0),
    "the power 1": (lambda x: cut(x, 0.5, 3.0) ** 1, 0.5, 3.0),
    "square above": (lambda x: cut(x, 2.0, 3.0).square(), 4.0, 9.0),
    "second power below": (lambda x: cut(x, -3.0, -2.0) ** 2, 4.0, 9.0),
    "sum": (lambda x: cut(x, -2.0, 3.0)[:, None].expand(-1, 4).sum(1), -8.0, 12.0),
    "sum to one number": (lambda x: cut(x[:4], -2.0, -2.0).sum(), -8.0, -8.0),
    "dropout": (lambda x: F.dropout(cut(x, 1.0, 2.0)), 0.0, 4.0),
    "dropout of a quarter": (lambda x: F.dropout(cut(x, -3.0, 2.0), 0.25), -4.0, 8.0 / 3.0),
    "plain dropout": (lambda x: torch.dropout(cut(x, 1.0, 2.0), 0.75, True), 0.0, 8.0),
    "plain dropout in evaluation": (
        lambda x: torch.dropout(cut(x, 1.0, 2.0), 0.75, False), 1.0, 2.0
    ),
    "plain dropout by name": (
        lambda x: torch.dropout(cut(x, 1.0, 2.0), p=0.75, train=True), 0.0, 8.0
    ),
    "dropout of everything": (lambda x: F.dropout(cut(x, 1.0, 2.0), 1.0), 0.0, 0.0),
    "dropout in evaluation by name": (
        lambda x: F.dropout(cut(x, 1.0, 2.0), training=False), 1.0, 2.0
    ),
    "dropout by name": (lambda x: F.dropout(cut(x, 1.0, 2.0), training=True, p=0.75), 0.0, 8.0),
    "dropout of nothing": (lambda x: F.dropout(cut(x, 0.0, 2.0), 0.0), 0.0, 2.0),
    "dropout in evaluation": (lambda x: F.dropout(cut(x, 1.0, 2.0), 0.5, False), 1.0, 2.0),
    "threshold": (lambda x: F.threshold(cut(x, -5.0, 2.0), 0.5, -3.0), -3.0, 2.0),
    "threshold up": (lambda x: F.threshold(cut(x, -5.0, 2.0), 0.5, 7.0), 0.5, 7.0),
    "interpolate": (lambda x: F.interpolate(cut(x, 1.0, 2.0)[None, None], 9000), 1.0, 2.0),
    "interpolate linearly": (
        lambda x: F.interpolate(cut(x, 1.0, 2.0)[None, None], None, 2.0, "linear"), 1.0, 2.0
    ),
    "normalize": (lambda x: F.normalize(x[:, None]), -1.0, 1.0),
    "normalize from 0": (lambda x: F.normalize(cut(x, 0.0, 2.0)[:, None]), 0.0, 1.0),
    "mean": (lambda x: cut(x, 1.0, 2.0)[:, None].mean(1), 1.0, 2.0),
    "largest": (lambda x: cut(x, 1.0, 2.0)[:, None].amax(1), 1.0, 2.0),
    "smallest": (lambda x: cut(x, 1.0, 2.0)[:, None].amin(1), 1.0, 2.0),
    "max along": (lambda x: cut(x, 1.0, 2.0)[:, None].max(1)[0], 1.0, 2.0),
    "min along": (lambda x: cut(x, 1.0, 2.0)[:, None].min(1).values, 1.0, 2.0),
    "median": (lambda x: cut(x, 1.0, 2.0)[:, None].median(1)[0], 1.0, 2.0),
    "mode": (lambda x: cut(x, 1.0, 2.0)[:, None].mode(1)[0], 1.0, 2.0),
    "quantile": (lambda x: cut(x, 1.0, 2.0)[:, None].quantile(0.5, 1), 1.0, 2.0),
    "max pool": (lambda x: F.max_pool1d(cut(x, 1.0, 2.0)[None], 2), 1.0, 2.0),
    "running maximum": (lambda x: cut(x, 1.0, 2.0).cummax(0)[0], 1.0, 2.0),
    "maximum": (lambda x: torch.maximum(cut(x, -3.0, 1.0), cut(x, -2.0, 4.0)), -2.0, 4.0),
    "minimum": (lambda x: torch.minimum(cut(x, -3.0, 1.0), cut(x, -2.0, 4.0)), -3.0, 1.0),
    "max of two": (lambda x: torch.max(cut(x, -3.0, 4.0), cut(x, -2.0, 1.0)), -2.0, 4.0),
    "min of two": (lambda x: torch.min(cut(x, -3.0, 4.0), cut(x, -2.0, 1.0)), -3.0, 1.0),
    "sum of two": (lambda x: cut(x, -1.0, 2.0) + cut(x, 0.0, 3.0), -1.0, 5.0),
    "difference": (lambda x: cut(x, -1.0, 2.0) - cut(-x, 0.0, 3.0), -4.0, 2.0),
    "difference by name": (
        lambda x: torch.sub(cut(x, -1.0, 2.0), other=cut(-x, 0.0, 3.0)), -4.0, 2.0
    ),
    "two names": (
        lambda x: torch.sub(input=cut(x, -1.0, 2.0), other=cut(-x, 0.0, 3.0)), -4.0, 2.0
    ),
    "from three": (lambda x: 3.0 - cut(x, -1.0, 2.0), 1.0, 4.0),
    "product with a number": (lambda x: -2 * cut(x, -1.0, 2.0), -4.0, 2.0),
    "quotient": (lambda x: cut(x, -1.0, 2.0) / 4, -0.25, 0.5),
    "over": (lambda x: 4.0 / cut(x, 1.0, 2.0), 2.0, 4.0),
    "cat": (lambda x: torch.cat([cut(x, 0.0, 1.0), cut(x, 3.0, 4.0)]), 0.0, 4.0),
    "parts of a cat": (
        lambda x: torch.cat([cut(x, 0.0, 1.0), cut(x, 3.0, 4.0), cut(x, -2.0, -1.0)])[2602:],
        -2.0, 4.0,
    ),
    "a part of a cat": (
        lambda x: torch.cat([cut(x, 0.0, 1.0), cut(x, 3.0, 4.0)]).view(2, -1)[1], 3.0, 4.0
    ),
    "where": (lambda x: torch.where(x > 0, cut(x, -1.0, 2.0), cut(x, -4.0, 0.5)), -4.0, 2.0),
    "filled where": (lambda x: torch.sigmoid(x).masked_fill(x < 0, -2.0), -2.0, 1.0),
    "filled rows": (
        lambda x: torch.sigmoid(x).index_fill(0, torch.tensor([1]), -2.0), -2.0, 1.0
    ),
    "padded": (lambda x: F.pad(cut(x, 1.0, 2.0), (1, 1), "constant", -3.0), -3.0, 2.0),
    "between two": (
        lambda x: torch.lerp(cut(x, -1.0, 0.0), cut(x, 2.0, 3.0), cut(x, 0.0, 1.0)), -1.0, 3.0
    ),
    "one of two numbers": (lambda x: torch.where(x > 0, 1.0, -2.0), -2.0, 1.0),
    "a number or none": (lambda x: torch.where(x > 0, torch.sigmoid(x), 0), 0.0, 1.0),
    "integers put in": (
        lambda x: torch.where(x > 0, torch.sigmoid(x), torch.full(x.shape, -5)), -5.0, 1.0
    ),
    "integers beside": (
        lambda x: torch.cat([torch.sigmoid(x), torch.full((4,), 5)]), 0.0, 5.0
    ),
    "a number scattered": (
        lambda x: torch.sigmoid(x).scatter(0, torch.tensor([1]), -5.0), -5.0, 1.0
    ),
    "a number scattered by name": (
        lambda x: torch.sigmoid(x).scatter(dim=0, index=torch.tensor([1]), value=5.0), 0.0, 5.0
    ),
    "values scattered": (
        lambda x: torch.sigmoid(x).scatter(0, torch.tensor([0, 1]), torch.tensor([-5.0]).double()
                                           .expand(2)), -5.0, 1.0
    ),
    "a diagonal": (
        lambda x: torch.sigmoid(x[::2][:1296].view(36, 36)).fill_diagonal_(5.0), 0.0, 5.0
    ),
    "on a diagonal": (lambda x: torch.diag(cut(x[-9:], 2.0, 3.0)), 0.0, 3.0),
    "patches": (
        lambda x: F.unfold(cut(x[-9:], 2.0, 3.0).view(1, 1, 3, 3), 2, padding=1), 0.0, 3.0
    ),
    "filled rows by name": (
        lambda x: torch.sigmoid(x).index_fill(0, torch.tensor([1]), value=5.0), 0.0, 5.0
    ),
    "blocks": (lambda x: torch.block_diag(cut(x[:9], 1.0, 1.0), cut(x[-9:], 2.0, 2.0)), 0.0, 2.0),
    "zeros": (torch.zeros_like, 0.0, 0.0),
    "new zeros": (lambda x: x.new_zeros(2), 0.0, 0.0),
    "plain zeros": (lambda _x: torch.zeros(2), 0.0, 0.0),
    "ones": (torch.ones_like, 1.0, 1.0),
    "new ones": (lambda x: x.new_ones(2), 1.0, 1.0),
    "plain ones": (lambda _x: torch.ones(2), 1.0, 1.0),
    "numbers": (lambda _x: torch.tensor([2.0, 5.0, 3.0]), 2.0, 5.0),
    "counted": (lambda _x: torch.arange(3, 8), 3.0, 7.0),
}  # fmt: skip


@pytest.mark.parametrize("name", REACHED)
def test_results_reach_both_ends_of_an_interval_and_go_no_further(name: str) -> None:
    function, low, high = REACHED[name]
    torch.manual_seed(0)
    reach, out = interval_of(function, GRID)
    assert (reach.low, reach.high) == pytest.approx((low, high), abs=1e-7)
    out = out.double()
    slack = 1e-9
    assert reach.low - slack <= float(out.min())
    assert float(out.max()) <= reach.high + slack
    if math.isfinite(low):
        assert float(out.min()) == pytest.approx(low, abs=2e-3)
    if math.isfinite(high):
        assert float(out.max()) == pytest.approx(high, abs=2e-3)


HELD: dict[str, tuple[Callable[[Tensor], Tensor], float, float]] = {
    "gelu from 0": (lambda x: F.gelu(cut(x, 0.0, 3.0)), 0.0, 3.0),
    "average pool": (lambda x: F.avg_pool1d(cut(x, 1.0, 2.0)[None], 2, 4, 1), 0.0, 2.0),
    "average pool below 0": (
        lambda x: F.avg_pool1d(cut(x, -2.0, -1.0)[None], 2, 4, 1), -2.0, 0.0
    ),
    "padded otherwise": (lambda x: F.pad(cut(x, 1.0, 2.0), (1, 1)), 0.0, 2.0),
    "an odd power": (lambda x: x**3, -math.inf, math.inf),
    "a power of even halves": (lambda x: cut(x, -1.0, 0.0) ** 2, 0.0, 1.0),
    "an inverse square": (lambda x: cut(x, -1.0, 3.0) ** -2, 0.0, math.inf),
    "an inverse cube": (lambda x: cut(x, -1.0, 3.0) ** -3, -math.inf, math.inf),
    "a power of a tensor": (lambda x: cut(x, 2.0, 3.0) ** cut(x, 1.0, 2.0), -math.inf, math.inf),
    "a negative slope": (lambda x: F.leaky_relu(cut(x, -1.0, 3.0), -0.5), -math.inf, math.inf),
    "bicubic": (
        lambda x: F.interpolate(
            cut(x, 1.0, 2.0)[:1600].view(1, 1, 40, 40), (80, 80), None, "bicubic"
        ),
        -math.inf, math.inf,
    ),
    "bicubic by name": (
        lambda x: F.interpolate(
            cut(x, 1.0, 2.0)[:1600].view(1, 1, 40, 40), scale_factor=2.0, mode="bicubic"
        ),
        -math.inf, math.inf,
    ),
    "a sum with alpha": (lambda x: torch.add(torch.tanh(x), 1, alpha=2), -math.inf, math.inf),
    "elu with a negative alpha": (lambda x: F.elu(x, -1.0), -math.inf, math.inf),
    "a falling softplus": (lambda x: F.softplus(x.abs(), -1.0), -math.inf, math.inf),
    "softplus without a slope": (lambda x: F.softplus(x, 0.0), -math.inf, math.inf),
    "softplus with a step": (lambda x: F.softplus(x, 1.0, 1.0), -math.inf, math.inf),
    "a limit that is a tensor": (
        lambda x: torch.sigmoid(x).clamp(min=torch.tensor(2.0)), 0.0, math.inf
    ),
    "another limit that is a tensor": (
        lambda x: torch.sigmoid(x).clamp(max=torch.tensor(-2.0)), -math.inf, 1.0
    ),
    "beyond two ends": (
        lambda x: torch.lerp(torch.sigmoid(x), torch.tanh(x), 2.0), -math.inf, math.inf
    ),
    "before two ends": (
        lambda x: torch.lerp(torch.sigmoid(x), torch.tanh(x), -0.1), -math.inf, math.inf
    ),
    "a weight of any size": (
        lambda x: torch.lerp(torch.sigmoid(x), torch.tanh(x), x), -math.inf, math.inf
    ),
    "rounded down": (
        lambda x: torch.div(torch.tanh(x), 2.0, rounding_mode="floor"), -math.inf, math.inf
    ),
    "times a truth value": (lambda x: torch.sigmoid(x) * True, -math.inf, math.inf),
    "added at places": (
        lambda x: torch.sigmoid(x).index_put(
            (torch.tensor([-1]),), torch.sigmoid(x[-1:]), accumulate=True
        ),
        -math.inf, math.inf,
    ),
    "added at places, by position": (
        lambda x: torch.index_put(
            torch.sigmoid(x), (torch.tensor([-1]),), torch.sigmoid(x[-1:]), True
        ),
        -math.inf, math.inf,
    ),
    "put at places": (
        lambda x: torch.index_put(
            torch.sigmoid(x), (torch.tensor([-1]),), torch.tanh(x[-1:]), False
        ),
        -1.0, 1.0,
    ),
    "multiplied at places": (
        lambda x: torch.sigmoid(x).scatter(0, torch.tensor([1]), 5.0, reduce="multiply"),
        -math.inf, math.inf,
    ),
    "places of the largest": (lambda x: torch.sigmoid(x).topk(3)[1], -math.inf, math.inf),
    "place of the largest": (lambda x: torch.sigmoid(x).max(0)[1].double(), -math.inf, math.inf),
    "order": (lambda x: torch.sigmoid(x).sort().indices, -math.inf, math.inf),
    "cut to integers": (
        lambda x: torch.cat([cut(x, 0.5, 1.0), cut(x, 0.5, 0.75)]).to(torch.int64)[:9],
        -math.inf, math.inf,
    ),
    "integers as numbers": (lambda x: ((x > 0) * 3).double(), 0.0, 3.0),
    "a sum pool": (
        lambda x: F.avg_pool2d(torch.sigmoid(x[:4]).view(1, 1, 2, 2), 2, divisor_override=1),
        -math.inf, math.inf,
    ),
    "a sum pool by position": (
        lambda x: F.avg_pool2d(torch.sigmoid(x[:4]).view(1, 1, 2, 2), 2, 2, 0, False, True, 1),
        -math.inf, math.inf,
    ),
    "filled parts": (
        lambda x: torch.cat([torch.sigmoid(x), torch.tanh(x)]).masked_fill(
            torch.cat([x, x]) > 0, 5.0
        )[:9],
        -1.0, 5.0,
    ),
    "a part of a diagonal": (
        lambda x: torch.diag(torch.cat([cut(x[:2], 2.0, 3.0), cut(x[:2], 4.0, 5.0)]))[0],
        0.0, 5.0,
    ),
    "a function of two positive numbers": (
        lambda x: torch.xlogy(F.relu(x), torch.sigmoid(x)), -math.inf, math.inf
    ),
    "a length by its number": (
        lambda x: torch.linalg.norm(x) + torch.linalg.vector_norm(x), 0.0, math.inf
    ),
    "half a length is no direction": (
        lambda x: (x.view(2, -1).norm(dim=1) / 2) @ (x.view(2, -1).norm(dim=1) / 2),
        0.0, math.inf,
    ),
    "a mean of two": (
        lambda x: torch.lerp(cut(x, -1.0, 0.0), weight=1.0, end=cut(x, 2.0, 3.0)), -1.0, 3.0
    ),
    "what no rule knows": (lambda x: torch.tanh(x).cumsum(0), -math.inf, math.inf),
    "drawn from a normal": (lambda _x: torch.randn(9), -math.inf, math.inf),
    "drawn integers": (lambda _x: torch.randint(0, 2, (9,)), -math.inf, math.inf),
    "numbers that are not finite": (
        lambda _x: torch.tensor([1.0, math.inf]), -math.inf, math.inf
    ),
    "no numbers": (lambda _x: torch.tensor([]), -math.inf, math.inf),
    "few numbers": (lambda _x: torch.full((4096,), 2.0), 2.0, 2.0),
    "too many numbers": (lambda _x: torch.full((4097,), 2.0), -math.inf, math.inf),
    "complex numbers": (lambda _x: torch.tensor([1j]), -math.inf, math.inf),
    "rectified features": (lambda x: F.relu(x[:4].view(2, 2)) @ F.relu(x[:4].view(2, 2)),
                           0.0, math.inf),
    "positive features": (
        lambda x: torch.matmul(cut(x[:4], 0.5, 1.0).view(2, 2), cut(x[:4], 0.5, 1.0).view(2, 2)),
        0.0, math.inf,
    ),
    "features of any sign on the left": (
        lambda x: torch.tanh(x[:4]).view(2, 2) @ F.relu(x[:4]).view(2, 2), -math.inf, math.inf
    ),
    "features of any sign on the right": (
        lambda x: F.relu(x[:4]).view(2, 2) @ torch.tanh(x[:4]).view(2, 2), -math.inf, math.inf
    ),
    "a linear map without bias": (
        lambda x: F.linear(F.relu(x[:4]).view(2, 2), torch.sigmoid(x[:4]).view(2, 2)),
        0.0, math.inf,
    ),
    "a linear map with bias": (
        lambda x: F.linear(F.relu(x[:4]).view(2, 2), torch.sigmoid(x[:4]).view(2, 2), x[:2]),
        -math.inf, math.inf,
    ),
    "cosines": (
        lambda x: F.normalize(x.view(2, -1)) @ F.normalize(x.flip(0).view(2, -1)).T, -1.0, 1.0
    ),
    "cosines of rectified features": (
        lambda x: F.normalize(F.relu(x.view(2, -1))) @ F.normalize(F.relu(x.view(2, -1))).T,
        0.0, 1.0,
    ),
    "cosines, one side of any sign": (
        lambda x: F.normalize(F.relu(x.view(2, -1))) @ F.normalize(x.view(2, -1)).T, -1.0, 1.0
    ),
    "cosines, the other side of any sign": (
        lambda x: F.normalize(x.view(2, -1)) @ F.normalize(F.relu(x.view(2, -1))).T, -1.0, 1.0
    ),
    "cosines by lengths": (
        lambda x: (x / x.norm(dim=0, keepdim=True).clamp(min=1e-8))
        @ -(x / (x.norm(dim=0, keepdim=True) + 1e-8)),
        -1.0, 1.0,
    ),
    "quotients that are no directions": (
        lambda x: (x / x.sum(0, keepdim=True)) @ (x / x.sum(0, keepdim=True)), -math.inf, math.inf
    ),
    "one side normalised": (
        lambda x: F.normalize(x.view(2, -1)) @ x.view(2, -1).T, -math.inf, math.inf
    ),
    "three factors": (
        lambda x: torch.einsum("i,i,i->", F.relu(x), F.relu(x), F.relu(x)), -math.inf, math.inf
    ),
    "cosine of one positive": (
        lambda x: F.cosine_similarity(F.relu(x)[None], x[None]), -1.0, 1.0
    ),
    "cosine of another positive": (
        lambda x: F.cosine_similarity(x[None], F.relu(x)[None]), -1.0, 1.0
    ),
    "numbers written over integers": (
        lambda x: torch.ones(2).long().index_put((torch.tensor([0]),), torch.tensor([5])),
        -math.inf, math.inf,
    ),
    "the larger of one": (lambda x: torch.sigmoid(x).max(), 0.0, 1.0),
    "positions on a grid": (
        lambda x: torch.meshgrid(torch.tanh(x[:3]), F.relu(x[:2]), indexing="ij")[1],
        0.0, math.inf,
    ),
    "positions on a grid, from a list": (
        lambda x: torch.meshgrid([F.relu(x[:3]), torch.tanh(x[:2])], indexing="ij")[1], -1.0, 1.0
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HELD)
def test_results_stay_in_the_interval(name: str) -> None:
    function, low, high = HELD[name]
    torch.manual_seed(0)
    reach, out = interval_of(function, GRID)
    assert (reach.low, reach.high) == (low, high)
    if out.numel() and not out.is_complex():
        assert reach.low - 1e-6 <= float(out.double().min())
        assert float(out.double().max()) <= reach.high + 1e-6


def test_what_an_assignment_writes_is_in_the_interval() -> None:
    def written(value: Callable[[Tensor], Tensor | float]) -> Interval:
        def program(x: Tensor) -> Tensor:
            out = torch.sigmoid(x)
            out[x > 0] = value(out[x > 0])
            return out

        reach, out = interval_of(program, GRID)
        assert reach.low <= float(out.min())
        assert float(out.max()) <= reach.high
        return reach

    assert written(lambda _part: 3.0) == Interval(0.0, 3.0)
    assert written(lambda _part: -3.0) == Interval(-3.0, 1.0)
    assert written(lambda part: part - 4.0) == Interval(-4.0, 1.0)


SCORES = torch.linspace(-3.0, 3.0, 12).view(3, 4)


@pytest.mark.parametrize(
    "program",
    [
        lambda x, y: (F.softmax(x, 1) * y).sum(1),
        lambda x, y: (y * F.softmax(x, dim=-1)).sum(-1, keepdim=True),
        lambda x, y: (F.softmax(x, 0) * y).sum(dim=0),
        lambda x, y: (F.softmax(x, 1) * y).sum([1]),
        lambda x, y: (F.softmax(x, 1) * y).sum(dim=(-1,)),
        lambda x, y: (F.softmax(x, 1) * y[0]).sum(1),
        lambda x, y: (x.softmax(1) * y).sum(1),
        lambda x, y: (F.softmax(x[0, 0], 0) * y[0, 0]).sum(0),
    ],
)
def test_an_average_by_softmax_lies_among_what_is_averaged(
    program: Callable[[Tensor, Tensor], Tensor],
) -> None:
    reach, out = interval_of(lambda x: program(x, 3.0 * torch.tanh(x)), SCORES)
    assert (reach.low, reach.high) == (-3.0, 3.0)
    assert float(out.abs().max()) <= 3.0


@pytest.mark.parametrize(
    ("program", "terms"),
    [
        (lambda x, y: (F.softmax(x, 1) * y).sum(0), 3),
        (lambda x, y: (F.softmax(x, 1) * y).sum(), 12),
        (lambda x, y: (F.softmax(x, 1) * y).sum((0, 1)), 12),
        (lambda x, y: (torch.sigmoid(x) * y).sum(1), 4),
        (lambda x, y: (F.softmax(x, 1)[:, :1] * y).sum(1), 4),
        (lambda x, y: (F.softmax(x[:1], 0) * y).sum(0), 3),
        (lambda x, y: (1.0 * y).sum(1), 4),
        (lambda x, y: torch.maximum(F.softmax(x, 1), y).sum(1), 4),
    ],
)
def test_a_sum_whose_weights_do_not_sum_to_one_is_no_average(
    program: Callable[[Tensor, Tensor], Tensor], terms: int
) -> None:
    reach, out = interval_of(lambda x: program(x, 3.0 * torch.tanh(x)), SCORES)
    assert reach.high == 3.0 * terms
    assert float(out.max()) <= reach.high


def test_the_sum_of_an_input_is_unbounded() -> None:
    assert interval_of(lambda x: x.sum(1), SCORES)[0].whole


STATES = torch.linspace(-5.0, 5.0, 24).view(4, 2, 3)


def states(
    module: torch.nn.Module, *given: Any, scale: float = 3.0
) -> list[tuple[Interval, Tensor]]:
    """Return the interval of every output of a recurrent module, and the output."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(scale * torch.randn(parameter.shape))
    with recording() as trace:
        module(*given)
    call = next(call for call in trace.calls if call.op.startswith(("rnn", "gru", "lstm")))
    bounds = Bounds(lambda source: source.tensor.requires_grad or source.tensor.numel() > 30)
    found = [(bounds.of(value), value.tensor.detach()) for value in call.outputs]
    for reach, out in found:
        assert reach.low <= float(out.min()), (module, reach)
        assert float(out.max()) <= reach.high, (module, reach)
    return found


def test_hidden_states_lie_in_the_range_of_tanh() -> None:
    torch.manual_seed(0)
    bounded = Interval(-1.0, 1.0)
    assert [reach for reach, _ in states(torch.nn.RNN(3, 5), STATES)] == [bounded, bounded]
    assert [reach for reach, _ in states(torch.nn.GRU(3, 5), STATES)] == [bounded, bounded]
    assert [reach for reach, _ in states(torch.nn.RNNCell(3, 5), STATES[0])] == [bounded]
    assert [reach for reach, _ in states(torch.nn.GRUCell(3, 5), STATES[0])] == [bounded]
    for layers, bias in ((1, True), (1, False), (2, True)):
        lstm = torch.nn.LSTM(3, 5, layers, bias=bias)
        assert [reach for reach, _ in states(lstm, STATES)] == [bounded, bounded, Interval()]
    cell = torch.nn.LSTMCell(3, 5)
    assert [reach for reach, _ in states(cell, STATES[0])] == [bounded, Interval()]


def test_rectified_hidden_states_are_not_below_zero() -> None:
    torch.manual_seed(0)
    rectified = Interval(0.0, math.inf)
    network = torch.nn.RNN(3, 5, nonlinearity="relu")
    assert [reach for reach, _ in states(network, STATES)] == [rectified, rectified]
    cell = torch.nn.RNNCell(3, 5, nonlinearity="relu")
    assert [reach for reach, _ in states(cell, STATES[0])] == [rectified]


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
def test_a_projected_hidden_state_has_no_bounds() -> None:
    torch.manual_seed(0)
    for bias in (True, False):
        found = states(torch.nn.LSTM(3, 5, proj_size=2, bias=bias), STATES)
        assert all(reach.whole for reach, _ in found)
        assert float(found[0][1].abs().max()) > 1.0


def test_the_state_that_a_gru_began_with_stays_in_its_hidden_state() -> None:
    torch.manual_seed(0)
    began = torch.full((1, 2, 5), 4.0)
    for reach, _ in states(torch.nn.GRU(3, 5), STATES, began, scale=0.3):
        assert reach == Interval(-1.0, 4.0)
    found = states(torch.nn.GRUCell(3, 5), STATES[0], -began[0], scale=0.3)
    assert [reach for reach, _ in found] == [Interval(-4.0, 1.0)]
    assert float(found[0][1].min()) < -1.0
    packed = torch.nn.utils.rnn.pack_padded_sequence(STATES, torch.tensor([4, 3]))
    for reach, _ in states(torch.nn.GRU(3, 5), packed, began, scale=0.3)[:1]:
        assert reach == Interval(-1.0, 4.0)


def test_no_interval_is_found_behind_a_long_chain() -> None:
    def chain(length: int) -> Interval:
        def program(x: Tensor) -> Tensor:
            x = torch.sigmoid(x)
            for _step in range(length):
                x = x.flip(0)
            return x

        return interval_of(program, SCORES)[0]

    assert chain(150) == Interval(0.0, 1.0)
    assert chain(151).whole


def test_a_constant_that_was_changed_since_is_not_read() -> None:
    scale = torch.tensor([2.0, 3.0])
    with recording() as trace:
        out = torch.tanh(torch.randn(4, 2, requires_grad=True)) * scale
    value = trace.value_of(out)
    assert value is not None
    scale.fill_(1.0)
    assert Bounds(lambda source: source.tensor.requires_grad).of(value).whole
    assert not Bounds(lambda source: True).of(value).bounded


def test_a_sparse_constant_is_not_read() -> None:
    links = torch.eye(3).to_sparse()
    with recording() as trace:
        out = links @ torch.relu(SCORES)
    value = trace.value_of(out)
    assert value is not None
    assert Bounds(lambda source: source.tensor.numel() > 9).of(value).whole


def test_an_interval_is_computed_once() -> None:
    asked: list[Value] = []

    def is_free(source: Value) -> bool:
        asked.append(source)
        return True

    with recording() as trace:
        out = torch.relu(SCORES)
    value = trace.value_of(out)
    assert value is not None
    bounds = Bounds(is_free)
    assert bounds.of(value) is bounds.of(value)
    assert len(asked) == 1


def normalised(program: Callable[[Tensor], Tensor], scaled: bool = False) -> bool:
    with recording() as trace:
        out = program(SCORES * 1.5)
    value = trace.value_of(out)
    assert value is not None
    return is_normalised(value, scaled)


def length(x: Tensor) -> Tensor:
    return torch.norm(x, dim=1, keepdim=True)


@pytest.mark.parametrize(
    "program",
    [
        F.normalize,
        lambda x: -F.normalize(x)[:2],
        lambda x: x / length(x),
        lambda x: x / (length(x) + 1e-3),
        lambda x: x / length(x).clamp(min=1e-3).expand(3, 4),
        lambda x: x / torch.linalg.vector_norm(x, dim=1, keepdim=True),
        lambda x: x / torch.linalg.norm(x, dim=1, keepdim=True),
    ],
)
def test_what_is_divided_by_its_length_is_a_direction(
    program: Callable[[Tensor], Tensor],
) -> None:
    assert normalised(program) is True
    assert normalised(lambda x: 10.0 * program(x)) is False
    assert normalised(lambda x: 10.0 * program(x) - 0.5, scaled=True) is True


@pytest.mark.parametrize(
    "program",
    [
        lambda x: x,
        lambda x: x / 2.0,
        lambda x: x / x.sum(1, keepdim=True),
        lambda x: x * length(x),
        lambda x: length(x) / 2.0,
        lambda _x: torch.zeros(2),
    ],
)
def test_what_is_not_divided_by_its_length_is_no_direction(
    program: Callable[[Tensor], Tensor],
) -> None:
    assert normalised(program) is False
    assert normalised(program, scaled=True) is False


class Filled(torch.nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.masked_fill(x > 0, 5.0)


class Extended(torch.nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, torch.full((1, 4), 5.0)])


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize(
    "layer",
    [
        torch.nn.Hardtanh(-5.0, 5.0), torch.nn.ELU(3.0), torch.nn.CELU(3.0), torch.nn.Softplus(0.1),
        torch.nn.Threshold(0.0, -9.0), torch.nn.LeakyReLU(4.0), Filled(), Extended(),
    ],
)  # fmt: skip
def test_of_a_scripted_activation_no_more_is_said_than_autograd_tells(
    layer: torch.nn.Module,
) -> None:
    script = torch.jit.script(torch.nn.Sequential(torch.nn.Tanh(), layer))
    x = (10.0 * SCORES).requires_grad_()
    with recording() as trace:
        out = script(x).clone()
    complete(trace)
    value = trace.value_of(out)
    assert value is not None
    assert Bounds(lambda source: source.tensor.requires_grad).of(value).whole


def test_padding_of_a_packed_sequence_counts() -> None:
    def program(x: Tensor) -> Tensor:
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            cut(x, 1.0, 2.0), torch.tensor([4, 2, 2]), batch_first=True
        )
        return torch.nn.utils.rnn.pad_packed_sequence(packed, True, -3.0)[0]

    reach, out = interval_of(program, SCORES)
    assert (reach.low, reach.high) == (-3.0, 2.0)
    assert float(out.min()) == -3.0
    assert float(out.max()) <= 2.0
