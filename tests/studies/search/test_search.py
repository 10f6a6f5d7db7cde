"""A whole study, its interruptions at every step of keeping a record, and its resumption."""

import csv
import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from actlab.errors import DataError, EngineError, RunFolderError
from actlab.records import Outcome, Plan, Record, TpeSampler, best_record
from actlab.studies import worker
from actlab.studies.executors.worker_process import WorkerLostError
from actlab.studies.run_folder import RunFolder
from actlab.studies.search import best_weights, search
from actlab.studies.search.optuna_study import OptunaStudy
from actlab.studies.search.search import run_search
from actlab.studies.summary import summary
from actlab.studies.trials import search_trial
from tests.studies.conftest import make_tiny_plan
from tests.studies.inline import Inline, Silent


class Kill(BaseException):
    """Stands for a kill: nothing in the product may catch it."""


def run(folder: RunFolder, executor: Executor | None = None) -> Silent:
    observer = Silent()
    run_search(
        folder, "actlab study run", observer, lambda _workers, _timeout: executor or Inline()
    )
    return observer


def without_times(folder: RunFolder) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in folder.records_path.read_text().splitlines()]
    for row in rows:
        row.pop("seconds")
        for epoch in row["curve"]:
            epoch.pop("seconds")
    return sorted(rows, key=lambda row: int(row["number"]))


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = RunFolder.create(tmp_path_factory.mktemp("finished") / "run", make_tiny_plan())
    run(folder)
    return folder


@pytest.fixture
def finished(finished_once: RunFolder, tmp_path: Path) -> RunFolder:
    """A finished study of the test's own."""
    return RunFolder(Path(shutil.copytree(finished_once.path, tmp_path / "finished")))


@pytest.fixture
def another(tmp_path: Path, tiny_plan: Plan) -> RunFolder:
    return RunFolder.create(tmp_path / "another", tiny_plan)


def test_a_finished_study_has_every_number_in_every_place(finished: RunFolder) -> None:
    records = finished.records()
    assert [record.number for record in records] == list(range(6))
    best = best_record(records)
    assert best is not None
    study = optuna.load_study(study_name="digits", storage=f"sqlite:///{finished.storage_path}")
    assert study.best_value == best.valid_accuracy == max(r.valid_accuracy or 0 for r in records)
    assert study.best_trial.number == best.number
    with finished.table_path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["learning_rate"]) for row in rows] == [
        record.setting.learning_rate for record in records
    ]
    curves = [[float(value) for value in row["curve_train_loss"].split()] for row in rows]
    assert curves == [[epoch.train_loss for epoch in record.curve] for record in records]
    document = summary(finished)
    assert document["best"] == best.number
    assert document["verdict"] is None
    final = finished.final()
    assert final is not None
    assert document["test_accuracy"] == final.test_accuracy
    environment = finished.environment()
    assert environment is not None
    assert {key: sum(counts) for key, counts in environment.class_counts.items()} == {
        "train": 64,
        "valid_epoch": 32,
        "valid_trial": 32,
        "test": 32,
    }


def test_the_test_accuracy_is_that_of_the_kept_weights(finished: RunFolder) -> None:
    import torch

    environment, best = finished.environment(), best_record(finished.records())
    assert environment is not None
    assert best is not None
    kept = torch.load(finished.weights_path, weights_only=True)
    assert all(isinstance(value, torch.Tensor) for value in kept.values())
    trial = search_trial(finished.plan(), environment, best.number, best.setting)
    again = worker.test_accuracy(trial, finished.weights_path.read_bytes())
    assert again == finished.final()


def test_a_finished_study_is_left_alone(finished: RunFolder) -> None:
    before = finished.records_path.read_bytes()
    executor = Inline()
    assert run(finished, executor).counts == [6]
    assert executor.calls == []
    assert finished.records_path.read_bytes() == before


def test_the_same_plan_gives_the_same_records(finished: RunFolder, another: RunFolder) -> None:
    run(another)
    assert without_times(another) == without_times(finished)


