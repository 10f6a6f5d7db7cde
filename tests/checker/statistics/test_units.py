"""Units counted by torch against the same counts in plain loops, and who is called dead."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture.location import Location
from actlab.checker.statistics.units import (
    ActivationMeasure,
    UnitStatistics,
    counted,
    dead_share,
    measure,
    rows_of,
    together,
)


def statistics_of(op: str, x: Tensor, unit_dim: int = 1) -> UnitStatistics:
    function = getattr(F, op, None) or getattr(torch, op)
    return measure(function, x, function(x), unit_dim, op, 1e-2)


def counts_of(op: str, statistics: UnitStatistics) -> ActivationMeasure:
    return counted(
        statistics, op=op, label="x", location=Location(), role="hidden", flat_share=0.95
    )


def by_loops(op: str, x: Tensor) -> tuple[int, int, int]:
    """Return dead, always-on and saturated units of a (samples, units) input, one by one."""
    dead = on = saturated = 0
    for unit in range(x.shape[1]):
        column = [float(v) for v in x[:, unit]]
        if op == "relu":
            dead += all(v <= 0 for v in column)
            on += all(v > 0 for v in column)
        else:
            slopes = [1 - math.tanh(v) ** 2 for v in column]
            saturated += sum(s < 0.01 for s in slopes) / len(slopes) > 0.95
            on += all(v > 0 for v in column)
    return dead, on, saturated


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from(["relu", "tanh"]))
def test_counts_agree_with_loops(seed: int, op: str) -> None:
    generator = torch.Generator().manual_seed(seed)
    shift = 6 * torch.randn(1, 12, generator=generator)
    x = torch.randn(20, 12, generator=generator) + shift
    found = counts_of(op, statistics_of(op, x))
    dead, on, saturated = by_loops(op, x)
    assert (found.dead, found.always_on) == (dead, on)
    assert found.saturated == (None if op == "relu" else saturated)


def test_channels_are_units_and_positions_are_samples_of_them() -> None:
    x = torch.randn(8, 3, 5, 5)
    x[:, 1] = -x[:, 1].abs() - 0.1
    whole = counts_of("relu", statistics_of("relu", x))
    flat = counts_of("relu", statistics_of("relu", x.permute(0, 2, 3, 1).reshape(-1, 3)))
    assert (whole.units, whole.dead) == (3, 1) == (flat.units, flat.dead)
    assert (whole.samples, whole.observations) == (8, 200)


def test_two_halves_together_are_the_whole() -> None:
    x = torch.randn(64, 9) + 3 * torch.randn(9)
    halves = together([statistics_of("tanh", half) for half in (x[:32], x[32:])])
    whole = statistics_of("tanh", x)
    for name in ("highest", "lowest", "highest_input", "mean_square", "flat"):
        torch.testing.assert_close(getattr(halves, name), getattr(whole, name))
    assert torch.equal(halves.moving, whole.moving)
    assert (halves.samples, halves.batches) == (64, 2)


def test_a_leaky_slope_keeps_a_unit_alive() -> None:
    x = -torch.rand(20, 4) - 1
    assert counts_of("relu", statistics_of("relu", x)).dead == 4
    assert counts_of("leaky_relu", statistics_of("leaky_relu", x)).dead == 0


def test_measuring_leaves_no_trace() -> None:
    x = torch.randn(20, 4, requires_grad=True)
    before = torch.get_rng_state()
    statistics = statistics_of("gelu", x)
    assert x.grad is None
    assert not statistics.highest.requires_grad
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(dtype: torch.dtype) -> None:
    x = torch.linspace(-9, 9, 80).reshape(20, 4).to(dtype)
    assert counts_of("tanh", statistics_of("tanh", x)).units == 4


def test_in_inference_mode() -> None:
    with torch.inference_mode():
        assert counts_of("relu", statistics_of("relu", -torch.ones(6, 2))).dead == 2


def test_rows_are_spread_over_the_batch() -> None:
    x = torch.arange(4 * 1_000_000, dtype=torch.float32).reshape(4000, 1000)
    rows = rows_of(x, 1)
    assert rows.numel() <= 1 << 18
    assert float(rows[-1, 0]) > 0.9 * float(x[-1, 0])


def shares(dead: int, on: int, units: int, far: int = 0) -> float:
    return dead_share(
        ActivationMeasure(
            "relu", "x", Location(), "hidden", units, 600, 1, 600, dead, far, on, None, 1.0
        )
    )


def test_a_fair_coin_kills_no_unit() -> None:
    assert shares(dead=33, on=31, units=64) == 0.0
    assert shares(dead=6, on=3, units=32) == 0.0
    assert shares(dead=40, on=4, units=64) == pytest.approx(36 / 64)
    assert shares(dead=64, on=0, units=64) == 1.0
    assert shares(dead=2, on=0, units=2) == 1.0


def test_units_far_below_zero_are_dead_whatever_the_coin_says() -> None:
    assert shares(dead=4, on=2, units=20) == 0.0
    assert shares(dead=4, on=2, units=20, far=4) == pytest.approx(0.2)


@pytest.mark.parametrize("depth", [1, 3, 6, 10])
def test_default_networks_have_no_dead_layer(depth: int) -> None:
    """As torch draws them, on inputs that are all positive: the hardest healthy case."""
    worst = []
    for seed in range(12):
        torch.manual_seed(seed)
        h = torch.rand(600, 40)
        found = []
        for _layer in range(depth):
            x = nn.Linear(h.shape[1], 48)(h)
            h = torch.relu(x)
            found.append(dead_share(counts_of("relu", statistics_of("relu", x.detach()))))
        worst.append(max(found))
    assert sum(share > 0.1 for share in worst) <= 1, worst
    assert max(worst) < 0.5
