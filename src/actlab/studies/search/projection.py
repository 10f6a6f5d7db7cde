"""`study.db`: the records as Optuna's own tools read them.

A projection of `records.jsonl`, written whole where a search pauses or ends. Nothing in actlab
reads it, and it may be deleted at any time: the next search in the folder writes it again.

The tables are those that Optuna makes; the rows go in as one transaction, since Optuna's own way is
several for every value of every trial.
"""

import json
import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import distribution_to_json
from optuna.trial import TrialState
from sqlalchemy import MetaData, Table, insert
from sqlalchemy.engine import URL, Engine

from actlab.records import Plan, Record
from actlab.studies.search.optuna_study import STATES
from actlab.studies.search.sampling import distributions

METRIC = "valid_accuracy"
"""What the value of a trial is called in Optuna's tools."""

ATTRIBUTES = ("outcome", "reason", "epochs", "best_epoch", "seconds", "precision", "identity")
"""What of a record a trial has as its user attributes."""


def write_projection(path: Path, plan: Plan, records: Sequence[Record]) -> None:
    """Write the trials of a search to `path`, in one step.

    Numbers without a record are trials that wait. Raises OSError or sqlalchemy.exc.SQLAlchemyError
    where the file cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)  # a link would be followed
        address = URL.create("sqlite", database=str(beside)).render_as_string()
        storage = optuna.storages.RDBStorage(address)
        measured = plan.training.measured
        direction: Literal["maximize", "minimize"]
        direction = "maximize" if measured.higher_is_better else "minimize"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study = optuna.create_study(study_name=plan.name, storage=storage, direction=direction)
            study.set_metric_names([METRIC if measured.in_percent else measured.name])
        _insert(storage.engine, _rows(plan, records))
        storage.engine.dispose()
        with beside.open("rb") as stream:
            os.fsync(stream.fileno())
        beside.replace(path)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    finally:
        beside.unlink(missing_ok=True)


def _insert(engine: Engine, rows: Mapping[str, list[dict[str, Any]]]) -> None:
    tables = MetaData()
    with engine.begin() as connection:
        for name, content in rows.items():
            if content:
                connection.execute(insert(Table(name, tables, autoload_with=connection)), content)


def _rows(plan: Plan, records: Iterable[Record]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of Optuna's tables; the study, made just before, has the identifier 1."""
    space = distributions(plan.space)
    texts = {name: distribution_to_json(distribution) for name, distribution in space.items()}
    by_number = {record.number: record for record in records}
    now = datetime.now(UTC).astimezone().replace(tzinfo=None)
    rows: dict[str, list[dict[str, Any]]] = {
        "trials": [],
        "trial_params": [],
        "trial_values": [],
        "trial_intermediate_values": [],
        "trial_user_attributes": [],
    }
    for number in range(max(by_number, default=-1) + 1):
        record, of_trial = by_number.get(number), {"trial_id": number + 1}
        state = TrialState.WAITING if record is None else STATES[record.outcome]
        # Durations are those of the trainings. When each began is not recorded: Optuna wants it.
        begun = None if record is None else now - timedelta(seconds=record.seconds)
        rows["trials"].append(
            of_trial
            | {"study_id": 1, "number": number, "state": state.name}
            | {"datetime_start": begun, "datetime_complete": begun and now}
        )
        if record is None:
            continue
        for name, value in record.setting.parameters.items():
            internal = space[name].to_internal_repr(value)
            rows["trial_params"].append(
                of_trial
                | {"param_name": name, "param_value": internal, "distribution_json": texts[name]}
            )
        if state is TrialState.COMPLETE:
            rows["trial_values"].append(
                of_trial | {"objective": 0, "value": record.valid_metric, "value_type": "FINITE"}
            )
        rows["trial_intermediate_values"] += [
            of_trial
            | {"step": epoch, "intermediate_value": value, "intermediate_value_type": "FINITE"}
            for epoch, value in enumerate((one.valid_metric for one in record.curve), start=1)
            if math.isfinite(value)
        ]
        rows["trial_user_attributes"] += [
            of_trial | {"key": key, "value_json": json.dumps(getattr(record, key))}
            for key in ATTRIBUTES
        ]
    return rows
