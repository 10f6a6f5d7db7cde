"""`kill -9` of real processes at random moments: no record is lost, changed or doubled."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "actlab", "study"]


def start(folder: Path, trials: int) -> "subprocess.Popen[bytes]":
    if (folder / "plan.toml").exists():
        arguments = ["resume", str(folder)]
    else:
        arguments = [
            "run",
            "digits",
            "--search-only",
            "--trials",
            str(trials),
            "--out",
            str(folder),
        ]
    return subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def lines(folder: Path) -> list[bytes]:
    path = folder / "records.jsonl"
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def kill_at_random(folder: Path, trials: int, kills: int, seed: int) -> int:
    """Kill `kills` times, checking after each; return how often a running study was hit."""
    generator = random.Random(seed)
    kept: list[bytes] = []
    hits = 0
    for _kill in range(kills):
        process = start(folder, trials)
        time.sleep(generator.uniform(0.2, 6.0))
        hits += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        now = lines(folder)
        assert now[: len(kept)] == kept, "a record was lost or changed by a kill"
        kept = now
    return hits


def check_the_end(folder: Path, trials: int) -> None:
    kept = lines(folder)
    assert start(folder, trials).wait(timeout=200) == 0
    end = lines(folder)
    assert end[: len(kept)] == kept
    numbers = sorted(json.loads(line)["number"] for line in end)
    assert numbers == list(range(trials))
    shown = subprocess.run(
        [*COMMAND, "show", str(folder), "--json"], capture_output=True, check=True, text=True
    )
    document = json.loads(shown.stdout)
    assert [trial["number"] for trial in document["trials"]] == list(range(trials))
    assert document["test_accuracy"] is not None
    assert start(folder, trials).wait(timeout=60) == 0, "a finished study resumes to exit code 0"
    assert lines(folder) == end


@pytest.mark.slow
def test_a_killed_study_resumes_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert kill_at_random(folder, trials=10, kills=2, seed=1) >= 1
    check_the_end(folder, trials=10)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_kills_lose_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    hits = kill_at_random(folder, trials=150, kills=20, seed=2)
    assert hits == 20, "every kill must hit a running study"
    check_the_end(folder, trials=150)


@pytest.mark.slow
def test_an_interrupt_keeps_everything_and_says_how_to_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [*COMMAND, "run", "digits", "--search-only", "--trials", "40", "--out", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 90
    while len(lines(folder)) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"actlab study resume {folder}" in errors
    assert "Traceback" not in errors
    assert len(lines(folder)) >= 2
