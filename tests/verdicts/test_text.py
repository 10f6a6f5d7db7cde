"""Every sentence of a verdict, from numbers that are written down here."""

from dataclasses import replace
from gettext import NullTranslations

import pytest

from actlab.i18n import translation
from actlab.records import Candidate, Comparison, Difference, Notice, Pair
from actlab.records.trial import Setting
from actlab.text import Formatter
from actlab.verdicts.text import Wording, candidate_sentence, notice_text, remarks, summary

PERCENT = Wording(Formatter(NullTranslations()), 0.005)
PLAIN = replace(PERCENT, accuracies=False)
BASELINE = replace(PERCENT, baseline="relu")

RELU = Candidate("relu", "best", scores=(0.97, 0.98), mean=0.975, difference=0.0, cost=2.0)
TANH = Candidate(
    "tanh",
    "worse",
    scores=(0.90, 0.92),
    mean=0.91,
    difference=-0.065,
    difference_low=-0.08,
    difference_high=-0.05,
    p_adjusted=0.001,
    smallest_margin=0.07,
    cost=1.0,
)
PAIR = Pair("relu", "tanh", Difference(0.065, 0.05, 0.08, 0.06, 0.07, 0.001, 2, 0.01, 1), 0.001)


def comparison(*candidates: Candidate, seeds: int = 2, **changes: object) -> Comparison:
    return replace(Comparison(candidates, (PAIR,), None, seeds), **changes)


def said(row: Candidate, wording: Wording = PERCENT, best: Candidate = RELU) -> str:
    return candidate_sentence(row, comparison(best, row), wording)


def test_a_worse_candidate_has_its_interval_from_small_to_large() -> None:
    assert said(TANH) == (
        "tanh is worse than relu by 6.50 points (95 % interval 5.00 to 8.00; p = 0.001 adjusted)."
    )
    assert said(TANH, PLAIN) == (
        "tanh is worse than relu by 0.065 (95 % interval 0.05 to 0.08; p = 0.001 adjusted)."
    )


def test_better_than_a_baseline_has_its_interval_from_small_to_large() -> None:
    ahead = replace(TANH, group="best", difference=0.065, difference_low=0.05, difference_high=0.08)
    assert said(ahead, BASELINE) == (
        "tanh is better than relu by 6.50 points (95 % interval 5.00 to 8.00; p = 0.001 adjusted)."
    )


def test_a_tie_is_certain_only_where_the_test_rejects_and_the_best_is_ahead() -> None:
    tied = replace(TANH, group="tied", difference=-0.003, smallest_margin=0.004)
    certain = (
        "tanh is behind relu by 0.30 points, which is less than the margin of 0.5 points: "
        "equivalent, though the difference is real (p = {p} adjusted)."
    )
    equivalent = (
        "tanh is equivalent to relu: 0.30 points apart, at most 0.40 points at 95 %, which is less "
        "than the margin of 0.5 points."
    )
    assert said(tied) == certain.format(p="0.001")
    assert said(replace(tied, p_adjusted=0.05)) == certain.format(p="0.050")
    assert said(replace(tied, p_adjusted=0.0)) == certain.format(p="").replace("p = ", "p < 0.001")
    assert said(replace(tied, p_adjusted=0.051)) == equivalent
    assert said(replace(tied, p_adjusted=None)) == equivalent
    assert said(replace(tied, difference=0.003)) == equivalent
    assert said(replace(tied, difference=0.0)).startswith("tanh is equivalent to relu: 0.00 points")


def test_an_inconclusive_candidate_has_what_it_would_take() -> None:
    assert said(replace(TANH, group="unclear", p_adjusted=0.2)) == (
        "tanh is neither worse than relu nor equivalent to it: 6.50 points apart, possibly 7.00 "
        "points, which is not below the margin of 0.5 points (p = 0.200 adjusted)."
    )


def test_numbers_that_are_not_known_are_written_as_nothing_apart() -> None:
    bare = replace(
        TANH, difference_low=None, difference_high=None, p_adjusted=None, smallest_margin=None
    )
    assert said(bare) == (
        "tanh is worse than relu by 6.50 points (95 % interval 0.00 to 0.00; p = 1.000 adjusted)."
    )
    assert "possibly 0.00 points" in said(replace(bare, group="unclear"))


def test_failures_on_either_side_are_the_condition() -> None:
    failed = replace(RELU, scores=(0.97, 0.98, None), failures=1)
    condition = "That holds where both trained: tanh failed in {} of {} runs, relu in {} of {}"
    assert said(TANH, best=failed).endswith(condition.format(0, 2, 1, 3) + ".")
    row = replace(TANH, scores=(0.90, 0.92, None), failures=1, p_failures=0.5)
    assert said(row).endswith(condition.format(1, 3, 0, 2) + " (p = 0.500).")
    assert "both trained" not in said(TANH)


