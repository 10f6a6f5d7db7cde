"""The rule on tables: reliability first, then equivalence, then the test; with a baseline, too."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from actlab.records import Comparison
from actlab.stats import dunnett
from actlab.verdicts import Question, Scores, compare, scores_by_seed


def table(rows: dict[str, list[float | None]]) -> Scores:
    return scores_by_seed({name: dict(enumerate(row)) for name, row in rows.items()})


def groups(found: Comparison) -> dict[str, str]:
    return {row.name: row.group for row in found.candidates}


def noisy(mean: float, seeds: int = 10, spread: float = 0.002, seed: int = 0) -> list[float]:
    return np.random.default_rng(seed).normal(mean, spread, seeds).tolist()


def test_lower_is_better_turns_everything_but_the_numbers() -> None:
    rows = {"a": noisy(0.30, seed=1), "b": noisy(0.35, seed=2)}
    down = compare(table(rows), Question(0.005, higher_is_better=False))
    up = compare(table({name: [-v for v in row] for name, row in rows.items()}), Question(0.005))
    assert groups(down) == groups(up) == {"a": "best", "b": "worse"}
    assert down.candidates[1].mean == pytest.approx(np.mean(rows["b"]))
    assert down.candidates[1].low < down.candidates[1].mean < down.candidates[1].high
    assert down.candidates[1].difference == pytest.approx(np.mean(rows["a"]) - np.mean(rows["b"]))


def test_without_shared_seeds_welch_compares() -> None:
    first, second = noisy(0.9, 6), noisy(0.88, 8, seed=3)
    values = np.full((2, 8), np.nan)
    values[0, :6], values[1] = first, second
    found = compare(Scores(("a", "b"), values, ~np.isnan(values), paired=False), Question(0.005))
    expected = scipy_stats.ttest_ind(first, second, equal_var=False).pvalue
    assert found.candidates[1].p_adjusted == pytest.approx(expected)
    assert groups(found) == {"a": "best", "b": "worse"}


def test_a_baseline_has_dunnetts_p_and_may_be_beaten() -> None:
    rows = {"base": noisy(0.9), "up": noisy(0.93, seed=1), "same": noisy(0.9003, seed=2)}
    found = compare(table(rows), Question(0.005, baseline="base"))
    assert groups(found) == {"up": "best", "same": "tied", "base": "tied"}
    p = [scipy_stats.ttest_rel(rows[name], rows["base"]).pvalue for name in ("up", "same")]
    adjusted = dunnett(p, [9, 9])
    by_name = {row.name: row for row in found.candidates}
    assert by_name["up"].p_adjusted == pytest.approx(adjusted[0])
    assert by_name["same"].p_adjusted == pytest.approx(adjusted[1])
    assert by_name["up"].difference > 0
    assert by_name["base"].difference == 0


def test_only_the_reliable_are_compared() -> None:
    rows = {"a": noisy(0.9), "b": [None] * 4 + noisy(0.95, 6), "c": [None] * 10}
    found = compare(table(rows), Question(0.005))
    assert groups(found) == {"a": "best", "b": "unreliable", "c": "unreliable"}
    assert found.pairs == ()


def test_the_best_is_behind_nobody_on_shared_seeds() -> None:
    """b has the larger mean only because the seeds that a trained on alone are hard ones."""
    a = [0.90, 0.91, 0.92, 0.90, 0.5, 0.5]
    b = [0.89, 0.90, 0.91, 0.89, None, None]
    rows = {"a": dict(enumerate(a)), "b": dict(enumerate(b[:4]))}
    found = compare(scores_by_seed(rows), Question(0.0))
    assert found.best is not None
    assert found.best.name == "a"
    assert all((row.difference or 0.0) <= 0.0 for row in found.candidates)
