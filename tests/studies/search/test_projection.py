"""The file that Optuna's own tools open, by Optuna's own loader."""

from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from actlab.records import Epoch, Outcome, Plan
from actlab.studies.search.projection import METRIC, write_projection
from tests.studies.test_run_folder import record

EPOCHS = (Epoch(0.5, 0.4, 0.25, 0.1), Epoch(0.5, None, 0.5, 0.1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a folder, 100 % odd?#" / "study.db"


def load(path: Path) -> optuna.Study:
    address = optuna.storages.RDBStorage(
        optuna_url(path), skip_table_creation=True, skip_compatibility_check=False
    )
    (name,) = optuna.get_all_study_names(address)
    return optuna.load_study(study_name=name, storage=address)


def optuna_url(path: Path) -> str:
    from sqlalchemy.engine import URL

    return URL.create("sqlite", database=str(path)).render_as_string()


def test_optuna_reads_what_the_records_say(tiny_plan: Plan, path: Path) -> None:
    path.parent.mkdir()
    pruned = replace(record(3, None), outcome=Outcome.PRUNED, curve=EPOCHS, epochs=2)
    records = [replace(record(1, 0.75), curve=EPOCHS), record(0, None), pruned]
    write_projection(path, tiny_plan, records)
    study = load(path)
    assert study.study_name == tiny_plan.name
    assert study.metric_names == [METRIC]
    assert study.direction is optuna.study.StudyDirection.MAXIMIZE
    assert [trial.state.name for trial in study.trials] == ["FAIL", "COMPLETE", "WAITING", "PRUNED"]
    best = study.best_trial
    assert (best.number, best.value, {**best.params, "slots": ()}) == (
        1,
        0.75,
        vars(record(1).setting),
    )
    assert best.intermediate_values == {1: 0.25, 2: 0.5}
    assert study.trials[3].intermediate_values == {1: 0.25, 2: 0.5}
    assert best.user_attrs["identity"] == record(1).identity
    assert study.trials[0].user_attrs["outcome"] == "diverged"
    assert best.duration is not None
    assert best.duration.total_seconds() == 1.0
    study.ask()  # it is a study that Optuna can go on with
    assert [found.name for found in path.parent.iterdir()] == ["study.db"]


def test_a_study_without_records_is_an_empty_one(tiny_plan: Plan, path: Path) -> None:
    path.parent.mkdir()
    write_projection(path, tiny_plan, ())
    assert load(path).trials == []


def test_what_is_there_is_replaced(tiny_plan: Plan, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database")
    write_projection(path, tiny_plan, [record(0)])
    write_projection(path, tiny_plan, [record(0), record(1)])
    assert [trial.number for trial in load(path).trials] == [0, 1]


def test_a_place_that_is_not_there_is_an_error_and_leaves_nothing(
    tiny_plan: Plan, tmp_path: Path
) -> None:
    from sqlalchemy.exc import OperationalError

    with pytest.raises(OperationalError, match="unable to open"):
        write_projection(tmp_path / "none" / "study.db", tiny_plan, [record(0)])
    assert list(tmp_path.iterdir()) == []
