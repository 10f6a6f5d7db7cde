"""What came out of a training, as the record of its trial."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from actlab.records import Record, Trial, failed_record

if TYPE_CHECKING:
    from actlab.training import Training


def record_of(trial: Trial, outcome: Training) -> Record:
    """Return the record of a trial that ended, or paused."""
    return replace(
        failed_record(trial, "", _code_version()),
        outcome=outcome.outcome,
        reason=outcome.reason,
        valid_accuracy=outcome.valid_accuracy,
        epochs=len(outcome.curve),
        best_epoch=outcome.best_epoch,
        curve=outcome.curve,
        seconds=outcome.seconds,
        probes=outcome.probes,
        valid_mse=outcome.valid_mse,
    )


@cache
def _code_version() -> str:
    return metadata.version("actlab")
