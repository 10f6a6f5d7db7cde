"""The study commands on a real small study: text for people, JSON for scripts."""

import json
from pathlib import Path

import pytest

from tests.cli.invoke import actlab

TRIALS = 3


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from actlab.cli.main import run

    folder = tmp_path_factory.mktemp("study") / "run"
    few = ["--trials", str(TRIALS), "--search-only"]
    assert run(["study", "run", "digits", *few, "--out", str(folder)]) == 0
    return folder


def test_the_report_path_is_printed_last(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = actlab(capsys, "study", "resume", run_folder)
    assert result.code == 0
    assert result.out.splitlines()[-1] == str(run_folder / "report.html")
    assert "test accuracy" in result.out


def test_show_gives_scripts_the_contract(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = actlab(capsys, "study", "show", run_folder, "--json")
    document = json.loads(result.out)
    assert {"format_version", "plan", "trials", "best", "test_accuracy", "verdict"} <= set(document)
    assert document["verdict"] is None
    assert [trial["number"] for trial in document["trials"]] == list(range(TRIALS))
    for trial in document["trials"]:
        assert set(trial["setting"]) == {"conv_activation", "fc_activation", "learning_rate"}
        assert trial["outcome"] in {"completed", "diverged", "pruned", "failed"}
        assert 0 <= trial["valid_accuracy"] <= 1
        assert trial["epochs"] >= 1
        assert trial["seconds"] > 0
    best = max(document["trials"], key=lambda trial: float(trial["valid_accuracy"]))
    assert document["best"] == best["number"]
    assert 0 <= document["test_accuracy"] <= 1


def test_show_leaves_out_what_matters_least_until_the_rest_fits() -> None:
    from actlab.cli.study.show import fitting, widths

    row = ("★ 12", "leaky_relu_0.01", "leaky_relu_0.1", "0.008591", "98.29 %", "14", "completed")
    heads = ("trial", "conv", "fc", "learning rate", "valid accuracy", "epochs", "outcome")
    needed = widths(list(zip(heads, row, strict=True)))
    assert needed == [5, 15, 14, 8, 8, 6, 9]
    assert fitting(needed, 80) == [0, 1, 2, 3, 4, 5, 6]
    assert fitting(needed, 70) == [0, 1, 2, 3, 4, 6]
    assert fitting(needed, 50) == fitting(needed, 30) == [0, 1, 2, 4]


def test_show_prints_a_table_and_one_trial_whole(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = actlab(capsys, "study", "show", run_folder).out
    assert f"{TRIALS} of {TRIALS} trials" in table
    one = json.loads(actlab(capsys, "study", "show", run_folder, "--trial", 1, "--json").out)
    assert one["number"] == 1
    assert len(one["curve"]) == one["epochs"]
    assert "0.0" in actlab(capsys, "study", "show", run_folder, "--trial", 1).out
    missing = actlab(capsys, "study", "show", run_folder, "--trial", 99)
    assert missing.code == 2
    assert "trials 0 to 2" in missing.err


def test_compare_sets_studies_side_by_side(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(actlab(capsys, "study", "compare", run_folder, run_folder, "--json").out)
    first, second = document["studies"]
    assert first == second
    assert sum(row["trials"] for row in first["slots"]["fc"]) == TRIALS
    best = max(row["best"] for row in first["slots"]["conv"] if row["best"] is not None)
    assert best == first["valid_accuracy"]
    text = actlab(capsys, "study", "compare", run_folder, run_folder).out
    assert "corrected" in text


def test_the_page_is_written_again_in_another_language(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    result = actlab(capsys, "report", run_folder, "-o", page, "--lang", "ko")
    assert (result.code, result.out) == (0, f"{page}\n")
    assert '<html lang="ko"' in page.read_text()
    lost = actlab(capsys, "report", run_folder, "-o", tmp_path / "none" / "page.html")
    assert lost.code == 2
    assert "cannot be written" in lost.err


def test_a_dry_run_costs_nothing_and_says_what_it_would(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document = json.loads(actlab(capsys, "study", "run", "digits", "--dry-run", "--json").out)
    assert document["trainings"] == 32 + document["confirmation_trainings"]
    assert document["confirmation"]["seeds"] == 5
    assert document["minutes"] > 0
    assert document["disk_megabytes"] > 1
    assert list(tmp_path.iterdir()) == []


def test_doctor_looks_at_everything(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(actlab(capsys, "doctor", "--json").out)
    subjects = {check["subject"] for check in document["checks"]}
    assert {"threads", "bf16", "cuda", "allocator", "digits", "mnist"} <= subjects
    assert all(check["advice"] for check in document["checks"])
    assert "mnist" in actlab(capsys, "doctor").out
