"""Dropping candidates: how often an equal one is lost, and how soon a bad one goes."""

import math

import numpy as np
import pytest

from actlab.stats import StatisticsError, clearly_behind, holm, paired_difference
from tests.stats.simulation import STUDIES, Array, correlated, reuse

LOOKS = (3, 5, 8)


def dropped_in(scores: Array, reused: float = 0.0) -> set[int]:
    """Replicate (seeds, candidates) up to each look, leave out what was dropped before."""
    seen, gone = scores.copy(), set[int]()
    for done, seeds in enumerate(LOOKS):
        factor = 1 / seeds + reused
        behind = clearly_behind(seen[:seeds], done, len(LOOKS), variance_factor=factor)
        assert not behind & gone
        gone |= behind
        seen[seeds:, sorted(gone)] = math.nan
    return gone


def studies(generator: np.random.Generator, candidates: int, rho: float, number: int) -> Array:
    columns = [correlated(generator, number, LOOKS[-1], rho) for _one in range(candidates)]
    return np.stack(columns, axis=2)


@pytest.mark.parametrize("rho", [pytest.param(0.0, marks=pytest.mark.slow), 0.33])
def test_an_equal_candidate_is_dropped_in_at_most_5_percent_of_studies(rho: float) -> None:
    scores = studies(np.random.default_rng(1), 3, rho, STUDIES)
    wrong = np.mean([bool(dropped_in(one, reuse(rho))) for one in scores])
    assert 0.0 < wrong <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.2, 0.33])
def test_so_it_is_with_eight_candidates_of_which_three_are_behind(rho: float) -> None:
    scores = studies(np.random.default_rng(2), 8, rho, STUDIES)
    scores[:, :, 5:] -= 25.0
    lost = [dropped_in(one, reuse(rho)) for one in scores]
    assert np.mean([bool(gone & set(range(5))) for gone in lost]) <= 0.05
    assert np.mean([gone >= {5, 6, 7} for gone in lost]) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "lowest", "highest"), [(0.05, 0.06, 0.09), (0.01, 0.04, 0.065)])
def test_dropping_and_a_verdict_err_together_as_the_docstring_says(
    alpha: float, lowest: float, highest: float
) -> None:
    scores = np.random.default_rng(6).standard_normal((STUDIES, 10, 8))
    wrong = 0
    for one in scores:
        lost = any(clearly_behind(one[:n], done, 3, alpha) for done, n in enumerate((4, 6, 8)))
        wrong += lost or bool(clearly_behind(one, 0, 1))  # one look at 0.05: Holm over all pairs
    assert lowest <= wrong / STUDIES <= highest


def test_a_hopeless_candidate_goes_at_the_first_look() -> None:
    scores = studies(np.random.default_rng(3), 4, 0.0, 200)
    scores[:, :, 1] -= 500.0
    gone = [clearly_behind(one[:3], 0, len(LOOKS)) for one in scores]
    assert np.mean([behind == {1} for behind in gone]) > 0.95


def test_the_rule_is_holm_over_all_pairs_at_a_share_of_alpha() -> None:
    scores = np.random.default_rng(4).normal([0.0, 1.0, 4.0], 1.0, (6, 3))
    found = [paired_difference(scores[:, a], scores[:, b]) for a, b in [(0, 1), (0, 2), (1, 2)]]
    adjusted = holm([one.p_value for one in found])
    for level in (0.5, 0.05, 0.01, 1e-4):
        behind = clearly_behind(scores, 1, 4, alpha=4 * level if level < 0.25 else 0.99)
        limit = level if level < 0.25 else 0.99 / 4
        expected = {loser for loser, p in zip([0, 0, 1], adjusted, strict=True) if p <= limit}
        assert behind == expected


def test_what_was_dropped_stays_dropped_and_counts_on() -> None:
    scores = np.random.default_rng(5).normal([3.0, 3.0, 0.0], 1.0, (6, 3))
    scores[3:, 2] = math.nan
    assert 2 not in clearly_behind(scores, 1, 2)
    p_value = paired_difference(scores[:, 0], scores[:, 1]).p_value
    adjusted = holm([p_value, 1.0, 1.0])[0]
    assert adjusted == pytest.approx(3 * p_value) or adjusted == 1.0


def test_one_seed_one_candidate_and_no_difference_drop_nobody() -> None:
    assert clearly_behind([[0.9, 0.1]], 0, 2) == set()
    assert clearly_behind([[0.9], [0.8]], 0, 2) == set()
    assert clearly_behind([[0.9, 0.9], [0.9, 0.9]], 0, 2) == set()


def test_more_looks_than_planned_are_refused() -> None:
    with pytest.raises(StatisticsError, match="3 looks were planned, and 3 are done"):
        clearly_behind([[0.9, 0.8]], 3, 3)
    with pytest.raises(StatisticsError, match="rows of one length"):
        clearly_behind([[0.9, 0.8], [0.7]], 0, 3)


def test_a_p_value_at_the_level_is_rejected() -> None:
    first, second = [0.9, 0.95, 0.92], [0.8, 0.82, 0.83]
    scores, p = np.array([first, second]).T, paired_difference(first, second).p_value
    assert clearly_behind(scores, 0, 1, alpha=p) == {1}
    assert clearly_behind(scores, 1, 2, alpha=2 * p) == {1}
    assert clearly_behind(scores, 0, 1, alpha=0.999 * p) == set()
