"""Page data by a second route: plain loops over the author's file instead of over records."""

import math
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import accumulate

import pytest

from actlab.records import FinalFigure, Outcome, Record
from actlab.studies.report.answer import answer, near_by_candidate
from actlab.studies.report.classes import split_counts
from actlab.studies.report.search import (
    budget,
    candidates,
    completed_trials,
    history,
    pair_table,
    progress,
    search_trials,
)
from actlab.studies.report.zooms import around_best, is_published_search, whole

from .studies import published_rows, published_study, small_study

ROWS = published_rows()
SCORES = [float(row["valid_trial_accuracy"]) for row in ROWS]


def test_the_answer_is_the_one_that_the_author_printed() -> None:
    found = answer(published_study())
    assert found is not None
    assert (found.best.number, found.valid.value) == (102, 0.9794)
    assert found.best.setting.conv_activation == "prelu"
    assert found.best.setting.fc_activation == "tanh"
    assert found.test is not None
    assert (found.test.value, found.test.correct) == (0.9802, 9802)


def test_near_trials_are_counted_within_two_standard_errors() -> None:
    found = answer(published_study())
    assert found is not None
    margin = 2 * math.sqrt(0.9794 * 0.0206 / 5000)
    near = [row for row in ROWS if float(row["valid_trial_accuracy"]) >= 0.9794 - margin]
    rates = [float(row["learning_rate"]) for row in near]
    assert found.near == len(near) - 1
    assert found.others == 119
    assert found.near_rates == (min(rates), max(rates))
    assert found.equal == 0


def test_near_trials_are_told_by_candidate() -> None:
    data = published_study()
    found = answer(data)
    assert found is not None
    told = near_by_candidate(found, data.records, "fc")
    assert sum(near for _, near, _ in told) == found.near + 1
    assert [near for _, near, _ in told] == sorted((near for _, near, _ in told), reverse=True)
    lowest = 0.9794 - 2 * math.sqrt(0.9794 * 0.0206 / 5000)
    for name, near, trials in told:
        own = [s for row, s in zip(ROWS, SCORES, strict=True) if row["fc_activation"] == name]
        assert (near, trials) == (sum(score >= lowest for score in own), len(own))


def test_equals_are_told_and_the_earliest_is_best() -> None:
    found = answer(small_study())
    assert found is not None
    assert (found.best.number, found.equal, found.others) == (2, 1, 3)


def test_a_test_accuracy_of_another_trial_is_not_shown() -> None:
    stale = FinalFigure(101, "identity-101-None", 0.99, 10_000)
    found = answer(replace(published_study(), final=stale))
    assert found is not None
    assert found.test is None


@pytest.mark.parametrize("records", [(), small_study().records[1:2]])
def test_without_a_completed_trial_there_is_no_answer(records: tuple[Record, ...]) -> None:
    assert answer(replace(small_study(), records=records)) is None


def test_budgets_are_those_that_the_protocol_page_tells() -> None:
    data = published_study()
    fc = budget(data.plan, data.records, "fc")
    assert fc.unequal
    assert (fc.most.name, fc.most.trials) == ("tanh", 54)
    trials = {candidate.name: candidate.trials for candidate in fc.candidates}
    assert trials == Counter(row["fc_activation"] for row in ROWS)
    assert trials["sigmoid"] == 28
    best: dict[str, float] = defaultdict(float)
    for row, score in zip(ROWS, SCORES, strict=True):
        best[row["conv_activation"]] = max(best[row["conv_activation"]], score)
    conv = budget(data.plan, data.records, "conv")
    assert {candidate.name: candidate.best for candidate in conv.candidates} == best


def test_pairs_count_and_score_like_a_dictionary_of_the_rows() -> None:
    data = published_study()
    table = pair_table(data.plan, data.records)
    assert table is not None
    assert (table.tried, table.possible) == (37, 64)
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row, score in zip(ROWS, SCORES, strict=True):
        scores[row["conv_activation"], row["fc_activation"]].append(score)
    for i, conv in enumerate(table.rows):
        for j, fc in enumerate(table.columns):
            own = scores[conv, fc]
            assert table.trials[i][j] == len(own)
            assert table.best[i][j] == (max(own) if own else None)


def test_a_pair_of_failures_has_trials_but_no_accuracy() -> None:
    data = small_study()
    table = pair_table(data.plan, data.records)
    assert table is not None
    row, column = table.rows.index("snake"), table.columns.index("mish")
    assert (table.trials[row][column], table.best[row][column]) == (1, None)


def test_names_outside_the_space_are_kept() -> None:
    data = small_study()
    odd = replace(data.plan, space=replace(data.plan.space, conv_activation=("mish",)))
    assert candidates(odd, data.records, "conv") == ("mish", "snake", "gelu")


def test_the_history_is_the_running_maximum_by_number() -> None:
    past = history(tuple(reversed(published_study().records)))
    assert past.best_so_far == tuple(accumulate(SCORES, max))
    assert past.since_best == 119 - 102
    assert past.last_number == 119


def test_every_outcome_is_counted_and_replicates_are_not() -> None:
    data = small_study()
    count = progress(data.plan, data.records)
    assert (count.recorded, count.planned, count.complete) == (7, 10, False)
    assert count.outcomes == {
        Outcome.COMPLETED: 4,
        Outcome.DIVERGED: 1,
        Outcome.PRUNED: 1,
        Outcome.FAILED: 1,
    }
    assert [record.number for record in count.unfinished] == [1, 4, 7]
    assert [record.number for record in search_trials(data.records)] == [0, 1, 2, 3, 4, 5, 7]
    assert [record.number for record in completed_trials(data.records)] == [0, 2, 3, 5]
    assert progress(published_study().plan, published_study().records).complete


def test_the_whole_shows_every_trial_and_the_close_up_the_better_half() -> None:
    data = published_study()
    everything = whole(data.plan, data.records)
    close = around_best(data.records)
    assert close is not None
    for row, score in zip(ROWS, SCORES, strict=True):
        assert everything.accuracy[0] < score < everything.accuracy[1]
        rate = float(row["learning_rate"])
        assert everything.learning_rate[0] < rate < everything.learning_rate[1]
    shown = [score for score in SCORES if close.accuracy[0] <= score <= close.accuracy[1]]
    assert 60 <= len(shown) < 80
    assert max(SCORES) in shown


def test_there_is_no_close_up_of_what_is_all_alike() -> None:
    data = published_study()
    alike = tuple(replace(record, valid_accuracy=0.5) for record in data.records)
    assert around_best(alike) is None
    assert around_best(data.records[:3]) is None


def test_mostly_equal_scores_still_give_a_range() -> None:
    data = published_study()
    mostly = tuple(
        replace(record, valid_accuracy=0.9 if record.number else 0.5) for record in data.records
    )
    close = around_best(mostly)
    assert close is not None
    assert close.accuracy[0] < close.accuracy[1]


def test_only_the_published_search_has_the_published_close_ups() -> None:
    plan = published_study().plan
    assert is_published_search(plan)
    assert not is_published_search(small_study().plan)
    wider = replace(plan, space=replace(plan.space, learning_rate_high=0.1))
    assert not is_published_search(wider)


def test_class_shares_add_up() -> None:
    for split in split_counts(small_study().environment.class_counts):
        assert math.isclose(sum(split.shares), 1.0)
        assert split.total == sum(split.counts)
    (empty,) = split_counts({"train": (0, 0)})
    assert empty.shares == (0.0, 0.0)
