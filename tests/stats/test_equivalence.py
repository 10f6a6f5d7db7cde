"""Equivalence: statsmodels, its link to intervals, and its error at the edge of the margin."""

import math
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.stats import StatisticsError, equivalence, paired_difference, upper_bound
from tests.stats.simulation import STUDIES, correlated, reuse

SCORE = st.integers(9000, 9999).map(lambda count: count / 10_000)
PAIRS = st.lists(st.tuples(SCORE, SCORE), min_size=2, max_size=12)


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.9])
def test_two_one_sided_tests_agree_with_statsmodels(shift: float) -> None:
    weightstats = import_module("statsmodels.stats.weightstats")
    first, second = np.random.default_rng(1).normal(size=(2, 10))
    expected = weightstats.ttost_paired(first + shift, second, -0.8, 0.8)[0]
    assert equivalence(first + shift, second, 0.8).p_value == pytest.approx(expected, rel=1e-9)


@given(PAIRS, st.floats(0.001, 0.1))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_it_is_the_90_percent_interval_inside_the_margin(
    pairs: list[tuple[float, float]], margin: float
) -> None:
    first, second = np.array(pairs).T
    found = equivalence(first, second, margin)
    ninety = paired_difference(first, second, confidence=0.9)
    assert (found.lower, found.upper) == pytest.approx((ninety.low, ninety.high), abs=1e-12)
    assert found.upper == upper_bound(first, second)
    assert found.equivalent == (found.p_value < 0.05)
    turned = equivalence(second, first, margin)
    assert turned.equivalent == found.equivalent
    assert (turned.lower, turned.upper) == pytest.approx((-found.upper, -found.lower), abs=1e-12)


@pytest.mark.parametrize("rho", [0.0, 0.2, 0.33])
def test_candidates_a_margin_apart_are_called_equivalent_in_at_most_5_percent(rho: float) -> None:
    generator = np.random.default_rng(2)
    differences = correlated(generator, STUDIES, 10, rho)
    factor, margin = 1 / 10 + reuse(rho), 3.0
    wrong = [
        equivalence(row + margin, np.zeros(10), margin, variance_factor=factor).equivalent
        for row in differences
    ]
    assert 0.035 <= np.mean(wrong) <= 0.062  # 5 %, the edge, within 2.5 standard errors
    covered = [upper_bound(row, np.zeros(10), variance_factor=factor) >= 0.0 for row in differences]
    assert 0.935 <= np.mean(covered) <= 0.965


def test_equals_are_tied_at_n_10_when_the_spread_is_0_6_margins() -> None:
    differences = 0.6 * np.random.default_rng(3).standard_normal((STUDIES, 10))
    tied = [upper_bound(row, np.zeros(10)) < 1.0 for row in differences]
    assert np.mean(tied) >= 0.95


def test_one_pair_and_no_spread() -> None:
    one = equivalence([0.9], [0.9], margin=0.005)
    assert (one.lower, one.upper) == (-math.inf, math.inf)
    assert (one.p_value, one.equivalent) == (1.0, False)
    same = equivalence([0.9] * 5, [0.9] * 5, margin=0.005)
    assert (same.lower, same.upper, same.p_value, same.equivalent) == (0.0, 0.0, 0.0, True)
    assert not equivalence([0.9] * 5, [0.9] * 5, margin=0.0).equivalent
    with pytest.raises(StatisticsError, match="margin must be a finite number of at least 0"):
        equivalence([0.9], [0.9], margin=-0.1)
