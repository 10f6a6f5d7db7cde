"""Null tables: how often a candidate that is equal to the others is called worse, or unreliable.

The figures in docs/verdict.md are what the slow ones print with -s.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from actlab.stats import detectable_difference
from actlab.verdicts import Question, Scores, compare

TABLES = 1000
LIMIT = 0.062
"""5 % within two binomial standard errors of 1,000 tables."""

SHAPES = ("normal", "skewed", "heavy")
QUESTION = Question(margin=0.5)


def noise(generator: np.random.Generator, shape: str, size: tuple[int, ...]) -> NDArray[np.float64]:
    """Return noise of spread 1 or so: a normal, a lognormal to the left, or a t with 3 degrees."""
    if shape == "normal":
        return generator.standard_normal(size)
    if shape == "skewed":
        skewed: NDArray[np.float64] = np.exp(0.245) - np.exp(0.7 * generator.standard_normal(size))
        return skewed
    return generator.standard_t(3, size)


def null_table(
    generator: np.random.Generator, candidates: int, seeds: int, shape: str, *, paired: bool
) -> Scores:
    """Return scores of equal candidates; a seed moves all of them where they are paired."""
    values = noise(generator, shape, (candidates, seeds))
    if paired:
        values = values + 2.0 * noise(generator, shape, (1, seeds))
    names = tuple(f"c{place}" for place in range(candidates))
    return Scores(names, values, np.ones(values.shape, dtype=np.bool_), paired=paired)


def share_with_false_worse(
    tables: int, candidates: int, seeds: int, shape: str, *, paired: bool, baseline: bool = False
) -> float:
    generator = np.random.default_rng((candidates, seeds, SHAPES.index(shape), paired))
    question = Question(margin=0.01, baseline="c0" if baseline else None)
    wrong = 0
    for _table in range(tables):
        scores = null_table(generator, candidates, seeds, shape, paired=paired)
        groups = [(row.name, row.group) for row in compare(scores, question).candidates]
        wrong += any(
            group == "worse" or (baseline and group == "best" and name != "c0")
            for name, group in groups
        )
    return wrong / tables


@pytest.mark.parametrize("paired", [True, False])
def test_equal_candidates_are_seldom_called_worse(paired: bool) -> None:
    assert share_with_false_worse(150, 3, 5, "normal", paired=paired) <= 0.10


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seeds", [5, 10])
@pytest.mark.parametrize("candidates", [2, 5, 20])
def test_false_worse_is_at_most_5_percent(
    candidates: int, seeds: int, shape: str, paired: bool
) -> None:
    share = share_with_false_worse(TABLES, candidates, seeds, shape, paired=paired)
    print(f"\nfalse worse: {candidates} {seeds} {shape} paired={paired}: {100 * share:.1f} %")
    assert share <= LIMIT


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("candidates", "seeds"), [(3, 5), (5, 10), (20, 10)])
def test_many_against_a_baseline_err_in_5_percent_at_most(candidates: int, seeds: int) -> None:
    share = share_with_false_worse(TABLES, candidates, seeds, "normal", paired=True, baseline=True)
    print(f"\nfalse against a baseline: {candidates} {seeds}: {100 * share:.1f} %")
    assert share <= LIMIT


def share_found(tables: int, candidates: int, seeds: int) -> tuple[float, float]:
    """Return how often a planted gap is found, and the power that a dry run promises for it."""
    generator = np.random.default_rng((candidates, seeds))
    spread, comparisons = 2.0**0.5, candidates * (candidates - 1) // 2
    gap = detectable_difference(seeds, spread, comparisons)
    found = 0
    for _table in range(tables):
        scores = null_table(generator, candidates, seeds, "normal", paired=True)
        scores.values[1:] += gap
        rows = {row.name: row for row in compare(scores, Question(margin=0.0)).candidates}
        found += rows["c0"].group == "worse"
    return found / tables, 0.8


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("candidates", "seeds"), [(2, 5), (2, 10), (5, 10), (20, 10)])
def test_a_planted_gap_is_found_as_often_as_the_dry_run_promises(
    candidates: int, seeds: int
) -> None:
    share, promised = share_found(TABLES, candidates, seeds)
    print(f"\nplanted gap found: {candidates} {seeds}: {100 * share:.1f} %")
    assert share >= promised - 2 * (0.16 / TABLES) ** 0.5


def test_a_copy_of_the_best_is_tied() -> None:
    generator = np.random.default_rng(7)
    for _table in range(200):
        scores = null_table(generator, 4, 5, "heavy", paired=True)
        best = int(scores.values.mean(axis=1).argmax())
        values = np.vstack([scores.values, scores.values[best]])
        copied = Scores((*scores.candidates, "copy"), values, np.ones(values.shape, dtype=np.bool_))
        found = compare(copied, QUESTION)
        assert {row.name: row.group for row in found.candidates}["copy"] in ("tied", "best")


def share_unreliable(tables: int, candidates: int, seeds: int, rate: float) -> float:
    generator = np.random.default_rng((candidates, seeds))
    wrong = 0
    for _table in range(tables):
        scores = null_table(generator, candidates, seeds, "normal", paired=True)
        scores.values[generator.random(scores.values.shape) < rate] = np.nan
        rows = compare(scores, Question(margin=0.01)).candidates
        wrong += any(row.group in ("unreliable", "worse") for row in rows)
    return wrong / tables


@pytest.mark.slow
@pytest.mark.parametrize(("candidates", "rate"), [(2, 0.01), (8, 0.01), (2, 0.05), (8, 0.05)])
def test_both_questions_together(candidates: int, rate: float) -> None:
    """At a tolerable rate of failures, any false *unreliable* or *worse* in ten seeds."""
    share = share_unreliable(TABLES, candidates, 10, rate)
    print(f"\nfalse unreliable or worse: {candidates} {rate}: {100 * share:.1f} %")
    assert share <= LIMIT + (candidates * 0.0115 if rate == 0.05 else 0.0)
