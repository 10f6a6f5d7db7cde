"""What holds for every engine: lost, late and hung tasks, workers that differ, GPUs, limits."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actlab.data import pool_sizes
from actlab.errors import DataError, EngineError
from actlab.records import DataPlan, Epoch, Plan, Trial
from actlab.studies import worker
from actlab.studies.executors import cluster, hosting
from actlab.studies.executors.cluster import ClusterExecutor
from actlab.studies.executors.dispatch import OneByOne, Populations, dispatch_of
from actlab.studies.executors.worker_process import WorkerLostError
from tests.studies.executors import fake_worker


class Engine(ClusterExecutor):
    """An engine in which a test decides what becomes of every task."""

    def __init__(self, places: int = 4, gpus: bool = False) -> None:
        self.places, self._gpus, self.alive = places, gpus, True
        self.tasks: list[hosting.Task] = []
        self.futures: list[Future[Any]] = []
        self.stopped: list[Future[Any]] = []
        self.workers: dict[str, dict[str, str] | Exception] = {"a": hosting.versions()}
        super().__init__(60.0)

    def start_task(self, task: hosting.Task) -> Future[Any]:
        self.tasks.append(task)
        self.futures.append(Future())
        return self.futures[-1]

    def stop_task(self, future: Any) -> None:
        self.stopped.append(future)

    def count_places(self) -> int:
        return self.places

    def identities(self, plan: DataPlan | None) -> Mapping[str, dict[str, str] | Exception]:
        return self.workers

    def has_gpus(self) -> bool:
        return self._gpus

    def is_alive(self) -> bool:
        return self.alive


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.shutdown(cancel_futures=True)


def test_an_answer_and_an_error_come_as_they_are(engine: Engine) -> None:
    answer, error = engine.submit(pow, 2, 3), engine.submit(divmod, 1, 0)
    engine.futures[0].set_result((True, 8))
    engine.futures[1].set_result((False, DataError("gone")))
    assert answer.result(10) == 8
    assert isinstance(error.exception(10), DataError)
    assert [(task.function, task.arguments, task.limit) for task in engine.tasks] == [
        (pow, (2, 3), 60.0),
        (divmod, (1, 0), 60.0),
    ]


def test_a_killed_worker_loses_its_task(engine: Engine) -> None:
    answer = engine.submit(pow, 2, 3)
    engine.futures[0].set_exception(RuntimeError("worker tcp://1 died\nin detail"))
    error = answer.exception(10)
    assert isinstance(error, WorkerLostError)
    assert str(error) == "RuntimeError: worker tcp://1 died"


@pytest.mark.parametrize("alive", [True, False])
def test_an_engine_that_is_gone_ends_the_study(engine: Engine, alive: bool) -> None:
    engine.alive = alive
    answer = engine.submit(pow, 2, 3)
    engine.futures[0].set_exception(BrokenExecutor() if alive else RuntimeError("no scheduler"))
    error = answer.exception(10)
    assert isinstance(error, EngineError)
    assert "go on with actlab study resume" in str(error)


def test_a_hung_worker_is_given_up_and_its_late_answer_not_listened_to(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "GRACE_SECONDS", 1.0)
    engine.limit = 1.0
    answer = engine.submit(pow, 2, 3)
    error = answer.exception(30)
    assert isinstance(error, WorkerLostError)
    assert engine.stopped == engine.futures
    engine.futures[0].set_result((True, 8))
    time.sleep(1.5)
    assert answer.exception() is error, "late: it counts once, as lost"


def test_a_task_that_waits_for_a_place_is_not_hung(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "GRACE_SECONDS", 0.0)
    engine.places, engine.limit = 1, 0.5
    answers = [engine.submit(pow, 2, 3) for _task in range(2)]
    time.sleep(4)
    assert not any(answer.done() for answer in answers)


def test_the_end_of_a_study_stops_what_is_under_way() -> None:
    engine = Engine()
    answer = engine.submit(pow, 2, 3)
    engine.shutdown(cancel_futures=True)
    assert isinstance(answer.exception(1), WorkerLostError)
    assert engine.stopped == engine.futures


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({"torch": "2.4.0"}, "torch is 2.4.0 there"),
        ({"actlab": "0.0.1"}, "actlab is 0.0.1 there"),
        ({"record format": "9"}, "record format is 9 there"),
        ({"data": "other"}, "data is other there and known here"),
        ({"fault": "no such file"}, "The worker b cannot open the data: no such file"),
    ],
)
def test_a_worker_that_differs_is_named(
    engine: Engine, tiny_plan: Plan, found: dict[str, str], sentence: str
) -> None:
    data = {"data": "known"}
    engine.workers = {"a": hosting.versions() | data, "b": hosting.versions() | data | found}
    with pytest.raises(EngineError) as raised:
        engine.check(tiny_plan, "known")
    assert sentence in str(raised.value)
    assert "worker b" in str(raised.value)


def test_workers_must_have_the_same_data_as_each_other(engine: Engine, tiny_plan: Plan) -> None:
    engine.workers = {name: hosting.versions() | {"data": name} for name in "ab"}
    with pytest.raises(EngineError, match="data is b there and a here"):
        engine.check(tiny_plan, None)
    engine.workers = {"a": ModuleNotFoundError("No module named 'actlab'")}
    with pytest.raises(EngineError, match="worker a cannot run actlab: ModuleNotFoundError"):
        engine.check(tiny_plan, None)


def with_device(plan: Plan, device: Any, workers: int | None = None) -> Plan:
    return replace(plan, execution=replace(plan.execution, device=device, workers=workers))


@pytest.mark.parametrize(
    ("device", "gpus", "wanted"),
    [("cpu", True, False), ("auto", True, True), ("auto", False, False), ("cuda", True, True)],
)
def test_a_gpu_is_asked_for_where_it_is_wanted(
    tiny_plan: Plan, device: str, gpus: bool, wanted: bool
) -> None:
    engine = Engine(gpus=gpus)
    engine.check(with_device(tiny_plan, device), None)
    engine.submit(pow, 2, 3)
    assert engine.tasks[0].gpu is wanted
    engine.shutdown(cancel_futures=True)


def test_as_many_train_as_the_engine_has_places(engine: Engine, tiny_plan: Plan) -> None:
    environment = fake_worker.prepare(tiny_plan, "", "")
    free = with_device(tiny_plan, "cpu")
    assert dispatch_of(free, environment, engine).at_once == 4
    assert dispatch_of(with_device(tiny_plan, "cpu", 9), environment, engine).at_once == 9
    gpu = dispatch_of(free, replace(environment, device="cuda"), engine)
    assert isinstance(gpu, Populations)
    assert gpu.at_once == 4 * free.together("cuda")


def test_every_gpu_gets_a_population_of_its_own(engine: Engine) -> None:
    populations = Populations(engine, together=3)
    populations.start([None] * 7)  # type: ignore[list-item]  # nothing is trained
    assert [len(task.arguments[0]) for task in engine.tasks] == [3, 3, 1]


def test_the_limit_of_a_segment_follows_the_measured_epochs(
    engine: Engine, tiny_plan: Plan, trials: Callable[[Plan], list[Trial]]
) -> None:
    one = OneByOne(engine, 2, fake_worker.train)
    first, second = trials(tiny_plan)
    one.again(first)
    assert engine.tasks[0].limit == 60.0, "the plan's, until an epoch was measured"
    state, record = fake_worker.train(first, None, None)
    curve = (Epoch(1.0, 1.0, 0.5, seconds=0.25), Epoch(1.0, 1.0, 0.5, seconds=0.125))
    engine.limit = 1e9
    long = OneByOne(engine, 2, fake_worker.train)
    started = long.again(first)
    engine.futures[1].set_result((True, (state, replace(record, curve=curve))))
    started.result(10)
    long.again(replace(second, protocol=replace(second.protocol, max_epochs=400)))
    assert engine.tasks[2].limit == 0.25 * 400 * 10
    long.again(second, state, 1)
    assert engine.tasks[3].limit == 60.0, "never less than a minute"


@pytest.fixture
def trials() -> Callable[[Plan], list[Trial]]:
    from actlab.records import Setting
    from actlab.studies.trials import search_trial

    def made(plan: Plan) -> list[Trial]:
        environment = fake_worker.prepare(plan, "", "")
        setting = Setting("relu", "tanh", 0.001)
        return [search_trial(plan, environment, number, setting) for number in range(2)]

    return made


def test_a_hosted_task_refuses_a_driver_of_another_version() -> None:
    task = hosting.Task("driver", hosting.versions() | {"torch": "1.0"}, pow, (2, 3), {}, 60.0)
    succeeded, error = hosting.run_task(task)
    assert not succeeded
    assert isinstance(error, EngineError)
    assert "torch is" in str(error)


def test_a_hosted_process_is_kept_for_its_driver_and_sees_no_gpu() -> None:
    import os

    def run(function: Callable[..., Any], *arguments: Any) -> Any:
        task = hosting.Task("driver", hosting.versions(), function, arguments, {}, 60.0)
        return hosting.run_task(task)

    try:
        first, again = run(os.getpid), run(os.getpid)
        assert first == again
        assert first[1] != os.getpid()
        assert run(os.getenv, "CUDA_VISIBLE_DEVICES") == (True, "")
        succeeded, error = run(os._exit, 3)
        assert not succeeded
        assert str(error) == "its process ended with exit code 3"
        assert run(pow, 2, 3) == (True, 8)
    finally:
        hosting.retire("driver")


def test_the_data_are_named_by_their_fingerprint(tiny_plan: Plan) -> None:
    found = hosting.identify(tiny_plan.data)
    assert found["data"] == worker.prepare(tiny_plan, "", "").fingerprint
    assert "fault" in hosting.identify(replace(tiny_plan.data, name="mnist", directory="/nowhere"))


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """A file of the user's data."""
    labels = np.arange(240) % 2
    np.savez(tmp_path / "own.npz", x=np.eye(4, dtype=np.float32).repeat(60, axis=0), y=labels)
    return tmp_path / "own.npz"


