"""The file that Optuna's own tools open."""

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from actlab.errors import RunFolderError
from actlab.studies.search.storage import Mirror, told_numbers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "study.db"


def test_the_storage_writes_ahead(path: Path) -> None:
    Mirror(path, "small")
    assert path.read_bytes()[18:20] == b"\x02\x02", "the SQLite header of write-ahead logging"


def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.write_bytes(b"no database" * 100)
    with pytest.raises(RunFolderError, match=r"study\.db is not a database"):
        Mirror(path, "small")


def test_a_mirror_that_is_opened_again_goes_on(path: Path) -> None:
    thought = optuna.create_study(direction="maximize")
    for _trial in range(3):
        thought.ask({"rate": optuna.distributions.FloatDistribution(1e-4, 1e-2, log=True)})
    mirror = Mirror(path, "small")
    for trial in thought.trials[:2]:
        mirror.add(trial)
    mirror.tell(1, TrialState.COMPLETE, 0.75)
    again = Mirror(path, "small")
    again.add(thought.trials[2])
    again.tell(0, TrialState.FAIL, None)
    again.report(2, {1: 0.5}, {"noted": [1, 2]})
    found = again.trials()
    assert [trial.state.name for trial in found] == ["FAIL", "COMPLETE", "RUNNING"]
    assert [trial.params for trial in found] == [trial.params for trial in thought.trials]
    assert (found[2].intermediate_values, found[2].system_attrs) == ({1: 0.5}, {"noted": [1, 2]})
    assert told_numbers(path) == {0, 1}
