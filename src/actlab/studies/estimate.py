"""What a study would cost, before it starts: trainings, minutes, disk."""

from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime

from actlab import worker
from actlab.records import Plan, Setting
from actlab.studies.attempts import persist
from actlab.studies.session import worker_count
from actlab.studies.trials import search_trial

EPOCHS_BEYOND_PATIENCE = 9
"""Epochs that a training takes before its patience begins to run out, in the mean."""

_TIMED_EPOCHS = 2
_PAGE_BYTES = 2_500_000
_STORAGE_BYTES = 150_000
_BYTES_PER_TRIAL = 5_000


@dataclass(frozen=True)
class Estimate:
    """`seconds_per_epoch` is measured here and now; the rest follows from it."""

    trainings: int
    workers: int
    seconds_per_epoch: float
    epochs_per_training: int
    minutes: float
    disk_megabytes: float


def estimate(plan: Plan, executor: Executor) -> Estimate:
    """Time an epoch of the plan's network on its data, and reckon from that.

    Raises ActlabError where data or device are not there, as the study itself would.
    """
    now = datetime.now(UTC).isoformat()
    environment = persist(executor, worker.prepare, plan, "", now)
    space = plan.space
    setting = Setting(space.conv_activation[0], space.fc_activation[0], space.learning_rate_low)
    trial = search_trial(plan, environment, 0, setting)
    _state, record = persist(executor, worker.train, trial, None, _TIMED_EPOCHS)
    seconds_per_epoch = record.curve[-1].seconds
    epochs = plan.protocol.patience + EPOCHS_BEYOND_PATIENCE
    epochs = min(epochs, plan.protocol.max_epochs or epochs)
    workers = worker_count(plan, plan.trials)
    weights_bytes = 4 * environment.network.parameters
    disk = _PAGE_BYTES + _STORAGE_BYTES + weights_bytes + _BYTES_PER_TRIAL * plan.trials
    return Estimate(
        trainings=plan.trials,
        workers=workers,
        seconds_per_epoch=seconds_per_epoch,
        epochs_per_training=epochs,
        minutes=plan.trials * epochs * seconds_per_epoch / workers / 60,
        disk_megabytes=disk / 1e6,
    )
