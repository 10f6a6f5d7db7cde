"""Handing trials to workers: one by one, or as a population that trains in lock-step."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actlab.records import (
    POPULATION,
    BalancedSampler,
    MedianPruner,
    Outcome,
    Plan,
    Record,
    Setting,
    TpeSampler,
    Trial,
)
from actlab.studies import worker
from actlab.studies.executors.dispatch import OneByOne, Populations, dispatch_of, train_all
from actlab.studies.executors.worker_process import WorkerLostError
from actlab.studies.plan.file import read_plan
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import Search
from actlab.studies.trials import search_trial
from tests.studies.executors import fake_worker
from tests.studies.inline import Inline, Silent


class Counting(Inline):
    """Remembers how many trials came with each call, and loses the first population if told to."""

    def __init__(self, lost: int = 0) -> None:
        super().__init__()
        self._lost = lost
        self.sizes: list[int] = []

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        if function.__name__ == "train_many":
            self.sizes.append(len(arguments[0]))
            if len(self.sizes) <= self._lost:
                future: Future[Any] = Future()
                future.set_exception(WorkerLostError("no answer"))
                return future
        return super().submit(function, *arguments, **named)


def train_many(trials: Sequence[Trial]) -> list[tuple[bytes, Record]]:
    """Stand in for `worker.train_many`."""
    return [fake_worker.train(trial, None, None) for trial in trials]


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_worker.take_over(monkeypatch)
    monkeypatch.setattr(worker, "train_many", train_many)


def searched(folder: RunFolder, executor: Inline, at_once: int) -> list[Record]:
    environment = worker.prepare(folder.plan(), "", "")
    Search(folder, environment, Populations(executor, at_once), Silent()).run()
    return sorted(folder.records(), key=lambda record: record.number)


@pytest.mark.usefixtures("stand_ins")
def test_a_population_is_asked_for_when_the_last_has_ended(folder: RunFolder) -> None:
    executor = Counting()
    records = searched(folder, executor, 4)
    assert executor.sizes == [4, 2]
    assert [record.number for record in records] == list(range(6))


@pytest.mark.usefixtures("stand_ins")
def test_the_trials_of_a_lost_population_are_trained_one_by_one(folder: RunFolder) -> None:
    executor = Counting(lost=1)
    records = searched(folder, executor, 6)
    assert executor.calls == ["train"] * 6
    assert [record.number for record in records] == list(range(6))
    assert Outcome.FAILED not in {record.outcome for record in records}


def test_a_population_trains_to_the_records_of_separate_trainings(
    folder: RunFolder, tiny_plan: Plan, tmp_path_factory: pytest.TempPathFactory
) -> None:
    together = searched(folder, Inline(), 6)
    alone = RunFolder.create(tmp_path_factory.mktemp("alone") / "run", tiny_plan)
    environment = worker.prepare(tiny_plan, "", "")
    Search(alone, environment, OneByOne(Inline(), 6), Silent()).run()
    by_number = {record.number: record for record in alone.records()}
    for record in together:
        other = by_number[record.number]
        assert (record.identity, record.epochs) == (other.identity, other.epochs)
        losses = [epoch.train_loss for epoch in other.curve]
        assert [epoch.train_loss for epoch in record.curve] == pytest.approx(losses, rel=1e-4)


def test_the_sampler_reckons_with_the_trials_of_its_population() -> None:
    published, balanced = read_plan("published", {}), read_plan("balanced", {})
    populations = Populations(Inline(), 4)
    asked = populations.sampling(published)
    assert isinstance(published.sampler, TpeSampler)
    assert not published.sampler.constant_liar
    assert asked == replace(published, sampler=replace(published.sampler, constant_liar=True))
    assert populations.sampling(balanced) is balanced
    assert OneByOne(Inline(), 4).sampling(published) is published


@pytest.mark.usefixtures("stand_ins")
def test_populations_are_for_a_gpu_and_whole_trainings(tiny_plan: Plan) -> None:
    cpu = worker.prepare(tiny_plan, "", "")
    gpu = replace(cpu, device="cuda")
    unspoken = replace(tiny_plan, execution=replace(tiny_plan.execution, workers=None))
    executor = Inline()
    assert type(dispatch_of(tiny_plan, cpu, executor)) is OneByOne
    assert type(dispatch_of(replace(tiny_plan, pruner=MedianPruner()), gpu, executor)) is OneByOne
    for plan, at_once in ((tiny_plan, 2), (unspoken, POPULATION)):
        found = dispatch_of(plan, gpu, executor)
        assert (type(found), found.at_once) == (Populations, at_once)


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(("sampler", "started"), [(BalancedSampler(), 4), (TpeSampler(), 2)])
def test_what_is_planned_is_started_before_the_disk_is_waited_for(
    sampler: BalancedSampler | TpeSampler,
    started: int,
    tiny_plan: Plan,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    executor, counts = Inline(), []
    append = RunFolder.append

    def noted(folder: RunFolder, *records: Record) -> None:
        counts.append(len(executor.calls))
        append(folder, *records)

    monkeypatch.setattr(RunFolder, "append", noted)
    folder = RunFolder.create(tmp_path / "run", replace(tiny_plan, sampler=sampler))
    environment = worker.prepare(tiny_plan, "", "")
    Search(folder, environment, OneByOne(executor, 2), Silent()).run()
    assert counts[0] == started
    assert sorted(record.number for record in folder.records()) == list(range(6))
    trials = [
        search_trial(tiny_plan, environment, n, Setting("relu", "relu", 0.1 / (n + 1)))
        for n in range(4)
    ]
    executor.calls.clear()
    first = next(train_all(OneByOne(executor, 2), trials))
    assert len(first) == 2
    assert len(executor.calls) == 4
