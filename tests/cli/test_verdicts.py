"""The verdict on the command line, over records that nobody had to train."""

import json
from pathlib import Path

import pytest

from tests.cli.confirmed import confirmed
from tests.cli.invoke import actlab

SCORES: dict[str, list[float | None]] = {
    "relu": [0.96, 0.97, 0.965, 0.97],
    "tanh": [0.961, 0.968, 0.966, 0.97],
    "sigmoid": [0.5, None, 0.55, 0.5],
}


def test_show_gives_scripts_the_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = confirmed(tmp_path / "run", SCORES)
    result = actlab(capsys, "study", "show", folder.path, "--json")
    assert result.code == 0, result.err
    verdict = json.loads(result.out)["verdict"]
    conv, fc = verdict["slots"]["conv"], verdict["slots"]["fc"]
    assert [row["activation"] for row in conv] == ["relu", "tanh", "sigmoid"]
    keys = ("activation", "mean", "low", "high", "n", "difference", "p_adjusted", "group")
    for row in conv:
        assert set(keys) <= set(row)
        assert row["n"] == 4
        assert row["low"] < row["mean"] < row["high"]
        assert row["difference"] <= 0
        assert (row["p_adjusted"] is None) == (row["group"] == "best")
    assert conv[1]["difference"] == pytest.approx(conv[1]["mean"] - conv[0]["mean"])
    assert conv[2]["mean"] == pytest.approx((0.5 + 0.55 + 0.5) / 3)
    assert (conv[2]["failures"], conv[2]["group"]) == (1, "worse")
    assert [(row["activation"], row["group"], row["n"]) for row in fc] == [("relu", "unclear", 4)]
    assert verdict["claims"] == []
    assert verdict["margin"] == 0.005


def test_show_prints_groups_and_what_they_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = confirmed(tmp_path / "run", SCORES)
    text = " ".join(actlab(capsys, "study", "show", folder.path).out.split())
    assert "relu best 96.62" in text
    assert "the only candidate with replicates" in text
    assert "sigmoid (1)" in text


def test_the_page_has_the_verdict_in_its_own_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = confirmed(tmp_path / "run", SCORES)
    result = actlab(capsys, "report", folder.path, "-o", tmp_path / "page.html")
    assert result.code == 0, result.err
    assert "the only candidate with replicates" in (tmp_path / "page.html").read_text()


def test_costs_that_were_altered_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = confirmed(tmp_path / "run", SCORES)
    folder.costs_path.write_text('{"relu": 1.5, "tanh": 2.5}')
    document = json.loads(actlab(capsys, "study", "show", folder.path, "--json").out)
    assert [row["cost"] for row in document["verdict"]["slots"]["conv"]] == [1.5, 2.5, None]
    folder.costs_path.write_text("[1]")
    result = actlab(capsys, "study", "show", folder.path, "--json")
    assert result.code == 2
    assert "costs.json is not what actlab wrote" in result.err


def test_compare_pairs_two_protocols_by_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = confirmed(tmp_path / "published", SCORES, protocol="published")
    better = {name: [min((x or 0.1) + 0.02, 1.0) for x in row] for name, row in SCORES.items()}
    second = confirmed(tmp_path / "corrected", better)
    result = actlab(capsys, "study", "compare", first.path, second.path, "--json")
    assert result.code == 0, result.err
    (paired,) = json.loads(result.out)["paired"]
    assert paired["reason"] is None
    for row in paired["slots"]["conv"]:
        assert row["difference"] == pytest.approx(0.02)
        assert row["seeds"] == 4
        assert row["n"] == 4 - row["first_failures"]
    text = " ".join(actlab(capsys, "study", "compare", first.path, second.path).out.split())
    assert "+2.00" in text


def test_compare_says_why_there_is_no_pairing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = confirmed(tmp_path / "one", SCORES)
    second = confirmed(tmp_path / "two", {"relu": [], "tanh": []})
    result = actlab(capsys, "study", "compare", first.path, second.path, "--json")
    (paired,) = json.loads(result.out)["paired"]
    assert paired["slots"] == {}
    assert "Not both studies have replicates" in paired["reason"]
