"""The ledger of `actlab gate`: candidates, runs that are used again, kills, damage."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .gate_commands import command, there
from .invoke import actlab

__all__ = ["there"]


def base_runs(folder: Path) -> int:
    runs = (folder / "runs.txt").read_text().splitlines()
    return sum(line.endswith(" 0.0") for line in runs)


def gate(
    capsys: pytest.CaptureFixture[str], *arguments: object, lift: float = 5.0
) -> dict[str, object]:
    result = actlab(
        capsys, "gate", "--base", command(0, "text"), "--candidate", command(lift, "text"),
        "--score-regex", r"score=(\S+)", "--ledger", "ledger.jsonl", "--json", *arguments,
    )  # fmt: skip
    assert result.code == 0, result.err
    found: dict[str, object] = json.loads(result.out)
    return found


def test_a_ledger_counts_candidates_and_keeps_the_baseline(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, lift in enumerate((0.05, 0.06), start=1):
        result = actlab(
            capsys, "gate", "--base", command(0), "--candidate", command(lift),
            "--ledger", "ledger.jsonl", "--json",
        )  # fmt: skip
        found = json.loads(result.out)
        assert (found["tried"], found["decision"]) == (number, "better")
        assert found["alpha"] == pytest.approx(0.05 / 2.6124 * number**-1.5, rel=1e-3)
    runs = (there / "runs.txt").read_text().splitlines()
    assert sum(line.endswith(" 0.0") for line in runs) == len({r for r in runs if r[-4:] == " 0.0"})


@pytest.mark.slow
def test_a_gate_goes_on_after_a_kill(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "gate", "--base", command(0, "slow"), "--candidate", command(0.05, "slow"),
        "--ledger", "ledger.jsonl", "--json",
    ]  # fmt: skip
    running = subprocess.Popen(
        [sys.executable, "-m", "actlab", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "ACTLAB_LANG": "en"},
    )
    ledger = there / "ledger.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if ledger.exists() and ledger.read_text().count('"seed"') >= 2:
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    with ledger.open("a") as file:
        file.write('{"number": 1, "se')  # a line that the kill cut short
    result = actlab(capsys, *arguments)
    assert result.code == 0, result.err
    assert json.loads(result.out)["tried"] == 1
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    runs = [("run_of" in line, line["seed"]) for line in lines if "seed" in line]
    assert len(runs) == len(set(runs)) == 6, "what was kept is not run again"


def test_baseline_runs_answer_for_the_same_program_and_reading_only(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gate(capsys)
    assert base_runs(there) == 3
    assert gate(capsys, lift=6.0)["tried"] == 2
    assert base_runs(there) == 3
    gate(capsys, "--score-regex", r"score=([\d.]+)")
    assert base_runs(there) == 6, "another way to read the score"
    (there / "train.py").write_text((there / "train.py").read_text() + "# changed\n")
    gate(capsys)
    assert base_runs(there) == 9, "another program"


def test_a_run_that_was_ended_is_run_again_with_more_time(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once = "import pathlib, time; p = pathlib.Path('was'); (p.exists() or (p.touch(), "
    (there / "once.py").write_text(once + "time.sleep(60))); print('{\"score\": 0.1}')\n")
    arguments = (
        "gate", "--base", command(0), "--candidate", f"{sys.executable} once.py {{seed}}",
        "--ledger", "ledger.jsonl", "--max-seeds", 2, "--json", "--lower-is-better",
    )  # fmt: skip
    first = json.loads(actlab(capsys, *arguments, "--timeout", 1).out)
    assert first["failures"]["candidate"] == 1
    ledger = there / "ledger.jsonl"
    lines = ledger.read_text().splitlines()[:-1]  # as if it had been killed before it decided
    ledger.write_text("".join(f"{line}\n" for line in lines))
    again = json.loads(actlab(capsys, *arguments, "--timeout", 30).out)
    assert (again["tried"], again["failures"]["candidate"]) == (1, 0)


@pytest.mark.parametrize(
    "content",
    [
        b'{"decision": "better", "number": 1}\nnonsense\n',
        b'{"seed": 1}\n',
        b'{"number": "x", "candidate": 1}\n',
        b"\xff\xfe\x00\n",
        b"just one line of a text that is somebody's",
        b"[1, 2]\n",
        b"[" * 100_000 + b"\n",
        b'{"base": 1, "candidate": {}, "seed": 0, "score": 0.5}\n',
        b'{"number": -1, "candidate": {}}\n',
        b'{"number": 1%s, "candidate": {}}\n' % (b"0" * 400),
        b'{"number": 1, "seed": 0, "score": 1%s}\n' % (b"0" * 400),
        b'{"number": 1, "seed": 0, "score": NaN}\n',
        b'{"number": 1, "seed": 0, "score": 0.5, "timed_out": "x"}\n',
        b'{"seed": 0, "score": 0.5}\n',
    ],
    ids=range(14),
)
def test_what_is_no_ledger_is_left_as_it_is(
    there: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (there / "ledger.jsonl").write_bytes(content)
    result = actlab(
        capsys, "gate", "--base", command(0), "--candidate", command(1), "--ledger", "ledger.jsonl"
    )
    assert result.code == 2
    assert "of the ledger" in result.err
    assert (there / "ledger.jsonl").read_bytes() == content
