"""A study run again: what matches, and by how much what does not."""

from dataclasses import replace
from pathlib import Path

import pytest

from actlab.errors import ActlabError
from actlab.records import Outcome
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import run_search
from actlab.studies.verify import changed_versions, verify
from tests.cli.invoke import actlab
from tests.cli.test_refused import digest
from tests.studies.conftest import make_tiny_plan
from tests.studies.inline import Inline, Silent


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = RunFolder.create(tmp_path_factory.mktemp("verified") / "run", make_tiny_plan())
    run_search(folder, "", Silent(), lambda _workers, _timeout: Inline())
    return folder


def test_the_same_comes_out_and_nothing_is_written(searched: RunFolder) -> None:
    before = digest(searched.path)
    found = list(verify(searched, Inline(), trials=2))
    assert [one.is_equal for one in found] == [True, True]
    assert [one.curve_difference for one in found] == [0.0, 0.0]
    assert [one.number for one in found] == [
        one.number for one in verify(searched, Inline(), trials=2)
    ]
    assert digest(searched.path) == before


def test_another_value_is_told_by_how_much(searched: RunFolder, tmp_path: Path) -> None:
    other = RunFolder.create(tmp_path / "other", searched.plan())
    environment = searched.environment()
    assert environment is not None
    other.write_environment(environment)
    record = next(r for r in searched.records() if r.outcome is Outcome.COMPLETED)
    first = record.curve[0]
    assert first.train_loss is not None
    moved = replace(first, train_loss=first.train_loss + 0.25)
    other.append(replace(record, curve=(moved, *record.curve[1:]), valid_accuracy=0.125))
    (found,) = verify(other, Inline(), number=record.number)
    assert not found.is_equal
    assert (found.valid_accuracy, found.valid_accuracy_again) == (0.125, record.valid_accuracy)
    assert found.curve_difference == pytest.approx(0.25)


def test_another_plan_and_an_unknown_number_are_refused(searched: RunFolder) -> None:
    with pytest.raises(ActlabError, match="no training 99"):
        list(verify(searched, Inline(), number=99))
    plan = searched.plan()
    protocol = replace(plan.protocol, patience=9)
    other = RunFolder.create(searched.path.parent / "other", replace(plan, protocol=protocol))
    environment = searched.environment()
    assert environment is not None
    other.write_environment(environment)
    with pytest.raises(ActlabError, match="no training that can be run again"):
        list(verify(other, Inline()))
    other.append(searched.records()[0])
    with pytest.raises(ActlabError, match="another plan"):
        list(verify(other, Inline()))


def test_versions_that_changed_are_named(searched: RunFolder) -> None:
    environment = searched.environment()
    assert environment is not None
    assert changed_versions(environment) == {}
    older = replace(environment, versions=environment.versions | {"torch": "1.0"})
    assert changed_versions(older)["torch"][0] == "1.0"


def test_the_command_says_so_and_exits_by_it(
    searched: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "actlab.studies.executors.engines.executor_factory",
        lambda _name: lambda _workers, _timeout: Inline(),
    )
    result = actlab(capsys, "study", "verify", searched.path, "--trials", "1")
    assert (result.code, result.out.splitlines()[-1]) == (0, "All match.")
    lines = searched.records_path.read_text().splitlines()
    try:
        searched.records_path.write_text(
            lines[0].replace('"valid_accuracy":0.', '"valid_accuracy":0.9') + "\n"
        )
        wrong = actlab(capsys, "study", "verify", searched.path, "--json")
        assert wrong.code == 1
        assert '"equal": false' in wrong.out
    finally:
        searched.records_path.write_text("\n".join(lines) + "\n")
