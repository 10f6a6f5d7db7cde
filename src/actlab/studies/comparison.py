"""Two or more studies side by side, per activation of each slot."""

from collections.abc import Sequence
from statistics import median
from typing import Any, Literal

from actlab.records import Record, Space, best_record
from actlab.studies.run_folder import RunFolder
from actlab.studies.summary import final_of_best, told_records

Slot = Literal["conv", "fc"]
SLOTS: tuple[Slot, ...] = ("conv", "fc")


def comparison(folders: Sequence[RunFolder]) -> dict[str, Any]:
    """Return the document of `actlab study compare --json`.

    Per study: plan, protocol, best, test accuracy; per slot and activation: how many trials it
    had, how many completed, its best and its median valid (trial) accuracy.
    """
    return {"studies": [_study(folder) for folder in folders]}


def _study(folder: RunFolder) -> dict[str, Any]:
    plan, records = folder.plan(), told_records(folder)
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


def _slot(records: Sequence[Record], space: Space, slot: Slot) -> list[dict[str, Any]]:
    names = space.conv_activation if slot == "conv" else space.fc_activation
    return [_candidate([r for r in records if _of(r, slot) == name], name) for name in names]


def _of(record: Record, slot: Slot) -> str:
    setting = record.setting
    return setting.conv_activation if slot == "conv" else setting.fc_activation


def _candidate(records: Sequence[Record], name: str) -> dict[str, Any]:
    scores = [r.valid_accuracy for r in records if r.valid_accuracy is not None]
    return {
        "activation": name,
        "trials": len(records),
        "completed": len(scores),
        "best": max(scores, default=None),
        "median": median(scores) if scores else None,
    }