def after(times: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, killed when it is called for the `times`-th time, before it acts."""
    left = [times]

    def killed(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise Kill
        return function(*arguments, **named)

    return killed


PLACES = [
    (OptunaStudy, "ask"),
    (OptunaStudy, "tell"),
    (RunFolder, "append"),
    (best_weights, "keep"),
    (best_weights, "final_figure"),
    (search, "write_table"),
]


@pytest.mark.parametrize(("owner", "name"), PLACES, ids=[name for _owner, name in PLACES])
def test_a_kill_between_two_steps_loses_no_record(
    owner: Any,
    name: str,
    finished: RunFolder,
    another: RunFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = {"ask": 4, "tell": 3, "append": 3}.get(name, 1)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, after(times, getattr(owner, name)))
        with pytest.raises(Kill):
            run(another)
    kept = without_times(another) if another.records_path.exists() else []
    document = summary(another)
    assert {trial["number"] for trial in document["trials"]} == {row["number"] for row in kept}
    run(another)
    whole = without_times(another)
    assert [row["number"] for row in whole] == list(range(6))
    assert [row for row in whole if row in kept] == kept, "a record was changed"
    assert whole == without_times(finished)
    assert another.final() == finished.final()


def test_lost_weights_are_trained_again(finished: RunFolder) -> None:
    before = finished.weights_path.read_bytes()
    finished.weights_path.write_bytes(b"altered")
    finished.final_path.unlink()
    executor = Inline()
    run(finished, executor)
    assert executor.calls == ["prepare", "train", "test_accuracy"]
    assert finished.weights_path.read_bytes() == before


def numbers_in(path: Path) -> list[int]:
    """Return the trials that ended, as Optuna reads them."""
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{path}")
    return [trial.number for trial in study.trials if trial.state.is_finished()]


def bomb(content: bytes) -> bytes:
    """Return the archive with its members packed, and one of 200 MB of zeros among them."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as whole,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for member in whole.infolist():
            archive.writestr(member.filename, whole.read(member))
        archive.writestr("archive/data/zeros", bytes(200_000_000))
    return packed.getvalue()


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(bomb(path.read_bytes())),
        link,
        lambda path: (path.unlink(), os.mkfifo(path)),
    ],
    ids=["half", "packed", "link", "pipe"],
)
def test_weights_that_are_not_what_was_written_are_not_opened(
    damage: Callable[[Path], None], finished: RunFolder
) -> None:
    final = finished.final()
    finished.final_path.unlink()
    damage(finished.weights_path)
    # Whoever alters the weights can alter the hash beside them as well.
    if finished.weights_path.is_file() and not finished.weights_path.is_symlink():
        digest = hashlib.sha256(finished.weights_path.read_bytes()).hexdigest()
        owner = json.loads(finished.weights_owner_path.read_text())
        finished.weights_owner_path.write_text(json.dumps(owner | {"sha256": digest}))
    assert best_weights.read_weights(finished.weights_path) is None
    executor = Inline()
    run(finished, executor)
    assert finished.final() == final
    assert executor.calls.count("train") == 1, "the best trial is trained again"
    assert not finished.weights_path.is_symlink()


def test_a_lost_storage_is_written_again_without_training(finished: RunFolder) -> None:
    finished.storage_path.unlink()
    finished.table_path.unlink()
    executor = Inline()
    run(finished, executor)
    assert executor.calls == []
    assert numbers_in(finished.storage_path) == list(range(6))
    assert finished.table_path.exists()


def test_a_lost_environment_is_written_again_without_training(finished: RunFolder) -> None:
    before, known = finished.records_path.read_bytes(), finished.environment()
    finished.environment_path.unlink()
    with pytest.raises(RunFolderError, match=r"has records but no environment\.json.*study resume"):
        finished.known_environment()
    run(finished)
    assert finished.records_path.read_bytes() == before
    assert replace(finished.known_environment(), started=known.started) == known


