"""The entry point: start-up without torch, exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from actlab.cli import main
from tests.cli.invoke import actlab


def imported_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return set(shown.stdout.split())


@pytest.mark.parametrize("statement", ["import actlab", "import actlab.cli.main"])
def test_start_up_is_light(statement: str) -> None:
    modules = imported_by(statement)
    assert "actlab" in modules
    assert not modules & {"torch", "optuna", "plotly", "scipy", "sklearn", "pydantic", "matplotlib"}


def test_a_plan_is_refused_without_loading_torch() -> None:
    statement = "from actlab.cli.main import run; run(['study', 'run', 'digits', '--trials', '0'])"
    assert "torch" not in imported_by(statement)


def test_an_interrupt_exits_with_130(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("actlab.cli.diagnosis.diagnose", interrupt)
    assert actlab(capsys, "doctor").code == 130


def test_too_little_memory_is_no_fault_of_our_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr("actlab.cli.diagnosis.diagnose", exhausted)
    result = actlab(capsys, "doctor")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "not enough memory" in result.err


def test_a_fault_of_our_own_shows_its_traceback_and_exits_with_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_arguments: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("actlab.cli.diagnosis.diagnose", fault)
    result = actlab(capsys, "doctor")
    assert result.code == 3
    assert "ZeroDivisionError: ours" in result.err
    assert "fault of actlab itself" in result.err


def test_every_command_is_registered_and_helps(capsys: pytest.CaptureFixture[str]) -> None:
    shown = actlab(capsys, "--help")
    assert shown.code == 0
    for command in ("study", "report", "doctor"):
        assert command in shown.out
        assert actlab(capsys, command, "--help").code == 0
    assert main.app.info.name == "actlab"


def test_an_error_does_not_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = actlab(capsys, "verdict", str(tmp_path / "\x1b[2J\x07.csv"))
    assert result.code == 2
    assert "\x1b" not in result.err
    assert "\x07" not in result.err
