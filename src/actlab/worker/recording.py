"""What came out of a training, as the record of its trial."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from actlab.records import Record, Trial

if TYPE_CHECKING:
    from actlab.training import Training


def record_of(trial: Trial, outcome: Training) -> Record:
    """Return the record of a trial that ended, or paused."""
    return Record(
        identity=trial.identity,
        number=trial.number,
        setting=trial.setting,
        replicate=trial.replicate,
        seeds=trial.seeds,
        protocol=trial.protocol,
        precision=trial.precision,
        fingerprint=trial.fingerprint,
        outcome=outcome.outcome,
        reason=outcome.reason,
        valid_accuracy=outcome.valid_accuracy,
        epochs=len(outcome.curve),
        best_epoch=outcome.best_epoch,
        curve=outcome.curve,
        seconds=outcome.seconds,
        code_version=_code_version(),
        stage=trial.stage,
        probes=outcome.probes,
        avoided_split=trial.avoided_split,
        output=trial.output,
        valid_mse=outcome.valid_mse,
    )


@cache
def _code_version() -> str:
    return metadata.version("actlab")
