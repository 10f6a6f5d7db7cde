"""`study confirm`, `run --confirm` and `resume`, with workers that take no time."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from actlab.records import BalancedSampler, Plan, Sampler, Space, TpeSampler
from actlab.studies import worker
from actlab.studies.executors import engines
from actlab.studies.interface import self_check, verdicts
from actlab.studies.plan.file import read_plan, write_plan
from actlab.studies.run_folder import RunFolder
from tests.cli.invoke import actlab
from tests.studies.executors import fake_worker
from tests.studies.inline import Inline


def check_own(_plan: Plan) -> list[dict[str, object]]:
    """Stand in for the checker, which is no subject here."""
    return []


def measure_no_costs(_folder: RunFolder) -> None:
    """Stand in for timing the functions, which is no subject here either."""


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_worker.take_over(monkeypatch)
    monkeypatch.setattr(self_check, "check_own", check_own)
    monkeypatch.setattr(verdicts, "measure_costs", measure_no_costs)
    monkeypatch.setattr(engines, "LocalProcesses", Inline)


def plan_file(path: Path, trials: int, sampler: Sampler) -> Path:
    """Write a plan with two activations per slot and return where it is."""
    plan = read_plan("digits", {"trials": trials, "replicates": 0})
    space = Space(("relu", "tanh"), ("relu", "silu"), 0.001, 0.01)
    path.write_text(write_plan(replace(plan, space=space, sampler=sampler)))
    return path


@pytest.fixture(scope="module")
def searched_once(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("searched")
    plan = read_plan(str(plan_file(folder / "plan.toml", 4, TpeSampler())), {})
    with pytest.MonkeyPatch.context() as patch:
        fake_worker.take_over(patch)
        searched = fake_worker.searched(folder / "run", plan)
    searched.findings_path.write_text('{"findings": []}')
    return searched


@pytest.fixture
def folder(searched_once: RunFolder, tmp_path: Path) -> Path:
    """A study of the test's own whose search is done."""
    return Path(shutil.copytree(searched_once.path, tmp_path / "run"))


def stages(folder: Path) -> list[str]:
    return [record.stage for record in RunFolder(folder).all_records()]


def test_a_run_can_end_in_a_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_file(tmp_path / "plan.toml", 3, BalancedSampler())
    folder = tmp_path / "run"
    result = actlab(capsys, "study", "run", plan, "--out", folder, "--confirm", 3, "--json")
    assert result.code == 0, result.err
    assert "training on new seeds" in result.err
    document = json.loads(result.out)
    assert len(document["trials"]) == 3
    for slot in ("conv", "fc"):
        candidates = document["verdict"]["slots"][slot]
        assert {candidate["n"] for candidate in candidates} == {3}
    assert json.loads((folder / "verdict.json").read_text())["slots"]
    assert (folder / "report.html").stat().st_size > 100_000


def test_more_seeds_later_train_the_missing_ones(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert actlab(capsys, "study", "confirm", folder, "--seeds", 2).code == 0
    before = stages(folder)
    assert actlab(capsys, "study", "confirm", folder, "--seeds", 3).code == 0
    assert 2 * (len(stages(folder)) - len(before)) == before.count("confirm")


def test_fewer_seeds_than_are_there_train_nothing_and_promise_what_is_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert actlab(capsys, "study", "confirm", folder, "--seeds", 4).code == 0
    before = stages(folder)
    result = actlab(capsys, "study", "confirm", folder, "--seeds", 2)
    assert (result.code, stages(folder)) == (0, before)
    assert "4 seeds:" in result.err
    assert "2 seeds:" not in result.err


def test_resume_completes_a_confirmation_that_was_interrupted(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(trial: object, *_state: object) -> object:
        if getattr(trial, "replicate", None) == 1:
            raise KeyboardInterrupt
        return fake_worker.train(trial, None, None)  # type: ignore[arg-type]  # it is a Trial

    with monkeypatch.context() as patch:
        patch.setattr(worker, "train", interrupted)
        result = actlab(capsys, "study", "confirm", folder, "--seeds", 2)
    assert result.code == 130
    assert f"Go on with: actlab study resume {folder}" in result.err
    assert actlab(capsys, "study", "resume", folder).code == 0
    confirmed = [r for r in RunFolder(folder).all_records() if r.stage == "confirm"]
    assert {record.replicate for record in confirmed} == {0, 1}


def test_what_cannot_be_confirmed_is_refused_in_words(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = actlab(capsys, "study", "confirm", folder, "--seeds", 1)
    assert (one.code, one.out) == (2, "")
    assert "at least 2 seeds" in one.err
    plan_path = folder / "plan.toml"
    plan_path.write_text(plan_path.read_text().replace("trials = 4", "trials = 5"))
    unfinished = actlab(capsys, "study", "confirm", folder)
    assert unfinished.code == 2
    assert "4 of 5 trials are done" in unfinished.err
    few = actlab(capsys, "study", "run", "digits", "--out", tmp_path / "other", "--confirm", 1)
    assert few.code == 2
    assert not (tmp_path / "other").exists()
