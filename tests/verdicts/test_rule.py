"""The rule on tables: reliability first, then equivalence, then the test; with a baseline, too."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from actlab.records import Comparison, Difference, Pair, Ranks
from actlab.stats import (
    bca_interval,
    detectable_difference,
    dunnett,
    failure_rate_low,
    failure_rates_p,
    paired_difference,
    seeds_to_separate,
    student_t_interval,
    wilcoxon_p,
)
from actlab.verdicts import Question, Scores, compare, scores_by_seed
from actlab.verdicts.rule import group_of


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


def difference(mean: float, half: float, half_90: float) -> Difference:
    ends = (mean - half, mean + half, mean - half_90, mean + half_90)
    return Difference(mean, *ends, 0.01, 10, 0.1, 9)


@pytest.mark.parametrize(
    ("mean", "half_90", "p", "plain", "both_sides"),
    [
        (0.003, 0.001, 0.001, "tied", "tied"),
        (0.003, 0.001, 0.9, "tied", "tied"),
        (0.25, 0.25, 0.06, "unclear", "unclear"),
        (0.25, 0.25, 0.05, "worse", "worse"),
        (-0.25, 0.25, 0.06, "tied", "unclear"),
        (-0.25, 0.25, 0.05, "tied", "best"),
        (-0.75, 1.5, 0.05, "unclear", "best"),
        (0.0, 2.0, 0.05, "unclear", "unclear"),
    ],
)
def test_the_bounds_of_the_groups(
    mean: float, half_90: float, p: float, plain: str, both_sides: str
) -> None:
    """The margin is 0.5: an interval that only touches it is not within."""
    found = Pair("a", "b", difference(mean, 2 * half_90, half_90), p_adjusted=p)
    assert group_of(found, 0.5) == plain
    assert group_of(found, 0.5, both_sides=True) == both_sides
    assert group_of(None, 0.5, both_sides=True) == "unclear"


def test_a_candidate_alone_has_students_interval_within_the_limits() -> None:
    rows = {"a": [0.99, 1.0, 0.98, 1.0], "b": [0.5, 0.51, 0.52, None], "c": [0.7, None]}
    question = Question(0.005, resolution=0.01, reuse=0.25, limits=(0.0, 1.0))
    found = {row.name: row for row in compare(table(rows), question).candidates}
    interval = student_t_interval(rows["a"], resolution=0.01, variance_factor=1 / 4 + 0.25)
    assert interval.high > 1.0
    assert (found["a"].low, found["a"].high) == (pytest.approx(interval.low), 1.0)
    assert (found["c"].mean, found["c"].low, found["c"].high) == (0.7, None, None)
    assert found["b"].scores == (0.5, 0.51, 0.52, None)
    assert (found["b"].failures, found["c"].failures) == (1, 1)
    assert found["b"].failure_rate_low == failure_rate_low(1, 4)
    down = Question(0.005, higher_is_better=False, limits=(-1.0, 0.0))
    turned = {row.name: row for row in compare(table(rows), down).candidates}
    assert turned["a"].high == 1.0
    assert turned["b"].scores == (0.5, 0.51, 0.52, None)


def test_failures_are_compared_with_those_of_the_reference() -> None:
    rows = {"a": noisy(0.9, 8), "b": [None, *noisy(0.8, 7)], "c": noisy(0.7, 8), "d": []}
    found = {row.name: row for row in compare(table(rows), Question(0.005)).candidates}
    assert found["b"].p_failures == failure_rates_p((1, 0), (8, 8))
    assert (found["c"].p_failures, found["d"].p_failures) == (None, None)
    first = {"a": [None, *noisy(0.9, 7)], "b": noisy(0.8, 8), "d": []}
    found = {row.name: row for row in compare(table(first), Question(0.005)).candidates}
    assert found["b"].p_failures == failure_rates_p((0, 1), (8, 8))
    assert (found["a"].p_failures, found["d"].p_failures) == (None, None)


def test_a_baseline_that_does_not_train_is_compared_with_all_the_same() -> None:
    rows = {"base": [*noisy(0.9, 6), *[None] * 4], "up": noisy(0.95), "off": [*[None] * 9, 0.9]}
    found = {r.name: r for r in compare(table(rows), Question(0.005, baseline="base")).candidates}
    assert (found["base"].group, found["base"].difference) == ("unreliable", 0.0)
    assert (found["up"].group, found["off"].group) == ("best", "unreliable")
    assert found["off"].difference is None


def test_smallest_margin_looks_at_both_sides_of_a_baseline() -> None:
    rows = {"base": noisy(0.9), "up": noisy(0.93, seed=1)}
    behind = paired_difference(rows["base"], rows["up"])
    for question, expected in (
        (Question(0.005, baseline="base"), -behind.low_90),
        (Question(0.005, baseline="up"), behind.turned().high_90),
    ):
        (row,) = (r for r in compare(table(rows), question).candidates if r.difference)
        assert row.smallest_margin == pytest.approx(expected)
        assert row.difference_low < row.difference < row.difference_high


def test_equal_means_keep_the_order_of_the_table_and_the_best_comes_first() -> None:
    scores = noisy(0.9)
    turned = [*scores[1:], scores[0]]
    for names in (("a", "b"), ("b", "a")):
        found = compare(table(dict(zip(names, (scores, turned), strict=True))), Question(0.005))
        assert [row.name for row in found.candidates] == [*names]
        assert found.best is not None
        assert found.best.name == names[0]


def test_what_is_reported_besides_is_as_the_tests_themselves_say() -> None:
    rows = {"a": noisy(0.9, 30), "b": noisy(0.8995, 30, seed=4), "c": noisy(0.89, 29, seed=5)}
    found = compare(table(rows), Question(0.0005), np.random.default_rng(0))
    by_name = {row.name: row for row in found.candidates}
    low, high = by_name["a"].bca_low, by_name["a"].bca_high
    expected = bca_interval(rows["a"], np.random.default_rng(1))
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-4)
    assert by_name["c"].bca_low is None
    assert by_name["b"].p_wilcoxon == wilcoxon_p(rows["a"], rows["b"])
    assert by_name["b"].p_permutation == pytest.approx(by_name["b"].p_wilcoxon, abs=0.1)
    assert by_name["a"].p_wilcoxon is None
    chances = [by_name[name].probability_of_best for name in "abc"]
    assert chances[:2] != [None, None]
    assert sum(chances[:2]) == pytest.approx(1.0)
    assert chances[2] is None, "it lacks a seed"
    down = Question(0.0005, higher_is_better=False)
    turned = compare(table({n: [-v for v in r] for n, r in rows.items()}), down)
    assert groups(turned) == groups(found)
    assert all(row.bca_low is None for row in turned.candidates), "nothing without a generator"


def test_seeds_that_would_decide_are_those_of_the_margin() -> None:
    rows = {"a": noisy(0.9, 8), "b": noisy(0.8995, 8, seed=4), "c": noisy(0.5, 8, seed=5)}
    found = compare(table(rows), Question(0.0005), np.random.default_rng(0))
    by_name = {row.name: row for row in found.candidates}
    assert groups(found) == {"a": "best", "b": "unclear", "c": "worse"}
    spread = paired_difference(rows["a"], rows["b"]).standard_deviation
    needed = seeds_to_separate(0.0005, spread, comparisons=3)
    assert needed is not None
    assert by_name["b"].more_seeds == needed - 8
    assert by_name["c"].more_seeds is None
    never = compare(table(rows), Question(1e-6), np.random.default_rng(0))
    assert [row.more_seeds for row in never.candidates] == [None] * 3
    assert compare(table(rows), Question(0.0005)).candidates[1].more_seeds is None


def test_ranks_take_three_candidates_with_every_seed() -> None:
    rows = {"a": noisy(0.9, 6), "b": noisy(0.8, 6, seed=1), "c": noisy(0.7, 6, seed=2)}

    def ranks_of(given: dict[str, list[float | None]]) -> Ranks | None:
        return compare(table(given), Question(0.005), np.random.default_rng(0)).ranks

    found = ranks_of(rows)
    assert found is not None
    assert found.mean_ranks == {"a": 1.0, "b": 2.0, "c": 3.0}
    chi_square = scipy_stats.friedmanchisquare(*rows.values())
    assert found.p_value == pytest.approx(chi_square.pvalue)
    assert ranks_of({**rows, "d": noisy(0.1, 5)}) == found
    assert ranks_of({**rows, "c": rows["c"][:5]}) is None
    with_failure = ranks_of({**rows, "c": [None, *rows["c"][1:]]})
    assert with_failure is not None
    assert with_failure.mean_ranks == found.mean_ranks


def test_who_trained_twice_is_best_where_all_others_are_unreliable() -> None:
    found = compare(table({"a": [0.9, 0.91], "b": [None] * 2}), Question(0.005))
    assert groups(found) == {"a": "best", "b": "unreliable"}
    found = compare(table({"a": [0.9], "b": [None] * 2}), Question(0.005))
    assert groups(found) == {"a": "unclear", "b": "unreliable"}


def test_ranks_take_two_seeds() -> None:
    rows = {"a": [0.9, 0.91], "b": [0.8, 0.82], "c": [0.7, 0.73]}
    found = compare(table(rows), Question(0.005), np.random.default_rng(0)).ranks
    assert found is not None
    assert found.mean_ranks == {"a": 1.0, "b": 2.0, "c": 3.0}
    one = {**rows, "c": [0.7, None]}
    assert compare(table(one), Question(0.005), np.random.default_rng(0)).ranks is None


def test_a_thousand_seeds_are_advice_and_one_more_is_none() -> None:
    rows = {"a": noisy(0.9, 8), "b": noisy(0.8995, 8, seed=4)}
    spread = paired_difference(rows["a"], rows["b"]).standard_deviation
    most, more = (detectable_difference(n, spread) * (1 + 1e-8) for n in (1000, 1001))
    advice = [
        compare(table(rows), Question(margin), np.random.default_rng(0)).candidates[1].more_seeds
        for margin in (most, more)
    ]
    assert advice == [992, None]


def test_other_tests_are_for_up_to_a_thousand_shared_seeds() -> None:
    rows = {"a": noisy(0.9, 1001), "b": noisy(0.8, 1001, seed=1)}
    many = compare(table(rows), Question(0.005), np.random.default_rng(0))
    assert groups(many) == {"a": "best", "b": "worse"}
    assert (many.candidates[1].p_wilcoxon, many.candidates[1].p_permutation) == (None, None)
    # The thousand that both trained on; more runs than that have no interval by resampling.
    shared = {"a": [*rows["a"], None], "b": [None, *rows["b"][1:], 0.8]}
    found = compare(table(shared), Question(0.005), np.random.default_rng(0)).candidates[1]
    p = wilcoxon_p(shared["a"][1:-1], shared["b"][1:-1])
    assert found.p_wilcoxon == pytest.approx(p, rel=1e-9)
    assert found.p_permutation is not None
