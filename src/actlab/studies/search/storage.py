"""The study as Optuna's own tools see it: a projection of the records.

`records.jsonl` is the truth. What is missing here is told again from it on resume, and a file
that is gone is made anew.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError

from actlab.errors import RunFolderError
from actlab.i18n import _

# The command line says what a person needs to know; Optuna's own log would repeat it.
optuna.logging.set_verbosity(optuna.logging.WARNING)

_BUSY_TIMEOUT_SECONDS = 60


def open_storage(path: Path) -> optuna.storages.RDBStorage:
    """Open (or make) the SQLite file with write-ahead logging and a busy timeout.

    Raises RunFolderError where the file is no database.
    """
    try:
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{path}",
            engine_kwargs={"connect_args": {"timeout": _BUSY_TIMEOUT_SECONDS}},
        )
    except DatabaseError:
        message = _(
            "{path} is not a database: the file has been altered. Delete it; "
            "actlab study resume makes it again from records.jsonl."
        )
        raise RunFolderError(message.format(path=path)) from None
    event.listen(storage.engine, "connect", _configure)
    storage.engine.dispose()
    return storage


def _configure(connection: object, _entry: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # DB-API connections share no class
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


class Mirror:
    """A study on the disk, each change to a trial of which is one transaction."""

    def __init__(self, path: Path, name: str) -> None:
        storage = open_storage(path)
        self._storage = storage
        try:
            self._study = storage.get_study_id_from_name(name)
        except KeyError:
            self._study = storage.create_new_study([StudyDirection.MAXIMIZE], name)
        trials = storage.get_all_trials(self._study, deepcopy=False)
        # Optuna has no public way from a number to the identifier that a storage writes to.
        self._identifiers = {trial.number: trial._trial_id for trial in trials}

    def trials(self) -> list[FrozenTrial]:
        """Return all trials in the order of their numbers."""
        return self._storage.get_all_trials(self._study, deepcopy=False)

    def add(self, trial: FrozenTrial) -> None:
        """Write a new trial, whole."""
        identifier = self._storage.create_new_trial(self._study, trial)
        self._identifiers[trial.number] = identifier

    def tell(self, number: int, state: TrialState, value: float | None) -> None:
        """Write how a trial ended."""
        values = None if value is None else [value]
        self._storage.set_trial_state_values(self._identifiers[number], state, values)

    def report(self, number: int, values: Mapping[int, float], notes: Mapping[str, Any]) -> None:
        """Write new values by epoch, and what a pruner noted beside them."""
        identifier = self._identifiers[number]
        for epoch, value in values.items():
            self._storage.set_trial_intermediate_value(identifier, epoch, value)
        for key, note in notes.items():
            self._storage.set_trial_system_attr(identifier, key, note)


def told_numbers(path: Path) -> frozenset[int]:
    """Return the numbers of the trials that the storage at `path` knows as finished."""
    if not path.exists():
        return frozenset()
    storage = open_storage(path)
    (name,) = optuna.get_all_study_names(storage)
    study = optuna.load_study(study_name=name, storage=storage)
    trials = study.get_trials(deepcopy=False)
    return frozenset(trial.number for trial in trials if trial.state.is_finished())
