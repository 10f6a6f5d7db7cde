"""A study in a shared database: what Optuna reads there, and what is refused."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from sqlalchemy.pool import NullPool

from actlab.errors import ActlabError
from actlab.records import Environment, NetworkSummary, Plan
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import run_search
from actlab.studies.search.shared_storage import SharedStorage
from tests.cli.invoke import actlab
from tests.studies.inline import Inline, Silent
from tests.studies.test_run_folder import record

ENVIRONMENT = Environment(
    versions={},
    machine={},
    fingerprint="f",
    class_counts={},
    network=NetworkSummary((), 0, 0, 1),
    precision="fp32",
    device="cpu",
    command="actlab study run digits",
    started="2026-01-01T00:00:00+00:00",
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'shared.db'}"


class PostgreSQL:
    """A server of the tests' own, which nobody else sees."""

    def __init__(self, pg_ctl: Path, folder: Path) -> None:
        self._pg_ctl, self._folder = pg_ctl, folder
        self._user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
        if self._user is not None:
            shutil.chown(folder, self._user, self._user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"postgresql://me:secret@127.0.0.1:{self._port}/postgres"
        self._run("initdb", "-o", "--auth=trust --username=me --no-sync")

    def start(self) -> None:
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1"
        self._run("start", "-w", "-l", str(self._folder / "log"), "-o", options)

    def stop(self) -> None:
        self._run("stop", "-m", "immediate")

    def _run(self, *command: str) -> None:
        with (self._folder / "said").open("ab") as said:
            subprocess.run(
                [str(self._pg_ctl), *command, "-D", str(self._folder / "data")],
                check=True, user=self._user, cwd=self._folder, stdout=said, stderr=said,
                timeout=120,
            )  # fmt: skip


@pytest.fixture
def postgresql() -> Iterator[PostgreSQL]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not found:
        pytest.skip("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory() as made:
        server = PostgreSQL(found[-1], Path(made))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def loaded(url: str, name: str) -> optuna.Study:
    address = url.replace("postgresql:", "postgresql+psycopg:")
    storage = optuna.storages.RDBStorage(address, engine_kwargs={"poolclass": NullPool})
    return optuna.load_study(study_name=name, storage=storage)


def test_only_what_is_not_there_is_added_and_no_number_is_left_out(
    url: str, tiny_plan: Plan
) -> None:
    storage = SharedStorage(url)
    storage.check(tiny_plan, None)
    storage.write(tiny_plan, ENVIRONMENT, [record(0), record(2, 0.5)])
    assert [trial.value for trial in loaded(url, tiny_plan.name).trials] == [0.9]
    storage.write(tiny_plan, ENVIRONMENT, [record(0), record(2, 0.5), record(1, None)])
    study = loaded(url, tiny_plan.name)
    assert [(t.number, t.state.name, t.value) for t in study.trials] == [
        (0, "COMPLETE", 0.9), (1, "FAIL", None), (2, "COMPLETE", 0.5),
    ]  # fmt: skip
    assert {**study.trials[0].params, "slots": ()} == vars(record(0).setting)
    assert study.trials[1].user_attrs["outcome"] == "diverged"


def test_a_study_of_somebody_else_is_left_alone(url: str, tiny_plan: Plan) -> None:
    optuna.create_study(study_name=tiny_plan.name, storage=url, direction="maximize")
    storage = SharedStorage(url)
    for environment in (None, ENVIRONMENT):
        with pytest.raises(ActlabError, match="has another study of the name"):
            storage.check(tiny_plan, environment)
    assert loaded(url, tiny_plan.name).trials == []


def test_the_same_plan_in_another_folder_is_another_study(url: str, tiny_plan: Plan) -> None:
    storage = SharedStorage(url)
    storage.write(tiny_plan, ENVIRONMENT, [record(0)])
    storage.check(tiny_plan, ENVIRONMENT)
    with pytest.raises(ActlabError, match="Give the plan another name"):
        storage.check(tiny_plan, replace(ENVIRONMENT, started="later"))


def test_a_search_writes_it_and_goes_on_without_it(
    url: str, folder: RunFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = SharedStorage(url)
    run_search(folder, "", Silent(), lambda *_sizes: Inline(), storage)
    values = [one.valid_accuracy for one in folder.records()]
    assert [trial.value for trial in loaded(url, folder.plan().name).trials] == values
    (tmp_path / "shared.db").write_bytes(b"gone")
    with pytest.raises(ActlabError, match="cannot be used"):
        SharedStorage(url)
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://me:secret@127.0.0.1:9/db", "cannot be used"),
        ("oracle://host/db", "cannot be used|is needed here"),
        ("sqlite:////no/such/folder/x.db", "cannot be used"),
        ("postgresql://host:port/db", "is no address of a storage"),
    ],
)
def test_what_cannot_be_opened_is_said_before_anything_begins(
    address: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ActlabError, match=told) as error:
        SharedStorage(address)
    assert "secret" not in str(error.value)
    out = tmp_path / "run"
    result = actlab(capsys, "study", "run", "digits", "--out", str(out), "--storage", address)
    assert result.code == 2
    assert not out.exists()


@pytest.mark.slow
def test_a_real_postgresql(postgresql: PostgreSQL, folder: RunFolder) -> None:
    run_search(folder, "", Silent(), lambda *_sizes: Inline(), SharedStorage(postgresql.url))
    values = [one.valid_accuracy for one in folder.records()]
    study = loaded(postgresql.url, folder.plan().name)
    assert [trial.value for trial in study.trials] == values
    assert study.best_value == max(value for value in values if value is not None)
    run_search(folder, "", Silent(), lambda *_sizes: Inline(), SharedStorage(postgresql.url))
    assert len(loaded(postgresql.url, folder.plan().name).trials) == len(values)


class _Harmful(Silent):
    """Does harm once there are three records."""

    def __init__(self, harm: Callable[[], None]) -> None:
        super().__init__()
        self._harm, self.done_at = harm, 0

    def on_records(self, records: tuple[Any, ...], planned: int) -> None:
        super().on_records(records, planned)
        if len(records) >= 3 and not self.done_at:
            self.done_at = len(records)
            self._harm()


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
def test_a_server_that_goes_and_what_it_says_decide_nothing(
    postgresql: PostgreSQL, folder: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    storage, name = SharedStorage(postgresql.url), folder.plan().name
    observer = _Harmful(interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_search(folder, "", observer, lambda *_sizes: Inline(), storage)
    there = observer.done_at
    assert len(loaded(postgresql.url, name).trials) == there < folder.plan().trials
    postgresql.stop()
    with pytest.raises(ActlabError, match="cannot be used") as refused:
        SharedStorage(postgresql.url)
    assert "secret" not in str(refused.value)
    run_search(folder, "", Silent(), lambda *_sizes: Inline())
    values = [one.valid_accuracy for one in folder.records()]
    assert len(values) == folder.plan().trials
    postgresql.start()
    loaded(postgresql.url, name).add_trial(
        optuna.trial.create_trial(value=0.999, params={}, distributions={})
    )
    run_search(folder, "", Silent(), lambda *_sizes: Inline(), SharedStorage(postgresql.url))
    assert [one.valid_accuracy for one in folder.records()] == values
    found = [trial.value for trial in loaded(postgresql.url, name).trials]
    assert found == [*values[:there], 0.999, *values[there + 1 :]]
    assert caplog.text == ""


@pytest.mark.slow
def test_a_server_that_goes_during_a_search_is_said_and_made_up_for_later(
    postgresql: PostgreSQL, folder: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    storage, name = SharedStorage(postgresql.url), folder.plan().name
    run_search(folder, "", _Harmful(postgresql.stop), lambda *_sizes: Inline(), storage)
    values = [one.valid_accuracy for one in folder.records()]
    assert len(values) == folder.plan().trials
    assert "The records are kept, but a copy of them cannot be written" in caplog.text
    postgresql.start()
    run_search(folder, "", Silent(), lambda *_sizes: Inline(), SharedStorage(postgresql.url))
    assert [trial.value for trial in loaded(postgresql.url, name).trials] == values
