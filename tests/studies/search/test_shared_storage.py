"""A study in a shared database: what Optuna reads there, and what is refused."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

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


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """A server of the tests' own, which nobody else sees."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not found:
        pytest.skip("PostgreSQL is not installed")
    pg_ctl = str(found[-1])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if user is not None:
            shutil.chown(folder, user, user)

        def run(*command: str) -> None:
            with (folder / "said").open("ab") as said:
                subprocess.run(
                    [pg_ctl, *command, "-D", str(folder / "data")],
                    check=True, user=user, cwd=folder, stdout=said, stderr=said, timeout=120,
                )  # fmt: skip

        run("initdb", "-o", "--auth=trust --username=me --no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        run("start", "-w", "-l", str(folder / "log"), "-o", options)
        try:
            yield f"postgresql://me:secret@127.0.0.1:{port}/postgres"
        finally:
            run("stop", "-m", "immediate")


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
    values = [found.valid_accuracy for found in folder.records()]
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
def test_a_real_postgresql(postgresql: str, folder: RunFolder) -> None:
    storage = SharedStorage(postgresql)
    run_search(folder, "", Silent(), lambda *_sizes: Inline(), storage)
    values = [found.valid_accuracy for found in folder.records()]
    study = loaded(postgresql, folder.plan().name)
    assert [trial.value for trial in study.trials] == values
    assert study.best_value == max(value for value in values if value is not None)
    run_search(folder, "", Silent(), lambda *_sizes: Inline(), SharedStorage(postgresql))
    assert len(loaded(postgresql, folder.plan().name).trials) == len(values)
