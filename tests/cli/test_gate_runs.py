"""Runs of a gate: what they printed, their time limit, and whatever they started."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from actlab.cli.gate_runs import score_in

from .gate_commands import command, there
from .invoke import actlab

__all__ = ["there"]

STARTS = """
import json, subprocess, sys, time
how = sys.argv[2]
child = subprocess.Popen(
    [sys.executable, "-c",
     "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"],
    start_new_session=how == "session",
)
open("children.txt", "a").write(f"{child.pid}\\n")
print(json.dumps({"score": int(sys.argv[1])}), flush=True)
if how != "leaves":
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("output", "score"),
    [
        ('{"score": 0.1}\n{"score": 0.2}\nthe end', 0.2),
        ('{"score": 0.1}\n{"loss": 0.2}\n[1]\n7', 0.1),
        ('{"score": "0.5"}', 0.5),
        ('  {"score": 1e-3}  ', 0.001),
        ('log {"score": 1}', None),
        ("", None),
    ],
)
def test_the_score_is_in_the_last_line_that_is_an_object_with_one(
    output: str, score: float | None
) -> None:
    assert score_in(output, None) == score


@pytest.mark.parametrize("value", ["true", "null", "[1]", '"high"', "NaN", "{}"])
def test_what_is_no_number_is_no_score(value: str) -> None:
    found = score_in(f'{{"score": 1}}\n{{"score": {value}}}', None)
    assert found is not None
    assert found != found


def is_alive(process: int) -> bool:
    with suppress(OSError):
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


def ended(folder: Path) -> bool:
    children = [int(line) for line in (folder / "children.txt").read_text().split()]
    deadline = time.monotonic() + 10
    while any(map(is_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(is_alive, children))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
@pytest.mark.parametrize("how", ["group", "session"])
def test_a_time_limit_ends_all_that_a_run_started(
    there: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (there / "starts.py").write_text(STARTS)
    start = time.monotonic()
    result = actlab(
        capsys, "gate", "--base", command(0),
        "--candidate", f"{sys.executable} starts.py {{seed}} {how}",
        "--timeout", 2, "--workers", 3, "--max-seeds", 3,
    )  # fmt: skip
    assert result.code == 1
    assert "took longer than 2.0 s" in result.err
    assert time.monotonic() - start < 45, "it did not wait for the children"
    assert ended(there)


def test_what_a_run_leaves_behind_neither_delays_nor_outlives_it(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (there / "starts.py").write_text(STARTS)
    result = actlab(
        capsys, "gate", "--base", f"{sys.executable} starts.py {{seed}} leaves",
        "--candidate", command(0), "--max-seeds", 3, "--timeout", 30,
    )  # fmt: skip
    assert result.code == 1
    assert "failed" not in result.err
    assert "seed 2, base: 2" in result.err
    assert ended(there)


def test_a_request_to_end_ends_the_runs(there: Path) -> None:
    (there / "starts.py").write_text(STARTS)
    hangs = f"{sys.executable} starts.py {{seed}} group"
    running = subprocess.Popen(
        [sys.executable, "-m", "actlab", "gate", "--base", hangs, "--candidate", hangs],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "ACTLAB_LANG": "en"},
    )
    deadline = time.monotonic() + 60
    while not (there / "children.txt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 130
    assert ended(there)
