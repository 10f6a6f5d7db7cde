"""Paired tests: SciPy, sign patterns counted one by one, and simulated studies."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from actlab.stats import (
    StatisticsError,
    nadeau_bengio_factor,
    paired_difference,
    permutation_p,
    welch_difference,
    wilcoxon_p,
)
from actlab.stats.paired import paired_values
from tests.stats.simulation import HIGHEST, LOWEST, STUDIES, correlated, reuse

ACCURACY = st.integers(0, 1000).map(lambda count: count / 1000)
PAIRS = st.lists(st.tuples(ACCURACY, ACCURACY), min_size=2, max_size=9)


def two_sided(statistics: list[float], seen: float) -> float:
    at_least = sum(abs(statistic) >= abs(seen) - 1e-9 for statistic in statistics)
    return at_least / len(statistics)


def signs(n: int) -> list[np.ndarray]:
    return [np.array(pattern) for pattern in product((-1, 1), repeat=n)]


def test_the_paired_difference_agrees_with_scipy() -> None:
    first, second = np.random.default_rng(1).normal(size=(2, 9))
    expected = scipy_stats.ttest_rel(first, second)
    ends = expected.confidence_interval(0.9)
    found = paired_difference(first, second)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.low_90, found.high_90) == pytest.approx((ends.low, ends.high), rel=1e-9)
    assert found.standard_deviation == pytest.approx(np.std(first - second, ddof=1))
    assert found.n == 9


@pytest.mark.parametrize("n", [3, 10])
@pytest.mark.parametrize("rho", [0.0, 0.2, 0.33])
def test_the_interval_covers_95_percent_and_the_test_errs_in_5(n: int, rho: float) -> None:
    generator = np.random.default_rng(n)
    shared = generator.standard_normal((STUDIES, n))  # what both candidates have of a seed
    first = shared + correlated(generator, STUDIES, n, rho)
    second = shared + correlated(generator, STUDIES, n, rho) + 0.7
    factor = 1 / n + reuse(rho)
    found = [
        paired_difference(a, b, variance_factor=factor) for a, b in zip(first, second, strict=True)
    ]
    covered = np.mean([one.low <= -0.7 <= one.high for one in found])
    assert LOWEST <= covered <= HIGHEST
    # The interval leaves the truth out exactly where the test of that truth errs.
    moved = [
        paired_difference(a + 0.7, b, variance_factor=factor).p_value
        for a, b in zip(first[:200], second[:200], strict=True)
    ]
    missed = [not one.low <= -0.7 <= one.high for one in found[:200]]
    assert [p_value < 0.05 for p_value in moved] == missed


def test_without_the_correction_reused_rows_look_too_certain() -> None:
    generator = np.random.default_rng(5)
    first, second = (correlated(generator, STUDIES, 10, 0.33) for _candidate in range(2))
    wrong = [paired_difference(a, b).p_value <= 0.05 for a, b in zip(first, second, strict=True)]
    assert np.mean(wrong) > 0.3


def test_the_factor_of_nadeau_and_bengio() -> None:
    assert nadeau_bengio_factor(15, 9, 1) == pytest.approx(1 / 15 + 1 / 9)
    assert nadeau_bengio_factor(5, 40_000, 10_000) - 1 / 5 == pytest.approx(reuse(0.2))
    with pytest.raises(StatisticsError, match="at least 1; they are 5, 0 and 10"):
        nadeau_bengio_factor(5, 0, 10)
    with pytest.raises(StatisticsError, match=r"at least 1/n = 0.5; it is 0.1"):
        paired_difference([1, 2], [2, 4], variance_factor=0.1)


@given(PAIRS)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_wilcoxon_is_the_count_of_sign_patterns_also_with_ties(
    pairs: list[tuple[float, float]],
) -> None:
    first, second = np.array(pairs).T
    steps = np.round((first - second) * 1000)
    steps = steps[steps != 0]
    ranks = scipy_stats.rankdata(np.abs(steps))
    sums = [float((pattern * ranks).sum()) for pattern in signs(steps.size)]
    expected = two_sided(sums, float((np.sign(steps) * ranks).sum()))
    assert wilcoxon_p(first, second) == pytest.approx(expected)


@given(PAIRS)
@example([(0.0, 0.0), (0.013, 0.0), (0.503, 0.649), (0.275, 0.046), (0.001, 0.0), (0.0, 0.096)])
@settings(max_examples=30, deadline=None, derandomize=True)
def test_permutation_is_the_count_of_sign_patterns(pairs: list[tuple[float, float]]) -> None:
    first, second = np.array(pairs).T
    steps = np.round((first - second) * 1000)
    sums = [float((pattern * steps).sum()) for pattern in signs(steps.size)]
    expected = two_sided(sums, float(steps.sum()))
    found = permutation_p(first, second, np.random.default_rng(0))
    assert found == pytest.approx(expected)


def test_many_pairs_are_permuted_at_random_and_never_give_zero() -> None:
    first, second = np.random.default_rng(2).normal(size=(2, 30))
    expected = scipy_stats.ttest_rel(first, second).pvalue
    assert permutation_p(first, second, np.random.default_rng(3)) == pytest.approx(
        expected, abs=0.02
    )
    assert permutation_p(first + 9, second, np.random.default_rng(3)) == pytest.approx(2e-4)


@given(PAIRS, st.integers(-3, 3), st.floats(0.1, 10.0))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_shift_scale_order_and_sides(
    pairs: list[tuple[float, float]], shift: int, scale: float
) -> None:
    first, second = np.array(pairs).T
    plain = paired_difference(first, second)
    moved = paired_difference(scale * first[::-1] + shift, scale * second[::-1] + shift)
    turned = paired_difference(second, first)
    assert moved.mean == pytest.approx(scale * plain.mean, abs=1e-9)
    assert moved.high == pytest.approx(scale * plain.high, abs=1e-8)
    assert moved.p_value == pytest.approx(plain.p_value, abs=1e-6)
    assert (turned.low, turned.high) == pytest.approx((-plain.high, -plain.low), abs=1e-12)
    assert turned.p_value == pytest.approx(plain.p_value)
    assert plain.low <= plain.mean <= plain.high


def test_one_pair_shows_nothing() -> None:
    found = paired_difference([0.98], [0.10])
    assert found.mean == pytest.approx(0.88)
    assert (found.low, found.high, found.p_value) == (-math.inf, math.inf, 1.0)
    assert wilcoxon_p([0.98], [0.10]) == 1.0
    assert permutation_p([0.98], [0.10], np.random.default_rng(0)) == 1.0


def test_no_difference_at_all() -> None:
    same = [0.95, 0.93, 0.94]
    found = paired_difference(same, same)
    assert (found.mean, found.p_value) == (0.0, 1.0)
    assert found.low < 0.0 < found.high  # by the gap of 0.01 between the scores
    assert wilcoxon_p(same, same) == permutation_p(same, same, np.random.default_rng(0)) == 1.0
    chance = paired_difference([0.1] * 4, [0.1] * 4)
    assert (chance.low, chance.high, chance.p_value) == (0.0, 0.0, 1.0)


def test_the_same_difference_on_two_seeds_is_a_coincidence_of_the_grid() -> None:
    found = paired_difference([0.95, 0.93], [0.94, 0.92])
    assert found.mean == pytest.approx(0.01)
    assert 0.1 < found.p_value < 0.3
    fine = paired_difference([0.95, 0.93], [0.94, 0.92], resolution=1e-4)
    assert found.p_value > fine.p_value > 0.0


def test_the_same_large_difference_on_ten_seeds_is_proof() -> None:
    assert paired_difference([1.0] * 10, [0.1] * 10).p_value < 1e-4
    assert paired_difference([1.0] * 10, [0.1] * 10, resolution=1e-3).p_value < 1e-20


@pytest.mark.parametrize("n", [2, 3])
def test_coarse_scores_on_few_seeds_do_not_err_more_often(n: int) -> None:
    generator = np.random.default_rng(n)
    scores = np.round(generator.normal(0.9, 0.004, (2, 4000, n)) * 360) / 360
    found = [
        paired_difference(a, b, resolution=1 / 360).p_value
        for a, b in zip(scores[0], scores[1], strict=True)
    ]
    assert np.mean(np.array(found) <= 0.05) <= 0.06
    assert np.mean(np.array(found) <= 0.05 / 28) <= 0.004


def test_values_without_partners_are_refused() -> None:
    with pytest.raises(StatisticsError, match="3 and 2 values were given"):
        paired_difference([1, 2, 3], [1, 2])


@pytest.mark.parametrize("rho", [0.0, 0.2, 0.33])
def test_candidates_a_margin_apart_are_called_tied_in_at_most_5_percent(rho: float) -> None:
    rows = correlated(np.random.default_rng(2), STUDIES, 10, rho)
    factor, margin = 1 / 10 + reuse(rho), 3.0
    highs = [paired_difference(row, np.zeros(10), variance_factor=factor).high_90 for row in rows]
    wrong = np.mean([high + margin < margin for high in highs])
    assert 0.035 <= wrong <= 0.065  # 5 %, the edge, within 2.5 standard errors


def test_equals_are_tied_at_n_10_when_the_spread_is_0_6_margins() -> None:
    rows = 0.6 * np.random.default_rng(3).standard_normal((STUDIES, 10))
    assert np.mean([paired_difference(row, np.zeros(10)).high_90 < 1.0 for row in rows]) >= 0.95


def test_welch_is_scipys() -> None:
    generator = np.random.default_rng(4)
    first, second = generator.normal(0.0, 1.0, 6), generator.normal(0.5, 3.0, 9)
    expected = scipy_stats.ttest_ind(first, second, equal_var=False)
    found = welch_difference(first, second)
    ends = expected.confidence_interval(0.95)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), rel=1e-9)
    assert (found.n, found.degrees) == (15, pytest.approx(expected.df))


def test_welch_without_spread_or_values() -> None:
    assert welch_difference([0.9], [0.8, 0.7]).p_value == 1.0
    same = welch_difference([0.9, 0.9], [0.9, 0.9])
    assert (same.low, same.high, same.p_value) == (0.0, 0.0, 1.0)
    assert welch_difference([0.9, 0.9], [0.9, 0.9], resolution=0.01).high > 0.0
    # A side that is known to a step alone has the variance of an even distribution over a step.
    stepped = welch_difference([0.9, 0.9], [0.8, 0.8], resolution=0.01)
    assert stepped.standard_deviation == pytest.approx(math.sqrt(2.0 * 0.01**2 / 12.0))


def test_one_split_may_be_corrected_too() -> None:
    assert nadeau_bengio_factor(1, 1, 1) == 2.0
    for wrong in ((0, 1, 1), (1, 0, 1), (1, 1, 0)):
        with pytest.raises(StatisticsError, match="at least 1"):
            nadeau_bengio_factor(*wrong)


def test_rounding_alone_spreads_differences_by_the_step_over_the_root_of_6() -> None:
    found = paired_difference([0.9, 0.9, 0.9], [0.8, 0.8, 0.8], resolution=0.1)
    assert found.standard_deviation == pytest.approx(0.1 / 6**0.5)
    drawn = np.random.default_rng(0).uniform(size=(2, 200_000)).round(1)
    plain = np.random.default_rng(0).uniform(size=(2, 200_000))
    errors = (drawn - plain)[0] - (drawn - plain)[1]
    assert found.standard_deviation == pytest.approx(errors.std(), rel=0.01)


def test_welch_without_any_spread_is_sure() -> None:
    ahead, level = welch_difference([1, 1], [0, 0, 0]), welch_difference([1, 1], [1, 1, 1])
    assert (ahead.mean, ahead.low, ahead.high, ahead.p_value) == (1.0, 1.0, 1.0, 0.0)
    assert (ahead.standard_deviation, ahead.degrees) == (0.0, 3.0)
    assert (level.mean, level.p_value) == (0.0, 1.0)


def test_a_value_alone_has_no_degrees_of_freedom() -> None:
    found = welch_difference([0.9], [0.8, 0.7])
    assert (found.low, found.high, found.degrees) == (-math.inf, math.inf, 0.0)


def test_the_unit_of_the_scores_changes_no_permutation() -> None:
    first, second = np.array([5, 6, 7, 9, 4, 8]), np.array([4, 4, 4, 5, 6, 8])
    found = [
        permutation_p(unit * first, unit * second, np.random.default_rng(0))
        for unit in (1e-9, 1.0, 1e9)
    ]
    assert found == [found[1]] * 3
    assert found[1] < 0.3


def test_a_step_below_what_single_precision_resolves_is_none() -> None:
    scores = [1.0, 1.0 - 2.0**-25, 1.0]
    assert paired_difference(scores, scores).standard_deviation == 0.0
    coarse = [1.0, 1.0 - 2.0**-20, 1.0]
    assert paired_difference(coarse, coarse).standard_deviation == pytest.approx(
        2.0**-20 / math.sqrt(6.0)
    )


@pytest.mark.parametrize("largest", [0.95, 1.0, 2.0])
def test_differences_of_decimal_fractions_are_equal(largest: float) -> None:
    found = paired_values([largest, 0.93, 0.4], [largest - 0.01, 0.92, 0.39])
    assert len({*found.tolist()}) == 1


@pytest.mark.parametrize(("pairs", "method"), [(13, "exact"), (14, "asymptotic")])
def test_ties_are_counted_out_in_up_to_thirteen_pairs(pairs: int, method: str) -> None:
    values = np.array([1, 1, -2, 3, 3, -4, 5, 6, 7, 7, -8, 9, 10, 11][:pairs])
    ranks = scipy_stats.rankdata(np.abs(values))
    expected = scipy_stats.wilcoxon(values, method="asymptotic").pvalue
    if method == "exact":
        sums = np.array([0.0])
        for rank in ranks:
            sums = np.concatenate([sums, sums + rank])
        seen = ranks[values > 0].sum()
        expected = 2.0 * min((sums <= seen).mean(), (sums >= seen).mean())
    assert wilcoxon_p(values, np.zeros(pairs)) == pytest.approx(expected, rel=1e-12)
