"""A list of trials: all of them trained, a lost worker replaced, a failing training recorded."""

from collections.abc import Callable
from concurrent.futures import Executor

import pytest

from actlab.errors import DataError
from actlab.records import Outcome, Plan, Record, Setting, Trial
from actlab.studies.executors.dispatch import OneByOne, train_all
from actlab.studies.trials import Replicate, replicate_trial
from tests.studies.executors import fake_worker
from tests.studies.inline import Inline
from tests.studies.search.test_search import Losing

Train = Callable[[Trial, bytes | None, int | None], tuple[bytes, Record]]


@pytest.fixture
def trials(tiny_plan: Plan) -> list[Trial]:
    environment = fake_worker.prepare(tiny_plan, "", "")
    setting = Setting("relu", "tanh", 0.001)
    return [
        replicate_trial(tiny_plan, environment, Replicate(number, setting, "confirm", number))
        for number in range(5)
    ]


def trained(trials: list[Trial], executor: Executor, train: Train) -> dict[int, Record]:
    found = [one for ended in train_all(OneByOne(executor, 2, train), trials) for one in ended]
    assert len(found) == len(trials)
    return {record.number: record for record, _weights in found}


def test_every_trial_gets_its_record(trials: list[Trial]) -> None:
    records = trained(trials, Inline(), fake_worker.train)
    assert {number: record.identity for number, record in records.items()} == {
        trial.number: trial.identity for trial in trials
    }


def test_a_trial_whose_worker_is_lost_is_trained_again(trials: list[Trial]) -> None:
    executor = Losing({1, 4})
    records = trained(trials, executor, fake_worker.train)
    assert {record.outcome for record in records.values()} == {Outcome.COMPLETED}


def test_what_loses_its_worker_each_time_is_recorded_as_failed(trials: list[Trial]) -> None:
    records = trained(trials[:1], Losing({1, 2, 3}), fake_worker.train)
    assert records[0].outcome is Outcome.FAILED
    assert "worker was lost 3 times" in (records[0].reason or "")
    assert (records[0].stage, records[0].replicate) == ("confirm", 0)
    assert records[0].avoided_split == trials[0].avoided_split is not None


def test_an_error_fails_its_own_trial(trials: list[Trial]) -> None:
    def train(trial: Trial, state: bytes | None, until: int | None) -> tuple[bytes, Record]:
        if trial.number == 3:
            raise MemoryError("no room")
        return fake_worker.train(trial, state, until)

    records = trained(trials, Inline(), train)
    assert "MemoryError: no room" in (records.pop(3).reason or "")
    assert {record.outcome for record in records.values()} == {Outcome.COMPLETED}


def test_what_the_user_has_to_put_right_is_raised(trials: list[Trial]) -> None:
    def train(*_arguments: object) -> tuple[bytes, Record]:
        raise DataError("gone")

    with pytest.raises(DataError, match=r"^gone$"):
        trained(trials, Inline(), train)
