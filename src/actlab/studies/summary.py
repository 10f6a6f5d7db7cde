"""What a run folder says so far, as plain values: finished, running or interrupted."""

from dataclasses import asdict
from typing import Any

from actlab.records import FinalFigure, Record, best_record
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.storage import told_numbers


def told_records(folder: RunFolder) -> tuple[Record, ...]:
    """Return the records that count: those that the study was told of."""
    told = told_numbers(folder.storage_path)
    return tuple(record for record in folder.records() if record.number in told)


def final_of_best(folder: RunFolder, records: tuple[Record, ...]) -> FinalFigure | None:
    """Return the final figure, if there is one and it is that of the best of `records`."""
    best, final = best_record(records), folder.final()
    if best is None or final is None or final.identity != best.identity:
        return None
    return final


def summary(folder: RunFolder) -> dict[str, Any]:
    """Return the document of `actlab study show --json`."""
    records = told_records(folder)
    best = best_record(records)
    final = final_of_best(folder, records)
    return {
        "plan": asdict(folder.plan()),
        "trials": [trial_row(record) for record in records],
        "best": best.number if best is not None else None,
        "test_accuracy": final.test_accuracy if final is not None else None,
        "verdict": None,
    }


def trial_row(record: Record) -> dict[str, Any]:
    """Return the part of a record that scripts build on."""
    return {
        "number": record.number,
        "setting": asdict(record.setting),
        "outcome": record.outcome.value,
        "valid_accuracy": record.valid_accuracy,
        "epochs": record.epochs,
        "seconds": record.seconds,
    }


def trial_detail(record: Record) -> dict[str, Any]:
    """Return one record whole, with its curve."""
    return asdict(record)
