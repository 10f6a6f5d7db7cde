"""Failure rates: the exact bound, its coverage, and Fisher's test."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from actlab.stats import StatisticsError, failure_rate_low, failure_rates_p


def test_the_bound_is_scipys_exact_one() -> None:
    for failures, runs in [(0, 10), (1, 10), (4, 10), (10, 10), (3, 7)]:
        expected = scipy_stats.binomtest(failures, runs, alternative="greater").proportion_ci(0.95)
        assert failure_rate_low(failures, runs) == pytest.approx(expected.low, abs=1e-12)


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_a_tolerable_rate_is_exceeded_in_5_percent_at_most(rate: float) -> None:
    counts = np.random.default_rng(0).binomial(10, rate, 4000)
    assert np.mean([failure_rate_low(int(k), 10) > rate for k in counts]) <= 0.05


def test_two_rates() -> None:
    assert failure_rates_p((4, 0), (10, 10)) == pytest.approx(0.0867, abs=1e-4)
    assert failure_rates_p((0, 0), (10, 8)) == 1.0


def test_no_runs_are_refused() -> None:
    with pytest.raises(StatisticsError, match="given 2 of 1"):
        failure_rate_low(2, 1)
