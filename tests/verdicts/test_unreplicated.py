import math
from dataclasses import replace
from itertools import combinations
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.case_study.published_results import published_trials
from actlab.errors import VerdictError
from actlab.records.unreplicated import TrialRow, TrialTable
from actlab.verdicts.unreplicated import expected_best, summarise_trials


def table(*values: tuple[str, float | None], maximize: bool = True) -> TrialTable:
    rows = tuple(
        TrialRow(number, {"activation": name}, {"rate": 0.001 * (number + 1)}, value)
        for number, (name, value) in enumerate(values)
    )
    return TrialTable("a study", rows, maximize)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=7), data=st.data())
def test_the_expected_best_is_the_mean_over_all_draws(
    values: list[float], data: st.DataObject
) -> None:
    draws = data.draw(st.integers(1, len(values)))
    for maximize, best in ((True, max), (False, min)):
        every = fmean(best(drawn) for drawn in combinations(values, draws))
        assert expected_best(values, draws, maximize=maximize) == pytest.approx(every)


def test_the_published_trials_are_judged_by_their_budgets() -> None:
    judged = summarise_trials(published_trials())
    conv, fc = judged.parameters
    assert (conv.parameter, fc.parameter) == ("conv_activation", "fc_activation")
    assert {c.name: c.trials for c in fc.choices}["tanh"] == 54
    assert {c.name: c.trials for c in fc.choices}["sigmoid"] == 28
    assert conv.equal_budget == fc.equal_budget == 6
    tanh = fc.choices[0]
    assert (tanh.name, tanh.best) == ("tanh", 0.9794)
    assert tanh.expected_best is not None
    assert tanh.expected_best < 0.9794, "a best of 54 is luckier than a best of 6"
    assert fc.luck == pytest.approx(0.0021, abs=5e-5)
    assert any("every setting ran once" in sentence for sentence in judged.cannot)
    assert any("tanh is the best of 54" in sentence for sentence in judged.cannot)


def test_equal_budgets_carry_no_warning() -> None:
    judged = summarise_trials(table(("relu", 0.9), ("tanh", 0.8), ("relu", 0.7), ("tanh", None)))
    assert judged.parameters[0].luck is not None, "a failed trial is no try"
    equal = summarise_trials(table(("relu", 0.9), ("tanh", 0.8)))
    assert equal.parameters[0].luck is None
    assert not any("best of 1 tries" in sentence for sentence in equal.cannot)


def test_a_minimised_value_is_best_when_small() -> None:
    judged = summarise_trials(table(("relu", 0.9), ("tanh", 0.2), maximize=False))
    assert judged.best is not None
    assert judged.best.value == 0.2
    assert judged.parameters[0].choices[0].name == "tanh"
    assert "tanh 0.2, relu 0.9" in " ".join(judged.can)


def test_repeated_settings_are_counted() -> None:
    rows = tuple(TrialRow(n, {"f": "ab"[n % 2]}, {}, 0.5 + n / 10) for n in range(4))
    judged = summarise_trials(TrialTable("s", rows))
    assert judged.repeated == 2
    assert any("2 repeated runs" in sentence for sentence in judged.cannot)


def test_nothing_completed_is_said() -> None:
    judged = summarise_trials(table(("relu", None), ("tanh", None)))
    assert judged.best is None
    assert judged.can == ("Nothing but the budgets: no trial completed.",)
    assert all(not math.isnan(c.trials) for c in judged.parameters[0].choices)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [((), "has no trials"), ((("relu", 0.9), ("relu", 0.8)), "a parameter with two names or more")],
)
def test_a_study_that_compares_nothing_is_refused(
    rows: tuple[tuple[str, float], ...], reason: str
) -> None:
    with pytest.raises(VerdictError, match=reason):
        summarise_trials(table(*rows))


def test_numbers_and_words_of_the_budgets() -> None:
    values = [("relu", 0.9), ("relu", 0.8), ("relu", 0.7), ("tanh", 0.85), ("tanh", None)]
    judged = summarise_trials(table(*values, ("elu", None)))
    (budgets,) = judged.parameters
    relu, tanh, elu = budgets.choices
    assert (relu.name, relu.trials, relu.completed, relu.best) == ("relu", 3, 3, 0.9)
    assert (relu.median, relu.expected_best) == (0.8, pytest.approx(0.8))
    assert (tanh.trials, tanh.completed, tanh.expected_best) == (2, 1, 0.85)
    assert (elu.best, elu.median, elu.expected_best) == (None, None, None)
    assert (judged.trials, judged.completed, judged.repeated) == (6, 4, 0)
    every = [0.9, 0.8, 0.7, 0.85]
    assert budgets.luck == pytest.approx(expected_best(every, 3) - expected_best(every, 1))
    assert judged.can[0] == (
        "Trial 0 reached 0.9, the best of 4, with activation relu, rate 0.001."
    )
    assert judged.can[2] == (
        "At equal numbers of tries (1), the best of activation would be expected in this order: "
        "tanh 0.85, relu 0.8."
    )
    assert "relu is the best of 3 tries, tanh of 1." in judged.cannot[1]
    assert "the best of 3 would still be expected 0.075 better" in judged.cannot[1]
    assert "the best of 4 is partly luck" in judged.cannot[2]
    down = summarise_trials(table(*values, maximize=False))
    assert [choice.name for choice in down.parameters[0].choices] == ["relu", "tanh"]
    assert down.parameters[0].luck == pytest.approx(
        expected_best(every, 1, maximize=False) - expected_best(every, 3, maximize=False)
    )
    assert "in this order: relu 0.8, tanh 0.85." in down.can[2]


def test_accuracies_are_written_in_percent_and_points() -> None:
    found = table(("relu", 0.9), ("relu", 0.8), ("tanh", 0.85))
    judged = summarise_trials(replace(found, is_accuracy=True))
    assert judged.can[0].startswith("Trial 0 reached 90.00 %")
    assert "expected 3.33 points better" in judged.cannot[1]


def test_one_trial_that_completed_is_the_best_of_nobody() -> None:
    judged = summarise_trials(table(("relu", 0.9), ("tanh", None)))
    assert not any("partly luck" in sentence for sentence in judged.cannot)
    assert judged.parameters[0].luck is None
    tie = summarise_trials(table(("relu", 0.9), ("tanh", 0.9)))
    assert tie.best is not None
    assert tie.best.number == 0


def test_an_expected_best_of_zero_has_its_place() -> None:
    judged = summarise_trials(table(("relu", 0.5), ("tanh", 0.0), ("gelu", 0.2)))
    assert "relu 0.5, gelu 0.2, tanh 0" in " ".join(judged.can)


def test_the_best_of_two_trials_is_partly_luck() -> None:
    two = summarise_trials(table(("relu", 0.9), ("tanh", 0.8)))
    assert any("the best of 2 is partly luck" in sentence for sentence in two.cannot)
    one = summarise_trials(table(("relu", 0.9), ("tanh", None)))
    assert not any("partly luck" in sentence for sentence in one.cannot)
