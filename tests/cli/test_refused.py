"""A command that is refused changes nothing: the folder before and after, byte by byte."""

import contextlib
import hashlib
import importlib
import os
import pkgutil
import shutil
import tempfile
from pathlib import Path

import pytest

from actlab import case_study, studies
from actlab.cli.main import run
from actlab.studies.run_folder import RunFolder
from tests.cli.confirmed import confirmed
from tests.cli.invoke import actlab

NOBODY = 65534
SCORES = {"relu": [0.97, 0.96, 0.97], "tanh": [0.95, 0.96, 0.95]}


def digest(folder: Path) -> str:
    """Return the hash of every name and content below a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(str(path.relative_to(folder)).encode())
        found.update(path.read_bytes() if path.is_file() else b"")
    return found.hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return confirmed(tmp_path / "study", SCORES)


WHILE_RUNNING = [
    ["study", "resume", "{}"],
    ["study", "resume", "{}", "--json"],
    ["study", "confirm", "{}", "--seeds", "2"],
    ["study", "confirm", "{}", "--seeds", "20", "--json"],
    ["study", "run", "digits", "--out", "{}"],
    ["tasks", "run", "binary", "--data", "digits", "--out", "{}"],
]
WRONG = [
    ["study", "confirm", "{}", "--seeds", "1"],
    ["study", "confirm", "{}", "--lang", "xx"],
    ["study", "resume", "{}", "--lang", "xx"],
    ["study", "show", "{}", "--trial", "99"],
    ["study", "compare", "{}"],
    ["study", "run", "digits", "--out", "{}"],
    ["study", "run", "{}/plan.toml", "--out", "{}"],
    ["tasks", "run", "binary", "--data", "digits", "--out", "{}"],
    ["report", "{}", "--lang", "xx"],
    ["report", "{}", "-o", "/no/such/folder/page.html"],
    ["study", "resume", "{}", "--executor", "nonsense"],
    ["study", "resume", "{}", "--storage", "nonsense://"],
    ["study", "resume", "{}", "--network", "nonsense"],
    ["study", "confirm", "{}", "--executor", "nonsense"],
    ["study", "confirm", "{}", "--seeds", "x"],
    ["study", "confirm", "{}", "--dry-run", "--seeds", "0"],
    ["study", "show", "{}", "--trial", "x"],
    ["study", "compare", "{}", "/no/such/folder"],
    ["study", "verify", "{}", "--trial", "99"],
    ["study", "verify", "{}", "--trials", "0"],
    ["study", "export", "{}", "--network", "nonsense"],
    ["verdict", "{}", "--margin", "x"],
    ["verdict", "{}", "-o", "/no/such/folder/page.html"],
    ["verdict", "{}", "--baseline", "nonsense"],
    ["serve", "{}", "--port", "x"],
    ["gate", "--base", "a", "--candidate", "b", "--ledger", "{}/records.jsonl"],
    ["gate", "--base", "a {{seed}}", "--candidate", "b {{seed}}", "--ledger", "{}/records.jsonl"],
]


@pytest.mark.parametrize("command", WHILE_RUNNING, ids=" ".join)
def test_a_second_process_is_told_whose_the_folder_is(
    command: list[str], folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    with RunFolder(folder.path).locked():
        before = digest(folder.path)
        result = actlab(capsys, *(part.format(folder.path) for part in command))
        assert digest(folder.path) == before
    assert result.code == 2, result.err
    assert "process" in result.err or "holds" in result.err
    assert result.out == ""


@pytest.mark.parametrize("command", WRONG, ids=" ".join)
def test_a_wrong_command_changes_nothing(
    command: list[str], folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digest(folder.path)
    result = actlab(capsys, *(part.format(folder.path) for part in command))
    assert result.code == 2, result.err
    assert digest(folder.path) == before


def test_a_reader_needs_no_more_than_the_records(
    folder: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = actlab(capsys, "study", "show", str(folder.path), "--json").out
    with RunFolder(folder.path).locked():
        before = digest(folder.path)
        assert actlab(capsys, "study", "show", str(folder.path), "--json").out == shown
        page = tmp_path / "page.html"
        assert actlab(capsys, "report", str(folder.path), "-o", str(page)).code == 0
        assert digest(folder.path) == before
    assert page.exists()


def test_a_read_only_folder_can_be_shown_and_drawn(
    folder: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same with a medium that nothing can be written to: nothing is even tried."""
    other = Path(shutil.copytree(folder.path, tmp_path / "other"))
    for path in (other, *other.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = digest(other)
    for command in (
        ["study", "show", str(other)],
        ["study", "show", str(other), "--trial", "0"],
        ["study", "compare", str(other), str(folder.path)],
        ["report", str(other), "-o", str(tmp_path / "page.html")],
    ):
        result = actlab(capsys, *command)
        assert result.code == 0, result.err
    assert digest(other) == before
    other.chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_of_somebody_else_is_read_and_not_written(folder: RunFolder) -> None:
    """As a user with no right to write: root, as whom tests may run, can write anything."""
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are for its user alone
        place = Path(made)
        place.chmod(0o755)
        shutil.copytree(folder.path, place / "study")
        page = place / "page" / "page.html"
        page.parent.mkdir()
        os.chown(page.parent, NOBODY, NOBODY)
        check_as_nobody(RunFolder(place / "study"), page)


def check_as_nobody(folder: RunFolder, page: Path) -> None:
    before = digest(folder.path)
    read = [
        ["study", "show", str(folder.path)],
        ["study", "compare", str(folder.path), str(folder.path)],
        ["report", str(folder.path), "-o", str(page)],
    ]
    write = [
        ["study", "resume", str(folder.path)],
        ["study", "confirm", str(folder.path), "--seeds", "20"],
        ["report", str(folder.path)],
    ]
    load_everything(read)
    assert [as_nobody(command) for command in read] == [(0, "")] * 3
    for command in write:
        code, said = as_nobody(command)
        assert code == 2, said
        assert "cannot be written: it is not permitted" in said
    assert page.exists()
    assert digest(folder.path) == before


def load_everything(commands: list[list[str]]) -> None:
    """Import what commands import: Python's own files may be root's alone."""
    for package in (studies, case_study):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for command in commands:
        assert run(command) == 0


def as_nobody(command: list[str]) -> tuple[int, str]:
    """Return exit code and standard error of a command that another user gives."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 9
        with contextlib.suppress(BaseException):
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            with (
                os.fdopen(writing, "w") as said,
                Path(os.devnull).open("w") as nowhere,
                contextlib.redirect_stderr(said),
                contextlib.redirect_stdout(nowhere),
            ):
                code = run(command)
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as stream:
        said = stream.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said
