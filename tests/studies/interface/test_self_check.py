"""A study checks its own network and loss: the published one finds its own double softmax."""

import json
from pathlib import Path

import pytest

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
