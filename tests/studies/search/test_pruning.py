"""Pruning: trainings in segments, given up by Optuna's rules, resumed after any kill."""

import csv
import dataclasses
import tomllib
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import optuna
import pytest

from actlab.errors import PlanError
from actlab.records import (
    HyperbandPruner,
    MedianPruner,
    NoPruner,
    Outcome,
    Plan,
    Pruner,
    Record,
    best_record,
)
from actlab.studies import worker
from actlab.studies.executors.worker_process import WorkerLostError
from actlab.studies.plan.file import read_plan, validate, write_plan
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.pruning import optuna_pruner, segment_end
from actlab.studies.search.search import run_search
from actlab.studies.trials import search_trial
from tests.studies.conftest import make_tiny_plan
from tests.studies.inline import Inline, Silent

MEDIAN = MedianPruner(startup_trials=3, warmup_epochs=1)
HYPERBAND = HyperbandPruner(min_epochs=1, max_epochs=4, reduction_factor=2)


class Kill(BaseException):
    """Stands for a kill: nothing in the product may catch it."""


class Segments(Inline):
    """Remembers the segments that it ran; stops or loses the one with the given place."""

    def __init__(self, kill_at: int = -1, lose_at: int = -1) -> None:
        super().__init__()
        self.segments: list[tuple[int, bool, int | None]] = []
        self._kill_at, self._lose_at = kill_at, lose_at

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        if function is not worker.train:
            return super().submit(function, *arguments, **named)
        place = len(self.segments)
        trial, state, until = arguments
        self.segments.append((trial.number, state is not None, until))
        if place == self._kill_at:
            raise Kill
        if place == self._lose_at:
            lost: Future[Any] = Future()
            lost.set_exception(WorkerLostError("gone"))
            return lost
        return super().submit(function, *arguments, **named)


def plan_with(pruner: Pruner, trials: int = 8) -> Plan:
    plan = make_tiny_plan()
    return dataclasses.replace(
        plan,
        trials=trials,
        pruner=pruner,
        execution=dataclasses.replace(plan.execution, workers=1),
        protocol=dataclasses.replace(plan.protocol, patience=4, max_epochs=4),
    )


def run(folder: RunFolder, executor: Segments | None = None) -> Segments:
    chosen = executor or Segments()
    run_search(folder, "actlab study run", Silent(), lambda _workers, _timeout: chosen)
    return chosen


def curve_of(record: Record) -> list[tuple[float | None, float | None]]:
    return [(epoch.train_loss, epoch.valid_accuracy) for epoch in record.curve]


def outcomes(folder: RunFolder) -> list[tuple[int, str, int]]:
    return [(record.number, record.outcome.value, record.epochs) for record in folder.records()]


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = RunFolder.create(tmp_path_factory.mktemp("pruned") / "run", plan_with(MEDIAN))
    run(folder)
    return folder


def test_every_option_reaches_optuna() -> None:
    median = optuna_pruner(MedianPruner(startup_trials=7, warmup_epochs=2, min_trials=4))
    assert isinstance(median, optuna.pruners.MedianPruner)
    options = (median._n_startup_trials, median._n_warmup_steps, median._n_min_trials)
    assert (*options, median._interval_steps) == (7, 2, 4, 1)
    hyperband = optuna_pruner(HYPERBAND)
    assert isinstance(hyperband, optuna.pruners.HyperbandPruner)
    assert (hyperband._min_resource, hyperband._max_resource) == (1, 4)
    assert (hyperband._reduction_factor, hyperband._bootstrap_count) == (2, 0)
    assert isinstance(optuna_pruner(NoPruner()), optuna.pruners.NopPruner)


def test_segments_follow_each_other() -> None:
    assert [segment_end(MedianPruner(segment_epochs=3), n) for n in (0, 3)] == [3, 6]
    assert segment_end(NoPruner(), 0) is None


def test_pruned_trials_stay_in_the_tables_with_their_curves(pruned: RunFolder) -> None:
    records = pruned.records()
    given_up = [record for record in records if record.outcome is Outcome.PRUNED]
    assert len(records) == 8
    assert 0 < len(given_up) < 5
    assert all(0 < len(record.curve) == record.epochs < 4 for record in given_up)
    assert all(record.valid_accuracy is None for record in given_up)
    assert all("Pruned after epoch" in (record.reason or "") for record in given_up)
    with pruned.table_path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["outcome"] for row in rows] == [record.outcome.value for record in records]
    assert all(row["curve_valid_accuracy"] for row in rows if row["outcome"] == "pruned")
    best = best_record(records)
    final = pruned.final()
    assert best is not None
    assert final is not None
    assert final.number == best.number


