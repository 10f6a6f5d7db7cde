"""Rank correlation: SciPy, the exact table of critical values, coverage at 8 points."""

import math
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from actlab.stats import Interval, StatisticsError, rank_correlation
from tests.stats.simulation import STUDIES

NUMBERS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=10)


@given(NUMBERS)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_the_estimate_is_scipys_ties_included(points: list[tuple[int, int]]) -> None:
    x, y = zip(*points, strict=True)
    if len(set(x)) == 1 or len(set(y)) == 1:
        return
    found = rank_correlation(x, y, np.random.default_rng(0), resamples=99)
    assert found.estimate == pytest.approx(scipy_stats.spearmanr(x, y).statistic, abs=1e-12)
    assert -1.0 <= found.low <= found.estimate <= found.high <= 1.0


@cache
def orders_of_8() -> dict[int, tuple[int, ...]]:
    """Return one order of 8 for each sum of squared rank differences."""
    orders = np.array(list(permutations(range(8))))
    sums, places = np.unique(((orders - np.arange(8)) ** 2).sum(axis=1), return_index=True)
    return {
        int(total): tuple(orders[place].tolist()) for total, place in zip(sums, places, strict=True)
    }


@pytest.mark.parametrize(("squares", "excluded"), [(22, True), (24, False)])
def test_zero_is_excluded_where_the_exact_test_rejects(squares: int, excluded: bool) -> None:
    """At n = 8, the exact two-sided 5 % test rejects from 0.738 (sum 22) on, not at 0.714."""
    found = rank_correlation(range(8), orders_of_8()[squares], np.random.default_rng(1))
    assert (found.low > 0.0) == excluded


@cache
def interval_of(squares: int) -> Interval:
    order = orders_of_8()[squares]
    return rank_correlation(range(8), order, np.random.default_rng(2), resamples=1999)


@pytest.mark.parametrize("truth", [0.0, 0.6, 0.9])
def test_it_covers_95_percent_at_8_points(truth: float) -> None:
    generator = np.random.default_rng(3)
    rho = 2 * math.sin(math.pi / 6 * truth)
    x = generator.standard_normal((STUDIES, 8))
    y = rho * x + math.sqrt(1 - rho**2) * generator.standard_normal((STUDIES, 8))
    ranks = np.argsort(np.argsort(x)) - np.argsort(np.argsort(np.exp(y)))
    found = [interval_of(int(squares)) for squares in (ranks**2).sum(axis=1)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.93 <= covered <= 0.98


def test_turning_one_side_round_turns_the_interval_round() -> None:
    x, y = np.random.default_rng(4).normal(size=(2, 12))
    plain = rank_correlation(x, y, np.random.default_rng(5))
    turned = rank_correlation(x, -y, np.random.default_rng(5))
    warped = rank_correlation(np.exp(x), y**3, np.random.default_rng(5))
    swapped = rank_correlation(y, x, np.random.default_rng(5))
    assert (turned.low, turned.high) == pytest.approx((-plain.high, -plain.low), abs=1e-12)
    assert warped == plain
    assert swapped == plain


def test_more_points_and_less_confidence_make_it_shorter() -> None:
    generator = np.random.default_rng(6)

    def width(n: int, confidence: float) -> float:
        order = np.arange(n)
        nearly = order + np.where(order % 2 == 0, 1.4, -1.4)
        found = rank_correlation(order, nearly, generator, confidence)
        return found.high - found.low

    assert width(40, 0.95) < width(12, 0.95)
    assert width(12, 0.8) < width(12, 0.95)


def test_perfect_order_keeps_a_width() -> None:
    found = rank_correlation(range(8), range(8), np.random.default_rng(7))
    assert (found.estimate, found.high) == (1.0, 1.0)
    assert 0.87 < found.low < 0.92
    three = rank_correlation([1, 2, 3], [1, 2, 3], np.random.default_rng(7))
    assert three.low < 0.0


def test_too_few_points_and_no_order_are_refused() -> None:
    generator = np.random.default_rng(0)
    with pytest.raises(StatisticsError, match="at least 3; it is 2"):
        rank_correlation([1, 2], [1, 2], generator)
    with pytest.raises(StatisticsError, match="two distinct values"):
        rank_correlation([1, 2, 3], [5, 5, 5], generator)
