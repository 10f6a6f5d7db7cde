"""What run folders say so far, one or several side by side: finished, running or interrupted."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from actlab.records import FinalFigure, Record, SlotName, Space, best_record
from actlab.studies.confirm.candidate_settings import SLOTS, activation_in, names_in
from actlab.studies.run_folder import RunFolder


def final_of_best(folder: RunFolder, records: tuple[Record, ...]) -> FinalFigure | None:
    """Return the final figure, if there is one and it is that of the best of `records`."""
    best, final = best_record(records), folder.final()
    if best is None or final is None or final.identity != best.identity:
        return None
    return final


def summary(folder: RunFolder) -> dict[str, Any]:
    """Return the document of `actlab study show --json`."""
    records = folder.records()
    best = best_record(records)
    final = final_of_best(folder, records)
    return {
        "plan": asdict(folder.plan()),
        "trials": [trial_row(record) for record in records],
        "best": best.number if best is not None else None,
        "test_accuracy": final.test_accuracy if final is not None else None,
        "verdict": None,
        **_compared(folder),
    }


def _compared(folder: RunFolder) -> dict[str, Any]:
    """Return what is compared: which activations of how many, by which task and metric."""
    environment = folder.environment()
    coverage = environment.coverage if environment is not None else None
    return {
        "coverage": None if coverage is None else asdict(coverage),
        "task": "multiclass",
        "metric": "accuracy",
        "init": folder.plan().init,
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


def comparison(folders: Sequence[RunFolder]) -> dict[str, Any]:
    """Return the document of `actlab study compare --json`.

    Per study: plan, protocol, best, test accuracy; per slot and activation: how many trials it
    had, how many completed, its best and its median valid (trial) accuracy.
    """
    return {"studies": [_study(folder) for folder in folders]}


def _study(folder: RunFolder) -> dict[str, Any]:
    plan, records = folder.plan(), folder.records()
    best, final = best_record(records), final_of_best(folder, records)
    return {
        "path": str(folder.path),
        "name": plan.name,
        "protocol": plan.protocol.name,
        "trials": len(records),
        "planned": plan.trials,
        "best": best.number if best else None,
        "setting": vars(best.setting) if best else None,
        "valid_accuracy": best.valid_accuracy if best else None,
        "test_accuracy": final.test_accuracy if final else None,
        "slots": {slot: _slot(records, plan.space, slot) for slot in SLOTS},
    }


def _slot(records: Sequence[Record], space: Space, slot: SlotName) -> list[dict[str, Any]]:
    return [
        _candidate([r for r in records if activation_in(slot, r.setting) == name], name)
        for name in names_in(slot, space)
    ]


def _candidate(records: Sequence[Record], name: str) -> dict[str, Any]:
    scores = [r.valid_accuracy for r in records if r.valid_accuracy is not None]
    return {
        "activation": name,
        "trials": len(records),
        "completed": len(scores),
        "best": max(scores, default=None),
        "median": median(scores) if scores else None,
    }