def test_optuna_knows_every_epoch_and_who_was_pruned(pruned: RunFolder) -> None:
    storage = f"sqlite:///{pruned.storage_path}"
    trials = optuna.load_study(study_name=None, storage=storage).trials
    for record, trial in zip(pruned.records(), trials, strict=True):
        assert trial.state.name == {"completed": "COMPLETE"}.get(
            record.outcome.value, record.outcome.value.upper()
        )
        accuracies = [epoch.valid_accuracy for epoch in record.curve]
        assert list(trial.intermediate_values.items()) == list(enumerate(accuracies, start=1))


def test_the_median_rule_is_the_one_that_was_applied(pruned: RunFolder) -> None:
    """By hand: pruned where the best so far is below the median of the completed ones' best."""
    completed: list[Record] = []
    for record in pruned.records():
        if len(completed) >= MEDIAN.startup_trials and record.outcome is Outcome.PRUNED:
            epoch = record.epochs
            others = sorted(
                one.curve[epoch - 1].valid_metric for one in completed if one.epochs >= epoch
            )
            middle = len(others) // 2
            median = (others[middle] + others[(len(others) - 1) // 2]) / 2
            assert max(e.valid_metric for e in record.curve) < median
        if record.outcome is Outcome.COMPLETED:
            completed.append(record)


def test_a_completed_training_is_the_one_without_segments(pruned: RunFolder) -> None:
    environment = pruned.environment()
    assert environment is not None
    record = next(r for r in reversed(pruned.records()) if r.outcome is Outcome.COMPLETED)
    trial = search_trial(pruned.plan(), environment, record.number, record.setting)
    _weights, whole = worker.train(trial)
    assert curve_of(whole) == curve_of(record)
    assert whole.valid_accuracy == record.valid_accuracy


def test_a_kill_in_the_middle_of_segments_changes_nothing(
    pruned: RunFolder, tmp_path: Path
) -> None:
    folder = RunFolder.create(tmp_path / "killed", pruned.plan())
    with pytest.raises(Kill):
        run(folder, Segments(kill_at=9))
    run(folder)
    assert outcomes(folder) == outcomes(pruned)
    assert list(map(curve_of, folder.records())) == list(map(curve_of, pruned.records()))


def test_a_lost_worker_costs_one_segment(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", plan_with(MEDIAN, trials=2))
    executor = run(folder, Segments(lose_at=3))
    assert executor.segments[3] in executor.segments[4:], "the same segment, once more"
    begun = [segment for segment in executor.segments if not segment[1]]
    assert len(begun) == 2, "no training began again"
    assert [record.outcome for record in folder.records()] == [Outcome.COMPLETED] * 2


def test_hyperband_prunes_on_its_rungs(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", plan_with(HYPERBAND, trials=8))
    run(folder)
    given_up = [record for record in folder.records() if record.outcome is Outcome.PRUNED]
    assert given_up
    assert {record.epochs for record in given_up} <= {1, 2, 3, 4}
    assert len(folder.records()) == 8


def test_without_a_pruner_a_training_is_one_task(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", plan_with(NoPruner(), trials=2))
    assert run(folder).segments == [(0, False, None), (1, False, None)]


@pytest.mark.parametrize("name", ["none", "median", "hyperband"])
def test_a_plan_names_its_pruner(name: str, tmp_path: Path) -> None:
    plan = read_plan("corrected", {"pruner": {"name": name}})
    assert plan.pruner.name == name
    path = tmp_path / "plan.toml"
    path.write_text(write_plan(plan))
    assert read_plan(str(path), {}) == plan


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"name": "medain"}, 'did you mean "median"'),
        ({"name": "median", "warmup_epoch": 1}, 'did you mean "warmup_epochs"'),
        ({"name": "hyperband", "min_epochs": 9, "max_epochs": 3}, "got 9 and 3"),
        ({"name": "none", "min_epochs": 9}, "no such key"),
        ({"name": "median", "segment_epochs": 0}, "at least 1"),
    ],
)
def test_faults_are_named(section: dict[str, Any], expected: str) -> None:
    document = tomllib.loads(write_plan(read_plan("corrected", {})))
    with pytest.raises(PlanError) as caught:
        validate("plan.toml", document | {"pruner": section})
    assert expected.lower() in "\n".join(caught.value.faults).lower()


def test_equal_budgets_are_not_pruned() -> None:
    with pytest.raises(PlanError) as caught:
        read_plan("balanced", {"pruner": {"name": "median"}})
    assert "budget" in str(caught.value)