def test_the_best_and_the_baseline_are_said_with_their_failures() -> None:
    failed = replace(RELU, scores=(0.97, 0.98, None), failures=1)
    rest = " 1 of its 3 runs failed; the mean is of those that trained."
    assert said(RELU) == "relu has the best mean: 97.50 % over 2 seeds."
    assert said(failed, best=failed) == "relu has the best mean: 97.50 % over 2 seeds." + rest
    assert said(failed, BASELINE, failed) == "relu is the baseline: 97.50 % over 2 seeds." + rest
    one = replace(RELU, scores=(0.97,), mean=0.97)
    assert said(one, best=one) == "relu has the best mean: 97.00 % over 1 seed."


def test_blocks_are_counted_as_blocks_and_failures_of_runs() -> None:
    failed = replace(RELU, failures=3)
    found = comparison(failed, TANH, unit="blocks", runs={"relu": 40, "tanh": 40})
    assert candidate_sentence(failed, found, PERCENT) == (
        "relu has the best mean: 97.50 % over 2 blocks. 3 of its 40 runs failed; the mean is of "
        "those that trained."
    )
    assert "tanh failed in 0 of 40 runs, relu in 3 of 40." in candidate_sentence(
        TANH, found, PERCENT
    )


def test_an_unreliable_candidate_has_the_bound_of_its_rate() -> None:
    row = Candidate(
        "tanh", "unreliable", scores=(None, None, 0.9), failures=2, failure_rate_low=0.15, mean=0.9
    )
    assert said(row) == (
        "tanh does not train reliably: 2 of 3 runs failed, so its failure rate is 15 % or more "
        "(95 % bound; 5 % are tolerated). Where it trained, its mean is 90.00 %."
    )


def test_without_a_score_it_is_said_why() -> None:
    setting = Setting("tanh", "tanh", 0.1)
    assert said(Candidate("tanh", "unreliable", scores=(None, None, None), failures=3)) == (
        "tanh failed in every run (3)."
    )
    assert said(Candidate("tanh", "unclear")) == (
        "tanh was not trained again: no trial of it was completed in the search."
    )
    assert said(Candidate("tanh", "unclear", setting=setting)) == (
        "tanh has no finished replicate yet."
    )
    over_blocks = Candidate("tanh", "unclear", scores=(None,), failures=2)
    found = comparison(RELU, over_blocks, unit="blocks", runs={"tanh": 2})
    assert candidate_sentence(over_blocks, found, PERCENT) == "tanh failed in every run (2)."


def test_one_seed_can_be_compared_with_nothing() -> None:
    one = Candidate("tanh", "unclear", scores=(0.9,), mean=0.9)
    text = "tanh has 1 seed; there is nothing that it can be compared with."
    assert said(one) == text
    assert candidate_sentence(one, comparison(one), PERCENT) == text
    assert candidate_sentence(TANH, comparison(replace(RELU, group="unclear")), PERCENT) == (
        "tanh has 2 seeds; there is nothing that it can be compared with."
    )


def test_the_summary_says_who_is_in_which_group() -> None:
    tied = replace(TANH, name="silu", group="tied", mean=0.974)
    unclear = replace(TANH, name="elu", group="unclear", more_seeds=7)
    other = replace(TANH, name="gelu", group="unclear", more_seeds=3)
    wild = Candidate("step", "unreliable", scores=(None, 0.5), mean=0.5, failures=1)
    absent = Candidate("none", "unclear")
    found = comparison(RELU, tied, unclear, other, TANH, wild, absent)
    assert summary(found, PERCENT) == (
        "With 2 seeds these 2 are shown to lie within 0.5 points of the best: relu and silu; the "
        "cheapest is silu (1 times a copy of the tensor). elu and gelu are inconclusive: 2 seeds "
        "neither separate them from relu nor show equivalence. tanh is worse than relu. step does "
        "not train reliably. 3 more seeds would decide between gelu and relu."
    )
    assert summary(comparison(RELU, TANH), PERCENT) == (
        "relu has the best mean, 97.50 % with 2 seeds. tanh is worse than relu."
    )
    assert summary(comparison(RELU, replace(unclear, more_seeds=1)), PERCENT).endswith(
        "1 more seed would decide between elu and relu."
    )


def test_the_cheapest_is_named_where_the_next_costs_a_quarter_more() -> None:
    def cheapest(cost: float | None) -> bool:
        tied = replace(TANH, name="silu", group="tied", cost=cost)
        return "the cheapest is relu" in summary(comparison(RELU, tied), PERCENT)

    assert [cheapest(cost) for cost in (2.49, 2.5, 4.0, None)] == [False, True, True, False]


