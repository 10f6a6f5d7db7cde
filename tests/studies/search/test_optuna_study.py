"""Optuna's memory of a search: asked, told, and made again from the records."""

from dataclasses import replace

import pytest

from actlab.records import (
    Epoch,
    HyperbandPruner,
    MedianPruner,
    Outcome,
    Plan,
    Pruner,
    Record,
    Setting,
    TpeSampler,
)
from actlab.studies.search.optuna_study import OptunaStudy
from tests.studies.test_run_folder import record


def of(number: int, setting: Setting, accuracy: float | None) -> Record:
    return replace(record(number, accuracy), setting=setting)


def test_what_was_asked_and_has_no_record_runs_again(tiny_plan: Plan) -> None:
    study = OptunaStudy(tiny_plan)
    asked = [study.ask() for _trial in range(4)]
    assert [number for number, _setting in asked] == [0, 1, 2, 3]
    ended = [of(0, asked[0][1], 0.75), of(2, asked[2][1], None)]
    for one in ended:
        study.tell(one)
    assert set(study.running()) == {1, 3}
    again = OptunaStudy(tiny_plan, ended)
    assert set(again.running()) == {1}, "trial 3 was never heard of; 1 is a gap"
    assert again.ask()[0] == 3


def test_telling_twice_changes_nothing(tiny_plan: Plan) -> None:
    study = OptunaStudy(tiny_plan)
    _number, setting = study.ask()
    study.tell(of(0, setting, 0.75))
    study.tell(of(0, setting, 0.25))
    study.ask()
    assert study._choosing.trials[0].value == 0.75


def test_a_study_asks_the_same_after_an_interruption(tiny_plan: Plan) -> None:
    whole, records = OptunaStudy(tiny_plan), list[Record]()
    for number in range(14):
        asked = whole.ask()
        assert OptunaStudy(tiny_plan, records).ask() == asked
        records.append(of(*asked, 0.5 + number / 100))
        whole.tell(records[-1])


def searched(plan: Plan, order: list[int]) -> list[Setting]:
    """Return what is asked for where trainings end in this order of preference, killed often."""
    records: dict[int, Record] = {}
    settings: dict[int, Setting] = {}
    study = OptunaStudy(plan)
    for step in range(100):
        while study.may_ask() and len(settings) < len(order):
            number, setting = study.ask()
            settings[number] = setting
        running = study.running()
        if not running:
            break
        number = min(running, key=order.index)
        records[number] = of(number, settings[number], 0.5 + (number * 7 % 10) / 100)
        study.tell(records[number])
        if step % 5 == 0:
            study = OptunaStudy(plan, records.values())
            settings |= study.running()
            settings = {n: s for n, s in settings.items() if n in records or n in study.running()}
    return [settings[number] for number in range(len(order))]


def test_with_a_lag_the_order_in_which_trainings_end_changes_nothing(tiny_plan: Plan) -> None:
    plan = replace(tiny_plan, sampler=TpeSampler(startup_trials=4, lag=3), trials=20)
    forth, back = searched(plan, list(range(20))), searched(plan, list(range(19, -1, -1)))
    assert forth == back
    free = replace(plan, sampler=TpeSampler(startup_trials=4))
    study, records = OptunaStudy(free), list[Record]()
    for number in range(20):
        records.append(of(*study.ask(), 0.5 + (number * 7 % 10) / 100))
        study.tell(records[-1])
    assert forth != [one.setting for one in records], "a lag of 3 is not one of 1"


def test_with_a_lag_no_more_train_at_a_time(tiny_plan: Plan) -> None:
    study = OptunaStudy(replace(tiny_plan, sampler=TpeSampler(lag=2)))
    asked = []
    while study.may_ask():
        asked.append(study.ask())
    assert len(asked) == 2
    study.tell(of(*asked[1], 0.5))
    assert not study.may_ask(), "trial 2 depends on trial 0"
    study.tell(of(*asked[0], 0.5))
    assert study.may_ask()


@pytest.mark.parametrize(
    "pruner", [MedianPruner(startup_trials=2), HyperbandPruner(min_epochs=1, max_epochs=4)]
)
def test_a_pruner_notes_the_same_again(pruner: Pruner, tiny_plan: Plan) -> None:
    plan = replace(tiny_plan, pruner=pruner)
    study, records = OptunaStudy(plan), list[Record]()
    for number in range(8):
        _number, setting = study.ask()
        curve: tuple[Epoch, ...] = ()
        outcome = Outcome.COMPLETED
        for epoch in range(1, 5):
            curve = (*curve, Epoch(0.5, 0.4, (number * 3 % 8 + epoch) / 20, 0.1))
            paused = replace(of(number, setting, None), curve=curve, epochs=epoch)
            if epoch < 4 and study.should_prune(paused):
                outcome = Outcome.PRUNED
                break
        ended = of(number, setting, 0.5 if outcome is Outcome.COMPLETED else None)
        records.append(replace(ended, curve=curve, epochs=len(curve), outcome=outcome))
        study.tell(records[-1])
    assert {one.outcome for one in records} == {Outcome.COMPLETED, Outcome.PRUNED}
    before, after = study._pruning, OptunaStudy(plan, records)._pruning
    assert before is not None
    assert after is not None
    for was, now in zip(before.trials, after.trials, strict=True):
        assert now.system_attrs == was.system_attrs
        assert now.intermediate_values == was.intermediate_values
        assert (now.state, now.value, now.params) == (was.state, was.value, was.params)


def study_with_a_good_pruned_kind(plan: Plan, interrupted: bool) -> list[str]:
    """Return which conv activations are asked for after the good ones, tanh, were all pruned."""
    study, records = OptunaStudy(plan), list[Record]()
    for number in range(plan.trials):
        _number, setting = study.ask()
        if setting.conv_activation == "tanh":
            curve = (Epoch(0.5, 0.4, 0.9 + number / 1e4, 0.1),)
            made = replace(record(number, None), outcome=Outcome.PRUNED, curve=curve)
        else:
            made = record(number, 0.1 + number / 1e4)
        records.append(replace(made, setting=setting))
        study.tell(records[-1])
        if interrupted:
            study = OptunaStudy(plan, records)
    return [record.setting.conv_activation for record in records[10:]]


def test_a_pruned_trial_teaches_the_sampler_what_it_had_reached(tiny_plan: Plan) -> None:
    """To Optuna's own estimator every completed trial is better than every pruned one.

    With four seeds it asked for tanh 0 to 2 times of 70, where chance alone is 9 times.
    """
    sampler = TpeSampler(start="each_candidate")
    plan = replace(tiny_plan, sampler=sampler, pruner=MedianPruner(), trials=80)
    asked = study_with_a_good_pruned_kind(plan, interrupted=False)
    assert asked.count("tanh") > 3
    assert study_with_a_good_pruned_kind(plan, interrupted=True) == asked
