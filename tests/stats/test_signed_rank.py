"""Signed ranks over blocks: SciPy, coverage, and the Bayesian reading."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from actlab.stats import bayesian_signed_rank, signed_rank_difference


def test_p_is_wilcoxons_and_the_interval_ends_where_it_rejects() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.normal(0.4, 1.0, 12), generator.normal(0.0, 1.0, 12)
    found = signed_rank_difference(first, second)
    assert found.p_value == pytest.approx(scipy_stats.wilcoxon(first - second).pvalue)
    for end, inside in ((found.low, 1e-6), (found.high, -1e-6)):
        assert scipy_stats.wilcoxon(first - second - end - inside).pvalue > 0.05
        assert scipy_stats.wilcoxon(first - second - end + inside).pvalue <= 0.05


def test_the_interval_covers() -> None:
    generator = np.random.default_rng(1)
    rows = generator.standard_t(3, size=(1000, 10)) + 0.5
    found = [signed_rank_difference(row, np.zeros(10)) for row in rows]
    assert np.mean([one.low <= 0.5 <= one.high for one in found]) >= 0.94
    assert np.mean([one.high_90 >= 0.5 for one in found]) >= 0.94


def test_few_blocks_bound_nothing() -> None:
    found = signed_rank_difference([1, 2, 3, 4, 5], [0, 0, 0, 0, 0])
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert (found.low_90, found.high_90) == (1.0, 5.0)


def test_the_posterior_knows_sides_and_margin() -> None:
    generator = np.random.default_rng(2)
    same = bayesian_signed_rank([0.9, 0.8, 0.7, 0.6], [0.9, 0.8, 0.7, 0.6], 0.01, generator)
    assert same[1] > 0.99
    ahead = bayesian_signed_rank([0.9, 0.8, 0.7, 0.6], [0.5, 0.4, 0.3, 0.2], 0.01, generator)
    assert ahead[2] > 0.9
    assert sum(ahead) == pytest.approx(1.0)


def test_one_block_has_neither_spread_nor_degrees() -> None:
    found = signed_rank_difference([3], [1])
    assert (found.mean, found.standard_deviation, found.degrees) == (2.0, math.inf, 0.0)
    assert signed_rank_difference([3, 4], [1, 1]).standard_deviation == pytest.approx(0.5**0.5)


@pytest.mark.parametrize(("margin", "limit"), [(0.2, 1 - 0.5**0.5), (0.1, 0.5**0.5)])
def test_the_posterior_is_that_of_the_weight_at_zero(margin: float, limit: float) -> None:
    """Four differences of 0.3: pair means are 0, 0.15 and 0.3, and the weight w of 0 is Beta.

    Above 0.2 is (1 - w)^2, above 0.1 is 1 - w^2: it is the largest share where it exceeds 1/2.
    """
    generator = np.random.default_rng(3)
    found = bayesian_signed_rank([0.9] * 4, [0.6] * 4, margin, generator)
    expected = scipy_stats.beta.cdf(limit, 0.5, 4)
    assert found == pytest.approx((0.0, 1 - expected, expected), abs=0.01)


def test_six_blocks_have_the_critical_value_of_the_tables() -> None:
    """Sums of ranks up to 2 are rejected at one-sided 5 %, 0 alone at 2.5 %."""
    found = signed_rank_difference([1, 2, 4, 8, 16, 32], [0] * 6)
    assert (found.low, found.high) == (1.0, 32.0)
    # The means of two: 1, 1.5, 2 are the least and 32, 24, 20 the largest.
    assert (found.low_90, found.high_90) == (2.0, 20.0)


def test_the_posterior_compares_the_differences_themselves_with_the_margin() -> None:
    ahead = bayesian_signed_rank([0.12] * 8, [0.0] * 8, 0.1, np.random.default_rng(3))
    assert ahead[2] > 0.9
