"""Somebody else's trials: read as they are, and left as they were."""

import hashlib
from pathlib import Path

import optuna
import pytest

from actlab.case_study.published_results import published_trials
from actlab.errors import ActlabError, DataError, UnknownNameError
from actlab.studies.search.import_trials import trials_of_csv, trials_of_storage


def objective(trial: optuna.Trial) -> float:
    name = trial.suggest_categorical("activation", ["relu", "tanh"])
    rate = trial.suggest_float("rate", 1e-4, 1e-1, log=True)
    if trial.number == 3:
        raise optuna.TrialPruned
    return rate if name == "relu" else -rate


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("storage") / "theirs.db"
    study = optuna.create_study(
        study_name="theirs",
        storage=f"sqlite:///{path}",
        sampler=optuna.samplers.RandomSampler(seed=0),
    )
    study.optimize(objective, n_trials=5)
    study.ask()
    return path


@pytest.mark.parametrize("address", ["{path}", "sqlite:///{path}"])
def test_a_study_is_read_and_its_file_left_alone(storage: Path, address: str) -> None:
    before = hashlib.sha256(storage.read_bytes()).hexdigest()
    table = trials_of_storage(address.format(path=storage), "theirs")
    assert hashlib.sha256(storage.read_bytes()).hexdigest() == before
    assert not table.maximize
    assert [row.number for row in table.rows] == list(range(5)), "a running trial is none"
    assert [row.number for row in table.rows if row.value is None] == [3]
    for row in table.rows:
        assert row.choices["activation"] in {"relu", "tanh"}
        assert 1e-4 <= row.numbers["rate"] <= 1e-1


def test_what_cannot_be_read_is_named(storage: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "theirs"'):
        trials_of_storage(str(storage), "their")
    with pytest.raises(ActlabError, match="There is no storage"):
        trials_of_storage(f"sqlite:///{tmp_path}/none.db", "theirs")
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_bytes(b"no database" * 100)
    with pytest.raises(ActlabError, match="not a database"):
        trials_of_storage(str(tmp_path / "text.db"), "theirs")
    with pytest.raises(ActlabError, match="cannot be read"):
        trials_of_storage("nothing://of/that/kind", "theirs")
    with pytest.raises(ActlabError, match="no address"):
        trials_of_storage("://", "theirs")


def test_two_objectives_are_refused(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/two.db"
    optuna.create_study(study_name="two", storage=address, directions=["minimize", "maximize"])
    with pytest.raises(ActlabError, match="one objective"):
        trials_of_storage(address, "two")


def test_a_table_is_read_like_the_published_one(tmp_path: Path) -> None:
    path = tmp_path / "trials.csv"
    path.write_text(
        "number,conv_activation,fc_activation,learning_rate,outcome,valid_accuracy\n"
        "4,relu,tanh,0.001,completed,0.9\n5,relu,silu,0.002,diverged,\n"
    )
    first, second = trials_of_csv(path).rows
    assert first.choices == {"conv_activation": "relu", "fc_activation": "tanh"}
    assert (first.number, first.numbers, first.value) == (4, {"learning_rate": 0.001}, 0.9)
    assert second.value is None
    assert len(published_trials().rows) == 120


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "needs a column of values"),
        ("activation,value\nrelu,high\n", "is not a number"),
        ("", "needs a column of values"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=told):
        trials_of_csv(path)
    with pytest.raises(DataError, match="cannot be read"):
        trials_of_csv(tmp_path / "none.csv")
