"""`trials.csv` and `replicates.csv`: every number of a study, one row per record.

A learning curve is one cell: its values in the order of the epochs, with spaces between them.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from actlab.files import write_bytes
from actlab.records import Record, Space
from actlab.studies.run_folder import RunFolder

COLUMNS = (
    "outcome",
    "valid_accuracy",
    "epochs",
    "best_epoch",
    "best_epoch_valid_accuracy",
    "best_epoch_valid_loss",
    "best_epoch_train_loss",
    "curve_train_loss",
    "curve_valid_loss",
    "curve_valid_accuracy",
    "valid_score",
    "curve_valid_score",
    "seconds",
    "protocol",
    "precision",
    "seed",
    "identity",
    "reason",
)


def columns_of(space: Space) -> tuple[str, ...]:
    """Return the columns of the tables: number, a column per slot, rate, and what came out.

    >>> columns_of(Space((), ("relu",), 0.001, 0.01))[:3]
    ('number', 'fc_activation', 'learning_rate')
    """
    slots = (f"{slot}_activation" for slot in space.by_slot)
    return ("number", *slots, "learning_rate", *COLUMNS)


def write_table(folder: RunFolder, records: Iterable[Record]) -> None:
    """Write the table of a search's records, in the order of their numbers."""
    rows = [(record.number, _row(record)) for record in records]
    _write(folder.table_path, columns_of(folder.plan().space), rows)


def write_replicates(folder: RunFolder, records: Iterable[Record]) -> None:
    """Write the table of a confirmation's records: what chose, then what was compared."""
    rows = [
        (record.number, {"stage": record.stage, "replicate": record.replicate} | _row(record))
        for record in records
        if record.stage != "search"
    ]
    _write(
        folder.replicates_table_path, ("stage", "replicate", *columns_of(folder.plan().space)), rows
    )


def _write(
    path: Path, columns: Sequence[str], rows: Iterable[tuple[int, dict[str, object]]]
) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row for _number, row in sorted(rows, key=lambda entry: entry[0]))
    write_bytes(path, text.getvalue().encode())


def _row(record: Record) -> dict[str, object]:
    best = record.curve[record.best_epoch - 1] if record.best_epoch else None
    return {
        "number": record.number,
        **record.setting.parameters,
        "learning_rate": repr(record.setting.learning_rate),
        "outcome": record.outcome.value,
        "valid_accuracy": record.valid_accuracy,
        "epochs": record.epochs,
        "best_epoch": record.best_epoch,
        "best_epoch_valid_accuracy": best and best.valid_accuracy,
        "best_epoch_valid_loss": best and best.valid_loss,
        "best_epoch_train_loss": best and best.train_loss,
        "curve_train_loss": _values(epoch.train_loss for epoch in record.curve),
        "curve_valid_loss": _values(epoch.valid_loss for epoch in record.curve),
        "curve_valid_accuracy": _values(epoch.valid_accuracy for epoch in record.curve),
        "valid_score": record.valid_score,
        "curve_valid_score": ""
        if record.valid_score is None
        else _values(epoch.valid_score for epoch in record.curve),
        "seconds": round(record.seconds, 3),
        "protocol": record.protocol.name,
        "precision": record.precision,
        "seed": record.seeds.split,
        "identity": record.identity,
        "reason": record.reason,
    }


def _values(values: Iterable[float | None]) -> str:
    return " ".join("not_finite" if value is None else repr(value) for value in values)
