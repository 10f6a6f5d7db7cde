"""Optuna's view of a study: asked, told, lost and made again."""

from pathlib import Path

import optuna
import pytest

from actlab.errors import RunFolderError
from actlab.records import Plan
from actlab.studies.run_folder import RunFolder
from actlab.studies.storage import Ledger, told_numbers
from tests.studies.test_run_folder import record


@pytest.fixture
def path(folder: RunFolder) -> Path:
    return folder.storage_path


def test_what_is_told_is_what_optuna_loads(tiny_plan: Plan, path: Path) -> None:
    ledger = Ledger(tiny_plan, path)
    asked = [ledger.ask() for _trial in range(4)]
    assert [number for number, _setting in asked] == [0, 1, 2, 3]
    ledger.tell(record(0, 0.75))
    ledger.tell(record(1, None))
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{path}")
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "FAIL", "RUNNING", "RUNNING"]
    assert study.best_value == 0.75
    assert study.trials[2].params == vars(asked[2][1])
    assert told_numbers(path) == {0, 1}
    assert Ledger(tiny_plan, path).untold() == dict(asked[2:])


def test_telling_twice_changes_nothing(tiny_plan: Plan, path: Path) -> None:
    ledger = Ledger(tiny_plan, path)
    ledger.ask()
    ledger.tell(record(0, 0.75))
    ledger.tell(record(0, 0.25))
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{path}")
    assert study.trials[0].value == 0.75


def test_a_study_asks_the_same_after_an_interruption(tiny_plan: Plan, tmp_path: Path) -> None:
    whole = Ledger(tiny_plan, tmp_path / "whole.db")
    asked = []
    for number in range(14):
        asked.append(whole.ask()[1])
        whole.tell(record(number, 0.5 + number / 100))
    for number in range(14):
        cut = Ledger(tiny_plan, tmp_path / "cut.db")
        assert cut.ask() == (number, asked[number])
        cut.tell(record(number, 0.5 + number / 100))


def test_a_lost_storage_is_made_again_from_the_records(tiny_plan: Plan, path: Path) -> None:
    records = [record(0, 0.5), record(1, None), record(3, 0.75)]
    ledger = Ledger(tiny_plan, path, records)
    assert told_numbers(path) == {0, 1, 3}
    assert ledger.untold() == {}
    assert ledger.ask()[0] == 2, "the gap is a trial that was asked and has no record"
    assert ledger.ask()[0] == 4


def test_an_ask_that_was_cut_short_is_completed(tiny_plan: Plan, path: Path) -> None:
    Ledger(tiny_plan, path)
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{path}")
    trial = study.ask()
    conv = trial.suggest_categorical("conv_activation", tiny_plan.space.conv_activation)
    untold = Ledger(tiny_plan, path).untold()
    assert untold[0].conv_activation == conv
    assert untold[0].fc_activation in tiny_plan.space.fc_activation
    assert Ledger(tiny_plan, path).untold() == untold


def test_the_storage_writes_ahead(tiny_plan: Plan, path: Path) -> None:
    Ledger(tiny_plan, path).ask()
    assert path.read_bytes()[18:20] == b"\x02\x02", "the SQLite header of write-ahead logging"


def test_a_file_that_is_no_database_is_named(tiny_plan: Plan, path: Path) -> None:
    path.write_bytes(b"no database" * 100)
    with pytest.raises(RunFolderError, match=r"study\.db is not a database"):
        Ledger(tiny_plan, path)
