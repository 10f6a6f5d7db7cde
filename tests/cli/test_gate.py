"""`actlab gate` with real commands: scores, failures, time-outs, a ledger that survives a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .invoke import actlab

SCRIPT = """
import json, random, sys, time
seed, lift, how = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
if how == "hang": time.sleep(60)
if how == "crash": sys.exit("no luck")
if how == "slow": time.sleep(0.4)
open("runs.txt", "a").write(f"{seed} {lift}\\n")
score = random.Random(seed).gauss(0.9, 0.02) + lift + random.Random(f"{seed}{lift}").gauss(0, 0.002)
print("epoch 1 score=0.1")
print("score=nan" if how == "nan" else f"score={score}") if how in ("text", "nan") else print(
    json.dumps({"score": score, "seconds": 1}), "after the score", sep="\\n")
"""


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "train.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(lift: float, how: str = "fine") -> str:
    return f"{sys.executable} train.py {{seed}} {lift} {how}"


def test_better_is_0_and_not_better_1(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    up = actlab(capsys, "gate", "--base", command(0), "--candidate", command(0.05), "--json")
    assert up.code == 0, up.err
    found = json.loads(up.out)
    keys = {"decision", "pairs", "difference", "low", "high", "failures", "tried"}
    assert keys <= set(found)
    assert (found["decision"], found["pairs"], found["tried"]) == ("better", 3, 1)
    assert found["low"] > 0
    down = actlab(capsys, "gate", "--base", command(0.05), "--candidate", command(0))
    assert down.code == 1
    assert "Worse: the candidate is behind" in down.out
    assert sorted(path.name for path in there.iterdir()) == ["runs.txt", "train.py"]


def test_scores_by_regex_and_a_comment(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = actlab(
        capsys, "gate", "--base", command(0.05, "text"), "--candidate", command(0, "text"),
        "--score-regex", r"score=(\S+)", "--lower-is-better", "--format", "github", "--workers", 2,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert result.out.startswith("### Gate: better\n\nBetter: the candidate is ahead")


@pytest.mark.parametrize("how", ["crash", "nan", "hang"])
def test_a_candidate_that_fails_is_worse(
    there: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = actlab(
        capsys, "gate", "--base", command(0, "text"), "--candidate", command(0, how),
        "--score-regex", r"score=(\S+)", "--timeout", 3, "--workers", 3, "--json",
    )  # fmt: skip
    assert result.code == 1
    found = json.loads(result.out)
    assert (found["decision"], found["reason"]) == ("worse", "unreliable")
    assert found["failures"] == {"base": 0, "candidate": 3}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--base", "true", "--candidate", "true {seed}"), "must have {seed} in it"),
        (("--base", "no-such-program {seed}", "--candidate", "true {seed}"), "cannot be run"),
        (("--base", "echo {seed}", "--candidate", "echo {seed}"), "printed no score"),
        (("--base", "echo '{seed}", "--candidate", "echo {seed}"), "split into words"),
        (("--base", "a {seed}", "--candidate", "a {seed}", "--max-seeds", 1), "must be 2 or more"),
        (("--base", "a {seed}", "--candidate", "a {seed}", "--score-regex", "("), "regular"),
        (("--base", "a {seed}", "--candidate", "a {seed}", "--format", "pdf"), "pdf"),
    ],
)
def test_wrong_use_is_2(
    there: Path, arguments: tuple[object, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = actlab(capsys, "gate", *arguments)
    assert result.code == 2
    assert said in result.err


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
    (there / "ledger.jsonl").write_text('{"seed": 1}\nnonsense\n')
    result = actlab(
        capsys, "gate", "--base", command(0), "--candidate", command(1), "--ledger", "ledger.jsonl"
    )
    assert result.code == 2
    assert "Line 2 of the ledger" in result.err


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
    runs = [("command" in line, line["seed"]) for line in lines if "seed" in line]
    assert len(runs) == len(set(runs)) == 6, "what was kept is not run again"
