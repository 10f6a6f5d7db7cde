"""Being asked to end: in order the first time, not again while that is under way, at once later."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from actlab import __main__ as entry
from actlab.cli import interrupts
from actlab.cli.interrupts import going_on_later, stop_on_signals
from actlab.studies.run_folder import RunFolder
from tests.studies.conftest import make_tiny_plan


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_time_it_is_an_interrupt_and_then_nothing(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    stop_on_signals()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)
    assert codes == [], "what was done is being kept"
    monkeypatch.setattr(interrupts, "PATIENCE_SECONDS", 0.0)
    os.kill(os.getpid(), number)
    assert codes == [130], "whoever asks again later means it"


def test_a_hangup_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop_on_signals()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


@pytest.mark.parametrize(("command", "sets"), [("study", True), ("functions", False)])
def test_signals_count_before_anything_is_imported(
    command: str, sets: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["actlab", command, "--help"])
    monkeypatch.setattr(interrupts, "stop_on_signals", interrupted)
    with pytest.raises(SystemExit) as end:
        entry.main()
    assert end.value.code == (130 if sets else 0)


MEANWHILE = """
from actlab.cli.interrupts import stop_on_signals
stop_on_signals()
try:
    exec("import os, signal; os.kill(os.getpid(), signal.SIGHUP)")
except KeyboardInterrupt:
    print("kept")
"""


def test_a_request_within_exec_of_a_text_is_a_request_like_any_other() -> None:
    """So dataclasses are made, while modules are imported; Python would end by SIGINT for it."""
    ended = subprocess.run([sys.executable, "-c", MEANWHILE], stdout=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stdout) == (0, b"kept\n")


AT_THE_END = """
import os, signal, sys
from actlab.cli.interrupts import stop_on_signals

class Last:
    def __del__(self, kill=os.kill, number=signal.SIGINT, process=os.getpid()):
        kill(process, number)

stop_on_signals()
last = Last()
sys.exit(130)
"""


def test_asking_again_while_python_ends_leaves_the_exit_code() -> None:
    """Python then has given the signals back their defaults, unless they are ignored."""
    ended = subprocess.run([sys.executable, "-c", AT_THE_END], check=False)
    assert ended.returncode == 130


def test_how_to_go_on_is_said_as_soon_as_there_is_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt), going_on_later(path):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "", "nothing has begun"
    with pytest.raises(KeyboardInterrupt), going_on_later(path):
        RunFolder.create(path, make_tiny_plan())
        raise KeyboardInterrupt
    said = capsys.readouterr().err
    assert "Interrupted: 0 of" in said
    assert f"actlab study resume {path}" in said
