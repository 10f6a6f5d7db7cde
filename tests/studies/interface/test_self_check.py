"""A study checks its own network and loss: the published one finds its own double softmax."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from actlab.records import Plan
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.interface.self_check import check_own, self_checking
from actlab.studies.plan.file import read_plan
from actlab.studies.run_folder import RunFolder
from tests.studies.inline import Inline


@pytest.mark.parametrize(("protocol", "codes"), [("published", {"ACT101"}), ("corrected", set())])
def test_the_protocol_decides_what_is_found(protocol: str, codes: set[str]) -> None:
    plan = read_plan("digits", {"protocol.name": protocol})
    found = check_own(plan)
    errors = [finding for finding in found if finding["severity"] == "error"]
    assert {finding["code"] for finding in errors} == codes
    for finding in errors:
        convs = {conv for conv, _fc in finding["activations"]}
        assert convs == set(plan.space.conv_activation), "every activation shows it"


def test_the_findings_are_written_once_and_read_back(tmp_path: Path) -> None:
    plan = read_plan("digits", {"protocol.name": "published"})
    folder = RunFolder.create(tmp_path / "run", plan)
    assert folder.findings() is None
    first, second = Inline(), Inline()
    with self_checking(folder, lambda _workers, _timeout: first):
        pass
    with self_checking(folder, lambda _workers, _timeout: second):
        pass
    assert (first.calls, second.calls) == (["check_own"], [])
    found = folder.findings()
    assert found is not None
    assert [finding["code"] for finding in found] == ["ACT101"]
    assert json.loads(folder.findings_path.read_text())["format_version"] == 1


def kill_first_time(_plan: Plan) -> list[dict[str, Any]]:
    """Check as `check_own` does, in a process that is killed where it is the first to try."""
    tried = Path(os.environ["TRIED"])
    if not tried.exists():
        tried.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return [{"code": "ACT101", "after": "a kill"}]


def kill_each_time(_plan: Plan) -> list[dict[str, Any]]:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_a_killed_checker_checks_again(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIED", str(tmp_path / "tried"))
    with self_checking(folder, LocalProcesses, kill_first_time):
        pass
    assert (tmp_path / "tried").exists()
    assert folder.findings() == [{"code": "ACT101", "after": "a kill"}]


@pytest.mark.slow
def test_a_checker_that_is_killed_each_time_does_not_decide_how_a_study_ends(
    folder: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    with self_checking(folder, LocalProcesses, kill_each_time):
        pass
    assert folder.findings() is None
    assert "The study's own network was not checked" in caplog.text
