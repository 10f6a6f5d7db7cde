"""Slopes by differentiation against slopes on paper and against differences."""

import math

import pytest
import torch
from torch.nn import functional as F

from actlab.unit_statistics import greatest_slope, slopes

X = torch.linspace(-6, 6, 100, dtype=torch.float64)  # not 0, where some have a kink


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (torch.sigmoid, lambda x: math.exp(-x) / (1 + math.exp(-x)) ** 2),
        (torch.tanh, lambda x: 1 / math.cosh(x) ** 2),
        (F.softsign, lambda x: 1 / (1 + abs(x)) ** 2),
        (lambda x: F.leaky_relu(x, 0.2), lambda x: 1.0 if x > 0 else 0.2),
    ],
)
def test_slopes_on_paper(function, slope) -> None:
    expected = torch.tensor([slope(float(x)) for x in X], dtype=torch.float64)
    torch.testing.assert_close(slopes(function, X), expected)


@pytest.mark.parametrize("function", [F.gelu, F.silu, F.mish, F.elu, F.hardswish])
def test_slopes_are_differences(function) -> None:
    step = 1e-5
    away = X[(X.abs() - 3).abs() > 1e-3]  # hardswish has kinks at -3 and 3
    expected = (function(away + step) - function(away - step)) / (2 * step)
    torch.testing.assert_close(slopes(function, away), expected, atol=1e-8, rtol=1e-6)


def test_functions_that_work_in_place_are_run_on_a_copy() -> None:
    x = X.clone()
    assert float(slopes(lambda t: F.relu(t, inplace=True), x).sum()) == 50.0
    assert torch.equal(x, X)


@pytest.mark.parametrize(
    ("function", "greatest"), [(torch.sigmoid, 0.25), (torch.tanh, 1.0), (F.hardsigmoid, 1 / 6)]
)
def test_greatest_slope(function, greatest: float) -> None:
    assert greatest_slope(function) == pytest.approx(greatest)


def test_no_grad_and_inference_mode_do_not_matter() -> None:
    with torch.no_grad():
        assert float(slopes(torch.tanh, torch.zeros(1))[0]) == 1.0
    with torch.inference_mode():
        assert float(slopes(torch.tanh, torch.zeros(1))[0]) == 1.0
