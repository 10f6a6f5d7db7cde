"""Holm: statsmodels, invariances, and how often anything is rejected when all are equal."""

from importlib import import_module
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from scipy import stats as scipy_stats

from actlab.stats import StatisticsError, dunnett, holm
from actlab.stats.multiplicity import quadrature
from tests.stats.simulation import STUDIES, Array, correlated, reuse

P_VALUES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)


@pytest.mark.slow
@given(P_VALUES)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_holm_agrees_with_statsmodels(p_values: list[float]) -> None:
    multitest = import_module("statsmodels.stats.multitest")
    expected = multitest.multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=7))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_holm_is_the_closed_test_by_bonferroni(p_values: list[float]) -> None:
    """A null falls where Bonferroni rejects every set of nulls that it is in."""
    found = np.array(p_values)
    sets = [
        list(members)
        for size in range(1, found.size + 1)
        for members in combinations(range(found.size), size)
    ]
    expected = [
        max(min(1.0, len(nulls) * found[nulls].min()) for nulls in sets if one in nulls)
        for one in range(found.size)
    ]
    assert holm(found) == pytest.approx(expected)


@given(P_VALUES)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_holm_follows_the_order_and_never_helps(p_values: list[float]) -> None:
    order = np.random.default_rng(len(p_values)).permutation(len(p_values))
    adjusted = holm(p_values)
    assert np.array_equal(holm(np.array(p_values)[order]), adjusted[order])
    assert (adjusted >= np.array(p_values)).all()
    assert (adjusted <= 1.0).all()


def pair_p_values(scores: Array, factor: float) -> Array:
    """Return (studies, pairs) p-values of (studies, seeds, candidates), all at once."""
    n, candidates = scores.shape[1:]
    first, second = np.array(list(combinations(range(candidates), 2))).T
    differences = scores[:, :, first] - scores[:, :, second]
    error = differences.std(axis=1, ddof=1) * np.sqrt(factor)
    p_values: Array = 2 * special.stdtr(n - 1, -np.abs(differences.mean(axis=1) / error))
    return p_values


@pytest.mark.parametrize("n", [3, 10])
@pytest.mark.parametrize("rho", [0.0, 0.2, 0.33])
def test_holm_over_all_pairs_errs_in_at_most_5_percent_of_studies(n: int, rho: float) -> None:
    generator = np.random.default_rng(100 + n)
    scores = np.stack([correlated(generator, 10_000, n, rho) for _one in range(8)], axis=2)
    p_values = pair_p_values(scores, 1 / n + reuse(rho))
    near = p_values[p_values.min(axis=1) <= 0.05]  # adjusting never makes a p-value smaller
    wrong = sum(holm(row).min() <= 0.05 for row in near) / 10_000
    assert 0.035 <= wrong <= 0.05


def test_comparing_with_the_best_only_would_err_too_often() -> None:
    scores = np.random.default_rng(7).standard_normal((STUDIES, 10, 8))
    best = scores.mean(axis=1).argmax(axis=1)
    pairs = np.array(list(combinations(range(8), 2)))
    p_values = pair_p_values(scores, 1 / 10)
    wrong = [
        holm(row[(pairs == top).any(axis=1)]).min() <= 0.05
        for row, top in zip(p_values, best, strict=True)
    ]
    assert np.mean(wrong) > 0.08


def test_no_p_values_and_no_probabilities() -> None:
    assert holm([]).shape == (0,)
    with pytest.raises(StatisticsError, match="between 0 and 1"):
        holm([0.2, 1.2])
    with pytest.raises(StatisticsError, match="finite"):
        holm([0.2, float("nan")])


@pytest.mark.parametrize(("comparisons", "degrees"), [(2, 9), (4, 4), (19, 9)])
def test_dunnett_is_the_chance_that_it_stands_for(comparisons: int, degrees: int) -> None:
    generator = np.random.default_rng(comparisons)
    shape = (200_000, comparisons)
    shared = generator.standard_normal((shape[0], 1))
    own, spreads = generator.standard_normal(shape), generator.chisquare(degrees, shape) / degrees
    largest = np.abs((shared + own) / np.sqrt(2.0 * spreads)).max(axis=1)
    for p in (0.02, 0.002):
        seen = float((largest >= scipy_stats.t.isf(p / 2, degrees)).mean())
        found = float(dunnett([p] * comparisons, [degrees] * comparisons)[0])
        assert found == pytest.approx(seen, abs=4 * (seen / shape[0]) ** 0.5 + 1e-4)


def test_dunnett_lies_between_no_adjustment_and_bonferroni() -> None:
    p = [0.001, 0.02, 0.3]
    found = dunnett(p, [5, 9, 40])
    assert all(a <= b <= min(1.0, 3 * a) for a, b in zip(p, found, strict=True))
    assert dunnett([], []).size == 0
    assert dunnett([0.04], [3]).tolist() == [0.04]


def test_the_nodes_ascend_and_integrate() -> None:
    nodes, weights = quadrature()
    assert (np.diff(nodes) > 0.0).all()
    for power in range(4):
        assert float(nodes**power @ weights) == pytest.approx(1 / (power + 1), abs=1e-6)
