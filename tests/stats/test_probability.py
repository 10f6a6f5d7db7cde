"""Probabilities: every resample counted, ties shared, how sure they are of nothing."""

from itertools import product

import numpy as np
import pytest

from actlab.stats import StatisticsError, probability_of_best, probability_of_improvement
from tests.stats.simulation import STUDIES


def test_improvement_counts_wins_and_half_of_the_ties() -> None:
    first, second = np.random.default_rng(0).integers(0, 4, (2, 50)) / 10
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    expected = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / 50
    assert probability_of_improvement(first, second) == pytest.approx(expected)
    assert probability_of_improvement(second, first) == pytest.approx(1 - expected)


def test_improvement_sees_through_the_dust_of_decimal_fractions() -> None:
    assert probability_of_improvement([0.1 + 0.2], [0.3]) == 0.5


def test_best_is_the_share_of_all_resamples() -> None:
    scores = np.array([[3, 1, 2, 3], [1, 3, 2, 1], [2, 2, 3, 2], [0, 1, 1, 0]]) / 10
    shares = np.zeros(4)
    for rows in product(range(4), repeat=4):
        totals = np.round(scores[list(rows)].sum(axis=0), 9)
        shares += (totals == totals.max()) / (totals == totals.max()).sum()
    found = probability_of_best(scores, np.random.default_rng(1), resamples=40_000)
    assert found == pytest.approx(shares / 4**4, abs=0.01)
    assert found.sum() == pytest.approx(1.0)


def test_best_follows_shift_scale_and_the_order_of_columns() -> None:
    scores = np.random.default_rng(2).normal(size=(6, 4))
    plain = probability_of_best(scores, np.random.default_rng(3))
    moved = probability_of_best(5.0 * scores[:, ::-1] + 2.0, np.random.default_rng(3))
    assert moved[::-1] == pytest.approx(plain)


def test_when_all_are_equal_one_of_them_looks_best_by_luck() -> None:
    """What the docstring warns of, as a figure: the leader's share among five equals."""
    generator = np.random.default_rng(4)
    leaders = [
        probability_of_best(generator.standard_normal((10, 5)), generator, resamples=199).max()
        for _study in range(STUDIES)
    ]
    assert 0.55 <= np.mean(leaders) <= 0.6


def test_one_seed_is_refused() -> None:
    with pytest.raises(StatisticsError, match=r"at least 2"):
        probability_of_best([[0.9, 0.8]], np.random.default_rng(0))


def test_scores_that_are_all_zero_share_the_first_place() -> None:
    found = probability_of_best(np.zeros((3, 2)), np.random.default_rng(0))
    assert found.tolist() == [0.5, 0.5]


def test_means_of_many_seeds_tie_in_decimal_fractions_as_in_whole_numbers() -> None:
    tenths = np.array([[1, 2], [3, 2]] * 200)
    found = probability_of_best(tenths / 10, np.random.default_rng(0))
    expected = probability_of_best(tenths, np.random.default_rng(0))
    assert found.tolist() == expected.tolist()
