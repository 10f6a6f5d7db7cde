"""Power: statsmodels, simulated studies, and the two questions as inverses of each other."""

import math
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special
from scipy import stats as scipy_stats

from actlab.stats import (
    StatisticsError,
    detectable_difference,
    paired_difference,
    paired_t_power,
    seeds_to_separate,
)
from tests.stats.simulation import STUDIES, correlated, reuse


@pytest.mark.parametrize("n", [2, 5, 10, 30])
@pytest.mark.parametrize("effect", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("comparisons", [1, 28])
def test_power_agrees_with_statsmodels(n: int, effect: float, comparisons: int) -> None:
    power = import_module("statsmodels.stats.power").TTestPower()
    level = 0.05 / comparisons / 2
    upper = power.power(effect, n, level, alternative="larger")
    lower = power.power(effect, n, level, alternative="smaller")
    # statsmodels takes SciPy's lower tail, which is NaN where there is next to nothing in it.
    expected = upper if math.isnan(lower) and effect * math.sqrt(n) > 6 else upper + lower
    found = paired_t_power(n, effect, 1.0, comparisons)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("n", "shift"), [(2, 20.0), (3, 100.0), (10, 40.0), (31, 20.0)])
def test_power_far_out_is_the_integral_over_the_spread(n: int, shift: float) -> None:
    """Where SciPy's noncentral t loses its lower tail; given the spread, power is normal."""
    degrees, level = n - 1, 0.05 / 28
    critical = special.stdtrit(degrees, 1 - level / 2)

    def given_spread(chance: float) -> float:
        spread = math.sqrt(scipy_stats.chi2.ppf(chance, degrees) / degrees)
        return float(special.ndtr(shift - critical * spread))

    expected = integrate.quad(given_spread, 0.0, 1.0, limit=200)[0]
    found = paired_t_power(n, shift / math.sqrt(n), 1.0, comparisons=28)
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("rho", [0.0, 0.2, 0.33])
def test_power_agrees_with_simulated_studies(rho: float) -> None:
    n, spread, difference = 8, 2.0, 3.5
    # The spread that is seen within a study is smaller than the marginal one: sqrt(1 - rho).
    marginal = spread / math.sqrt(1.0 - rho)
    rows = difference + marginal * correlated(np.random.default_rng(4), 2 * STUDIES, n, rho)
    factor = 1 / n + reuse(rho)
    shown = [
        paired_difference(row, np.zeros(n), variance_factor=factor).p_value <= 0.05 / 3
        for row in rows
    ]
    expected = paired_t_power(n, difference, spread, comparisons=3, reuse=reuse(rho))
    assert np.mean(shown) == pytest.approx(expected, abs=0.025)


@pytest.mark.parametrize("effect", [0.2, 0.6, 1.0, 3.0])
@pytest.mark.parametrize("comparisons", [1, 28])
def test_seeds_to_separate_is_the_first_number_that_is_enough(
    effect: float, comparisons: int
) -> None:
    found = seeds_to_separate(effect, 1.0, comparisons)
    assert found is not None
    assert paired_t_power(found, effect, 1.0, comparisons) >= 0.8
    assert found == 2 or paired_t_power(found - 1, effect, 1.0, comparisons) < 0.8


@given(st.integers(2, 60), st.floats(0.01, 5.0), st.sampled_from([1, 3, 28]))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_the_detectable_difference_has_the_power_asked_for(
    n: int, spread: float, comparisons: int
) -> None:
    difference = detectable_difference(n, spread, comparisons)
    assert paired_t_power(n, difference, spread, comparisons) == pytest.approx(0.8, abs=1e-6)
    enough = seeds_to_separate(difference * 1.001, spread, comparisons)
    assert enough is not None
    assert enough <= n


@given(st.floats(0.001, 5.0), st.floats(0.001, 5.0), st.floats(0.01, 100.0))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_only_the_ratio_to_the_spread_counts(
    difference: float, spread: float, scale: float
) -> None:
    plain = paired_t_power(7, difference, spread)
    assert paired_t_power(7, -scale * difference, scale * spread) == pytest.approx(plain, abs=1e-9)


def test_the_ends() -> None:
    assert seeds_to_separate(0.0, 1.0) is None
    assert seeds_to_separate(1e-5, 1.0) is None
    assert seeds_to_separate(0.01, 0.0) == 2
    assert seeds_to_separate(-1.0, 1.0) == seeds_to_separate(1.0, 1.0)
    assert paired_t_power(1, 1.0, 1.0) == 0.0
    assert paired_t_power(5, 0.0, 1.0) == 0.05
    assert detectable_difference(1, 1.0) == math.inf
    assert detectable_difference(5, 0.0) == 0.0
    assert detectable_difference(5, 1.0, alpha=0.3, power=0.2) == 0.0


def test_reused_rows_may_never_be_enough() -> None:
    assert seeds_to_separate(1.0, 1.0, reuse=0.25) is None
    assert detectable_difference(10, 1.0, reuse=0.25) > 1.5 * detectable_difference(10, 1.0)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(StatisticsError, match="comparisons must be at least 1"):
        seeds_to_separate(1.0, 1.0, comparisons=0)
    with pytest.raises(StatisticsError, match="standard_deviation"):
        detectable_difference(3, -1.0)


def test_without_spread_any_difference_shows() -> None:
    assert paired_t_power(5, difference=0.1, standard_deviation=0.0) == 1.0
    assert paired_t_power(5, difference=0.0, standard_deviation=0.0) == 0.05


def test_every_difference_shows_as_often_as_the_test_errs() -> None:
    found = [detectable_difference(n, 1.0, alpha=0.05, power=0.05) for n in range(2, 40)]
    assert found == [0.0] * 38


def test_one_comparison_is_meant_where_none_is_given() -> None:
    assert seeds_to_separate(1.0, 1.0) == seeds_to_separate(1.0, 1.0, comparisons=1) == 10


def test_a_million_seeds_are_the_most() -> None:
    most = detectable_difference(1_000_000, 1.0)
    assert seeds_to_separate(most * (1 + 1e-8), 1.0) == 1_000_000
    assert seeds_to_separate(most * (1 - 2.5e-7), 1.0) is None