def test_the_summary_with_a_baseline_says_who_is_better() -> None:
    baseline = replace(RELU, group="tied")
    better = replace(TANH, name="silu", group="best", mean=0.98)
    also = replace(better, name="gelu")
    tied = replace(TANH, name="elu", group="tied")
    found = comparison(better, baseline, tied, TANH)
    assert summary(found, BASELINE) == (
        "The baseline relu has a mean of 97.50 % with 2 seeds. silu is better than relu. elu is "
        "equivalent to relu. tanh is worse than relu."
    )
    assert "silu and gelu are better than relu." in summary(
        comparison(better, also, baseline), BASELINE
    )
    assert summary(comparison(RELU, pairs=()), BASELINE).startswith("Nothing can be said")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((), "no candidate has a finished replicate."),
        (
            (Candidate("a", "unreliable", scores=(None,), failures=1), Candidate("b", "unclear")),
            "every run of every candidate failed.",
        ),
        (
            (
                Candidate("a", "unreliable", scores=(None, 0.9), mean=0.9, failures=1),
                Candidate("b", "unreliable", scores=(None, 0.8), mean=0.8, failures=1),
            ),
            "a and b do not train reliably.",
        ),
        (
            (Candidate("a", "unclear", scores=(0.9, 0.8), mean=0.85), Candidate("b", "unclear")),
            "a is the only candidate with replicates, and there is nothing to compare it with.",
        ),
        (
            (
                Candidate("a", "unclear", scores=(0.9,), mean=0.9),
                Candidate("b", "unclear", scores=(0.8,), mean=0.8),
            ),
            (
                "the candidates share fewer than two seeds, and one run each cannot tell them "
                "apart. Train more with: actlab study confirm DIR --seeds 10"
            ),
        ),
    ],
)
def test_where_nothing_can_be_said_it_is_said_why(
    rows: tuple[Candidate, ...], expected: str
) -> None:
    assert summary(comparison(*rows, pairs=()), PERCENT) == f"Nothing can be said: {expected}"
    assert remarks(comparison(*rows, pairs=()), PERCENT) == []


def test_remarks_are_of_failures_and_of_certain_ties() -> None:
    failed = replace(TANH, name="elu", scores=(0.9, 0.9, None), failures=1)
    certain = replace(TANH, name="silu", group="tied", difference=-0.003)
    plain = replace(certain, name="gelu", p_adjusted=0.3)
    found = comparison(RELU, plain, certain, failed, TANH)
    assert [text.split()[0] for text in remarks(found, PERCENT)] == ["silu", "elu"]


@pytest.mark.parametrize(
    ("notice", "expected"),
    [
        (Notice("few_seeds", {"n": 3, "smallest": 0.0123}), "3 seeds are few"),
        (Notice("few_seeds", {"n": 3, "smallest": 0.0123}), "those of about 1.23 points and more"),
        (Notice("left_out", {"count": 1}), "1 replicate is left out."),
        (Notice("left_out", {"count": 2}), "2 replicates are left out."),
        (Notice("partly_paired", {"count": 4}), "(4 runs have no partner in some pair)"),
        (Notice("default_margin"), "0.5 points is taken as the largest difference"),
        (Notice("resolution", {"rows": 1000, "step": 0.001}), "Scores of 1,000 rows move in steps"),
        (Notice("resolution", {"rows": 1000, "step": 0.001}), "steps of 0.10 points;"),
        (
            Notice("chosen_on_scores", {"luck": 0.002}, counts={"relu": 3, "tanh": 1}),
            "more settings (relu (3), tanh (1)), by about 0.20 points for",
        ),
        (Notice("failures", counts={"relu": 3}), "learnt next to nothing): relu (3)."),
        (Notice("stopped", names=("a", "b")), "not trained with all seeds: a and b."),
        (Notice("two_scales", names=("a",)), "All scores of a lie between 0 and 1"),
        (
            Notice("few_blocks", {"n": 4, "count": 1, "least": 6}),
            "over 1 comparison Wilcoxon's test can show no difference with fewer than 6.",
        ),
        (
            Notice("few_blocks", {"n": 4, "count": 2, "least": 7}),
            "over 2 comparisons Wilcoxon's test can show no difference with fewer than 7.",
        ),
    ],
)
def test_a_notice_has_its_numbers(notice: Notice, expected: str) -> None:
    assert expected in notice_text(notice, PERCENT).replace("\xa0", " ")


def test_korean_has_the_same_numbers() -> None:
    korean = replace(PERCENT, words=Formatter(translation("ko")))
    english, other = said(TANH), said(TANH, korean)
    assert other != english
    for number in ("6.50", "5.00", "8.00", "0.001"):
        assert number in other


def test_a_metric_without_a_unit_is_written_in_five_digits() -> None:
    row = replace(RELU, mean=12.3456789)
    assert said(row, PLAIN, row) == "relu has the best mean: 12.346 over 2 seeds."
    assert replace(PLAIN, margin=0.25).margin_text() == "0.25"
    assert PLAIN.score(None) == PERCENT.score(None)
    assert PLAIN.size(-1.23456) == "1.23"
    assert (PLAIN.end(-1.23456), PERCENT.end(-0.0123)) == ("−1.23", "−1.23")


def test_a_cost_is_written_in_two_digits() -> None:
    tied = replace(TANH, name="silu", group="tied", cost=1.234)
    assert "the cheapest is silu (1.2 times a copy of the tensor)" in summary(
        comparison(RELU, tied), PERCENT
    )


def test_higher_is_better_where_nothing_else_is_said() -> None:
    assert Wording(Formatter(NullTranslations()), 0.005).higher_is_better