def test_other_data_are_refused_where_only_the_records_know_the_first(
    finished: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished.environment_path.unlink()
    prepare = worker.prepare
    monkeypatch.setattr(
        worker, "prepare", lambda *given: replace(prepare(*given), fingerprint="another")
    )
    with pytest.raises(RunFolderError, match="The data has changed since the study began"):
        run(finished)
    assert not finished.environment_path.exists()


def test_nothing_is_read_from_the_storage(finished: RunFolder) -> None:
    before = summary(finished)
    finished.storage_path.unlink()
    assert summary(RunFolder.open(finished.path)) == before
    study = optuna.create_study(storage=f"sqlite:///{finished.storage_path}", study_name="other")
    study.ask()
    assert summary(RunFolder.open(finished.path)) == before
    optuna.create_study(storage=f"sqlite:///{finished.storage_path}", study_name="another")
    assert summary(RunFolder.open(finished.path)) == before


@pytest.mark.parametrize("content", [b"", b"no database" * 100])
def test_a_storage_that_is_none_is_replaced_at_the_next_pause(
    content: bytes, finished: RunFolder
) -> None:
    lines = finished.records_path.read_bytes().splitlines(keepends=True)
    finished.records_path.write_bytes(b"".join(lines[:3]))
    finished.storage_path.write_bytes(content)
    run(finished)
    assert numbers_in(finished.storage_path) == list(range(6))


def test_a_storage_that_cannot_be_written_is_said_and_the_study_ends(
    folder: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.storage_path.mkdir()
    run(folder)
    assert len(folder.records()) == 6
    assert folder.final() is not None
    assert "study.db" in caplog.text


class Losing(Inline):
    """Loses the worker of chosen trainings, as a pool reports it."""

    def __init__(self, lost: set[int]) -> None:
        super().__init__()
        self._lost = lost
        self._trainings = 0

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        if function.__name__ == "train":
            self._trainings += 1
            if self._trainings in self._lost:
                future: Future[Any] = Future()
                future.set_exception(WorkerLostError("no answer"))
                return future
        return super().submit(function, *arguments, **named)


def test_a_lost_worker_costs_its_own_segment_alone(finished: RunFolder, another: RunFolder) -> None:
    run(another, Losing({1, 3}))
    numbers = [row["number"] for row in without_times(another)]
    assert numbers == list(range(6))
    assert all(record.outcome is Outcome.COMPLETED for record in another.records())


def test_a_trial_that_always_loses_its_worker_is_recorded_as_failed(folder: RunFolder) -> None:
    run(folder, Losing({1, 3, 5}))
    failed = [record for record in folder.records() if record.outcome is Outcome.FAILED]
    assert len(failed) == 1
    assert failed[0].reason is not None
    assert "worker was lost 3 times" in failed[0].reason
    assert len(folder.records()) == 6
    assert failed[0].number in numbers_in(folder.storage_path)


def test_an_error_inside_a_training_fails_that_trial(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = worker.train

    def train(trial: Any, state: Any, until: Any) -> Any:
        if trial.number == 2:
            raise MemoryError("no room for trial 2")
        return whole(trial, state, until)

    monkeypatch.setattr(worker, "train", train)
    run(folder)
    outcomes = {record.number: record for record in folder.records()}
    assert outcomes[2].outcome is Outcome.FAILED
    assert "MemoryError: no room for trial 2" in (outcomes[2].reason or "")
    assert sum(record.outcome is Outcome.COMPLETED for record in folder.records()) == 5


def test_bad_data_stop_the_study_before_it_starts(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(*_arguments: Any) -> Any:
        raise DataError("gone")

    monkeypatch.setattr(worker, "prepare", prepare)
    with pytest.raises(DataError, match=r"^gone$"):
        run(folder)
    assert not folder.records_path.exists()


def test_other_data_are_refused_on_resume(
    finished: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished.final_path.unlink()
    text = finished.environment_path.read_text()
    known = finished.environment()
    assert known is not None
    finished.environment_path.write_text(text.replace(known.fingerprint, "0" * 64))
    with pytest.raises(RunFolderError, match="The data has changed"):
        run(finished)


def test_a_study_in_which_nothing_completes_ends_in_words(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_arguments: Any) -> Any:
        raise ValueError("always")

    monkeypatch.setattr(worker, "train", train)
    run(folder)
    document = summary(folder)
    assert document["best"] is None
    assert document["test_accuracy"] is None
    assert {trial["outcome"] for trial in document["trials"]} == {"failed"}


def test_the_lock_is_free_again_after_an_error(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(best_weights, "final_figure", after(1, best_weights.final_figure))
    with pytest.raises(Kill), folder.locked():
        run(folder)
    with folder.locked():
        assert folder.lock_path.exists()
    assert not folder.lock_path.exists()


class LosingOthers(Inline):
    """Loses the worker of every task but a training, `times` times each."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._left = {"prepare": times, "test_accuracy": times}

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        if self._left.get(function.__name__, 0) > 0:
            self._left[function.__name__] -= 1
            future: Future[Any] = Future()
            future.set_exception(WorkerLostError("killed"))
            return future
        return super().submit(function, *arguments, **named)


def test_a_worker_lost_beside_the_trainings_is_replaced(
    finished: RunFolder, another: RunFolder
) -> None:
    run(another, LosingOthers(2))
    assert another.final() == finished.final()


def test_workers_lost_again_and_again_end_in_words(folder: RunFolder) -> None:
    with pytest.raises(EngineError, match="3 were lost: killed"):
        run(folder, LosingOthers(3))


def test_device_and_precision_stand_in_the_plan_from_the_first_trial_on(tmp_path: Path) -> None:
    plan = make_tiny_plan()
    open_plan = replace(plan, trials=1, execution=replace(plan.execution, precision="auto"))
    folder = RunFolder.create(tmp_path / "run", open_plan)
    run(folder)
    kept, environment = folder.plan(), folder.environment()
    assert environment is not None
    assert (kept.execution.device, kept.execution.precision) == ("cpu", "fp32")
    assert (environment.device, environment.precision) == ("cpu", "fp32")
    assert replace(kept, execution=open_plan.execution) == open_plan


@pytest.mark.slow
def test_with_a_lag_a_search_is_the_same_with_one_worker_and_with_two(tmp_path: Path) -> None:
    """Real processes, in which whoever is faster differs from run to run; one is interrupted."""
    rows = []
    for place, workers in enumerate((1, 2, 2)):
        plan = make_tiny_plan()
        plan = replace(
            plan,
            trials=9,
            sampler=TpeSampler(startup_trials=2, lag=2),
            execution=replace(plan.execution, workers=workers),
        )
        folder = RunFolder.create(tmp_path / f"run {place}", plan)
        if place == 2:
            run_and_stop(folder, records=4)
        run_search(folder, "actlab study run", Silent())
        rows.append(without_times(folder))
    assert len(rows[0]) == 9
    assert rows[0] == rows[1] == rows[2]


class Stopping(Silent):
    """An observer that is interrupted after so many records."""

    def __init__(self, records: int) -> None:
        super().__init__()
        self._records = records

    def on_records(self, records: tuple[Record, ...], planned: int) -> None:
        super().on_records(records, planned)
        if len(records) >= self._records:
            raise KeyboardInterrupt


def run_and_stop(folder: RunFolder, records: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_search(folder, "actlab study run", Stopping(records))
