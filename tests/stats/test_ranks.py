"""Ranks: SciPy's Friedman test, Nemenyi of scikit-posthocs, Demsar's table of critical values."""

import math
from importlib import import_module
from itertools import combinations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from actlab.stats import StatisticsError, friedman_nemenyi

SCORES = np.round(np.random.default_rng(3).normal([0.0, 0.5, 1.5, 2.5, 3.0], 1.0, (12, 5)), 1)


def test_friedman_agrees_with_scipy_ties_included() -> None:
    assert any(len(set(row)) < 5 for row in SCORES.tolist())
    expected = scipy_stats.friedmanchisquare(*SCORES.T).pvalue
    assert friedman_nemenyi(SCORES).p_value == pytest.approx(expected, rel=1e-9)


def test_nemenyi_agrees_with_scikit_posthocs() -> None:
    posthocs = import_module("scikit_posthocs")
    p_values = posthocs.posthoc_nemenyi_friedman(SCORES).to_numpy()
    for alpha in (0.01, 0.05, 0.2):
        found = friedman_nemenyi(SCORES, alpha)
        for one, other in combinations(range(5), 2):
            apart = abs(found.mean_ranks[one] - found.mean_ranks[other])
            assert (apart > found.critical_difference) == (p_values[one, other] < alpha)


@pytest.mark.parametrize(("candidates", "quantile"), [(2, 1.960), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_of_demsar_table_5(candidates: int, quantile: float) -> None:
    scores = np.arange(14 * candidates).reshape(14, candidates)
    expected = quantile * math.sqrt(candidates * (candidates + 1) / (6 * 14))
    assert friedman_nemenyi(scores).critical_difference == pytest.approx(expected, abs=1e-3)


def test_two_candidates_are_a_sign_test() -> None:
    scores = [[1, 0]] * 8 + [[0, 1]] * 2
    assert friedman_nemenyi(scores).p_value == pytest.approx(scipy_stats.chi2.sf(36 / 10, 1))


def test_ranks_start_at_the_best_and_cliques_are_maximal_runs() -> None:
    found = friedman_nemenyi([[0.1, 0.9, 0.5, 0.3]] * 20)
    assert found.mean_ranks == (4.0, 1.0, 2.0, 3.0)
    assert found.critical_difference == pytest.approx(1.05, abs=0.01)
    assert found.cliques == ((1, 2), (2, 3), (3, 0))
    wider = friedman_nemenyi([[0.1, 0.9, 0.5, 0.3]] * 5)
    assert wider.cliques == ((1, 2, 3), (2, 3, 0))


def test_scores_that_tie_everywhere_are_one_clique() -> None:
    found = friedman_nemenyi([[0.5, 0.5, 0.5]] * 4)
    assert (found.p_value, found.cliques) == (1.0, ((0, 1, 2),))
    assert found.mean_ranks == (2.0, 2.0, 2.0)


def test_the_order_of_columns_goes_along_and_any_increasing_map_changes_nothing() -> None:
    plain, turned = friedman_nemenyi(SCORES), friedman_nemenyi(np.exp(SCORES[:, ::-1]))
    assert turned.mean_ranks == plain.mean_ranks[::-1]
    assert turned.p_value == pytest.approx(plain.p_value)


def test_one_candidate_has_no_rank() -> None:
    with pytest.raises(StatisticsError, match=r"at least 2\); the shape given is \(3, 1\)"):
        friedman_nemenyi([[1.0], [2.0], [3.0]])


def test_a_candidate_far_from_all_others_is_no_clique() -> None:
    apart = np.tile([3.0, 2.0, 1.0], (40, 1))
    assert friedman_nemenyi(apart).cliques == ()
