"""What is said before a confirmation is paid for, and what a terminal shows of a run folder."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from tests.cli.confirmed import confirmed
from tests.cli.invoke import actlab

SCORES = {"relu": (0.97, 0.975, 0.96), "tanh": (0.95, 0.955, 0.945)}


def test_a_confirmation_says_what_it_takes_and_shows_before_it_trains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = confirmed(tmp_path / "run", SCORES)
    before = folder.records_path.read_bytes()
    found = {
        seeds: json.loads(
            actlab(
                capsys, "study", "confirm", folder.path, "--seeds", seeds, "--dry-run", "--json"
            ).out
        )
        for seeds in (5, 20)
    }
    assert found[5]["gap"] > found[20]["gap"] > 0
    assert [found[seeds]["trainings"] for seeds in (5, 20)] == [2 * 2, 2 * 17]
    line = actlab(capsys, "study", "confirm", folder.path, "--seeds", "5", "--dry-run").out
    assert line.startswith("5 seeds: ")
    assert "shows gaps from about" in line
    assert folder.records_path.read_bytes() == before


def test_watching_fits_the_screen_ends_with_the_study_and_takes_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = confirmed(tmp_path / "run", SCORES)
    result = actlab(capsys, "study", "show", folder.path, "--watch")
    assert result.code == 0
    assert "★" in result.out
    assert "best of" not in result.out
    monkeypatch.setenv("LINES", "10")
    monkeypatch.setattr(import_module("actlab.cli.study.show"), "_FEWEST", 1)
    assert "The 1 best of 2 trials" in actlab(capsys, "study", "show", folder.path, "--watch").out
    refused = actlab(capsys, "study", "show", folder.path, "--watch", "--json")
    assert refused.code == 2
    assert "without --trial and --json" in refused.err


def test_doctor_begins_with_what_a_bug_report_needs(capsys: pytest.CaptureFixture[str]) -> None:
    checks = json.loads(actlab(capsys, "doctor", "--json").out)["checks"]
    assert [check["subject"] for check in checks[:3]] == ["actlab", "python", "libraries"]
    assert checks[2]["found"].startswith("torch ")
    assert all(check["found"] for check in checks[:3])
