"""`actlab gate` with real commands: decisions, words, failures, wrong use."""

import json
from pathlib import Path

import pytest

from .gate_commands import command, there
from .invoke import actlab

__all__ = ["there"]


def test_better_is_0_and_not_better_1(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    up = actlab(capsys, "gate", "--base", command(0), "--candidate", command(0.05), "--json")
    assert up.code == 0, up.err
    found = json.loads(up.out)
    keys = {"decision", "pairs", "difference", "low", "high", "failures", "tried"}
    assert keys <= set(found)
    assert (found["decision"], found["pairs"], found["tried"]) == ("better", 3, 1)
    assert found["low"] > 0
    assert found["notices"] == []
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


def test_sentences_use_the_words_of_a_verdict(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = ("gate", "--base", command(0), "--candidate", command(0.0001), "--max-seeds", 5)
    result = actlab(capsys, *same, "--margin", 1, "--format", "github")
    assert result.code == 1
    assert result.out.startswith("### Gate: equivalent\n\nEquivalent: the difference is smaller")
    assert json.loads(actlab(capsys, *same, "--margin", 1, "--json").out)["decision"] == "tied"
    result = actlab(capsys, *same, "--format", "markdown")
    assert result.out.startswith("Inconclusive: 5 pairs neither separate the two nor show")


def test_a_command_that_does_not_use_its_seed_is_noticed(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    constant = 'echo {\\"score\\": 0.5} {seed}'
    result = actlab(
        capsys, "gate", "--base", constant, "--candidate", command(0.5, "text"),
        "--score-regex", r"score\W+([\d.]+)",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "does its command use the seed?" in result.out


def test_no_shell_reads_the_commands(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = " $(touch pwned) `touch pwned` ; touch pwned | cat > pwned && touch pwned {0} %s"
    result = actlab(
        capsys, "gate", "--base", command(0), "--candidate", command(0.05) + hostile, "--json"
    )
    assert result.code == 0, result.err
    assert not (there / "pwned").exists()


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
        (("--base", "a {seed}", "--candidate", "a {seed}", "--workers", 0), "must be 1 or more"),
        (("--base", "a {seed}", "--candidate", "a {seed}", "--timeout", 0), "above 0 seconds"),
        (("--base", "a {seed}", "--candidate", "a {seed}", "--margin", "nan"), "must be 0 or more"),
        (("--base", "A=1 a {seed}", "--candidate", "a {seed}"), "write env A=1"),
        (("--base", "a {seed}", "--candidate", "a {seed}", "--ledger", "."), "Is a directory"),
    ],
)
def test_wrong_use_is_2(
    there: Path, arguments: tuple[object, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = actlab(capsys, "gate", *arguments)
    assert result.code == 2
    assert said in result.err
