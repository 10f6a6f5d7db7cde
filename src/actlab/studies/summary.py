"""What run folders say so far, one or several side by side: finished, running or interrupted."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from actlab.records import FinalFigure, Record, SlotName, best_record
from actlab.studies.confirm.candidate_settings import activation_in
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
        "test_score": final.test_score if final is not None else None,
        "verdict": None,
        **_compared(folder),
    }


def _compared(folder: RunFolder) -> dict[str, Any]:
    """Return what is compared: which activations of how many, by which task and metric."""
    environment, training = folder.environment(), folder.plan().training
    coverage = environment.coverage if environment is not None else None
    return {
        "coverage": None if coverage is None else asdict(coverage),
        "task": training.task if training.function is None else None,
        "metric": training.measured.name,
        "higher_is_better": training.measured.higher_is_better,
        "baseline": None if environment is None else environment.baseline,
        "init": folder.plan().init,
    }


def trial_row(record: Record) -> dict[str, Any]:
    """Return the part of a record that scripts build on."""
    return {
        "number": record.number,
        "setting": record.setting.document(),
        "outcome": record.outcome.value,
        "valid_accuracy": record.valid_accuracy,
        "valid_score": record.valid_score,
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
        "setting": best.setting.document() if best else None,
        "valid_accuracy": best.valid_accuracy if best else None,
        "valid_score": best.valid_score if best else None,
        "test_accuracy": final.test_accuracy if final else None,
        "slots": {slot: _slot(records, names, slot) for slot, names in plan.space.by_slot.items()},
    }


def _slot(records: Sequence[Record], names: Sequence[str], slot: SlotName) -> list[dict[str, Any]]:
    return [
        _candidate([r for r in records if activation_in(slot, r.setting) == name], name)
        for name in names
    ]


def _candidate(records: Sequence[Record], name: str) -> dict[str, Any]:
    best = best_record(tuple(records))
    scores = [r.valid_metric for r in records if r.valid_metric is not None]
    return {
        "activation": name,
        "trials": len(records),
        "completed": len(scores),
        "best": best.valid_metric if best is not None else None,
        "median": median(scores) if scores else None,
    }
