"""What statistics refuse, at the very bounds."""

import math

import pytest

from actlab.stats import StatisticsError
from actlab.stats.checks import fraction, not_negative, pair, table
from actlab.stats.paired import checked_factor, t_quantile


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, math.nan])
def test_a_fraction_lies_strictly_between_0_and_1(value: float) -> None:
    assert fraction("alpha", 1e-9) == 1e-9
    with pytest.raises(StatisticsError, match="alpha must lie between 0 and 1"):
        fraction("alpha", value)


@pytest.mark.parametrize("value", [-1e-9, math.inf, math.nan])
def test_not_negative_is_zero_or_more(value: float) -> None:
    assert not_negative("margin", 0.0) == 0.0
    with pytest.raises(StatisticsError, match="margin must be a finite number"):
        not_negative("margin", value)


def test_shapes_that_are_too_small() -> None:
    assert table([[1, 2]]).shape == (1, 2)
    for scores in ([[1], [2]], [1, 2], [[1, 2], [3]]):
        with pytest.raises(StatisticsError):
            table(scores)
    with pytest.raises(StatisticsError, match="2 and 3 values"):
        pair([1, 2], [1, 2, 3])


def test_without_degrees_of_freedom_every_quantile_but_the_median_is_infinite() -> None:
    assert (t_quantile(0.025, 0), t_quantile(0.975, 0)) == (-math.inf, math.inf)
    assert t_quantile(0.975, 1e-3) < math.inf


def test_a_variance_factor_is_one_over_n_or_more() -> None:
    assert checked_factor(0.1, 10) == 0.1
    assert checked_factor(0.1 * (1 - 1e-10), 10) == pytest.approx(0.1)
    for given in (0.0999, math.nan, math.inf):
        with pytest.raises(StatisticsError, match=r"at least 1/n = 0\.1"):
            checked_factor(given, 10)