def test_files_that_a_process_lacks_are_brought_to_it_once(own_file: Path) -> None:
    content, gone, fetched = own_file.read_bytes(), str(own_file.with_name("gone.npz")), []

    def files() -> hosting.Files:
        fetched.append(gone)
        return {gone: content}

    arguments = ("driver", hosting.versions(), pool_sizes, (gone,), {}, 60.0)
    try:
        for _task in range(2):
            assert hosting.run_task(hosting.Task(*arguments, files=(gone,)), files) == (
                True,
                (192, 48),
            )
        assert fetched == [gone]
    finally:
        hosting.retire("driver")


@pytest.mark.parametrize("has_means", [True, False])
def test_the_driver_s_files_are_handed_over_where_a_worker_lacks_them(
    has_means: bool, engine: Engine, tiny_plan: Plan, own_file: Path
) -> None:
    handed: list[hosting.Files] = []

    def hand_over(files: hosting.Files) -> bool:
        handed.append(files)
        return has_means

    engine.hand_over = hand_over  # type: ignore[method-assign]
    path = str(own_file)
    plan = replace(tiny_plan, data=replace(tiny_plan.data, name=path))
    known = hosting.versions()
    of_data = {"a": {"data": "d"}, "b": {"lacks": path}}
    engine.identities = lambda asked: {  # type: ignore[method-assign]
        name: known | ({} if asked is None else said) for name, said in of_data.items()
    }
    if has_means:
        engine.check(plan, "d")
        engine.submit(pow, 2, 3)
        assert engine.tasks[0].files == (path,)
    else:
        with pytest.raises(EngineError, match="worker b cannot open the data: There is no file"):
            engine.check(plan, "d")
    assert handed == [{path: own_file.read_bytes()}]
