"""What a study would cost, before it starts: trainings, minutes, disk."""

from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime

from actlab.records import FittedSampler, Plan, Setting
from actlab.studies import worker
from actlab.studies.confirm.candidate_settings import CHOOSE_SEEDS, TO_CHOOSE_FROM
from actlab.studies.executors.dispatch import persist, worker_count
from actlab.studies.trials import search_trial

EPOCHS_BEYOND_PATIENCE = 9
"""Epochs that a training takes before its patience begins to run out, in the mean."""

_TIMED_EPOCHS = 2
_PAGE_BYTES = 2_500_000
_STORAGE_BYTES = 150_000
_BYTES_PER_TRIAL = 5_000


@dataclass(frozen=True)
class Estimate:
    """`seconds_per_epoch` is measured here and now; the rest follows from it.

    `trainings` are all of them; `confirmation_trainings`, those of a confirmation, are the most
    that there can be: settings that stand for several candidates are trained once.
    """

    trainings: int
    confirmation_trainings: int
    workers: int
    seconds_per_epoch: float
    epochs_per_training: int
    minutes: float
    disk_megabytes: float


def estimate(plan: Plan, executor: Executor, confirm_seeds: int | None = None) -> Estimate:
    """Time an epoch of the plan's network on its data, and reckon from that.

    With `confirm_seeds` the study is followed by a confirmation on as many seeds.

    Raises ActlabError where data or device are not there, as the study itself would.
    """
    now = datetime.now(UTC).isoformat()
    environment = persist(executor, worker.prepare, plan, "", now)
    space = plan.space
    setting = Setting.of(space.first, space.learning_rate_low)
    trial = search_trial(plan, environment, 0, setting)
    _state, record = persist(executor, worker.train, trial, None, _TIMED_EPOCHS)
    seconds_per_epoch = record.curve[-1].seconds
    epochs = plan.protocol.patience + EPOCHS_BEYOND_PATIENCE
    epochs = min(epochs, plan.protocol.max_epochs or epochs)
    workers = worker_count(plan, plan.trials)
    weights_bytes = 4 * environment.network.parameters
    again = confirmation_trainings(plan, confirm_seeds) if confirm_seeds is not None else 0
    trainings = plan.trials + again
    disk = _PAGE_BYTES + _STORAGE_BYTES + weights_bytes + _BYTES_PER_TRIAL * trainings
    return Estimate(
        trainings=trainings,
        confirmation_trainings=again,
        workers=workers,
        seconds_per_epoch=seconds_per_epoch,
        epochs_per_training=epochs,
        minutes=trainings * epochs * seconds_per_epoch / workers / 60,
        disk_megabytes=disk / 1e6,
    )


def confirmation_trainings(plan: Plan, seeds: int) -> int:
    """Return the most trainings that a confirmation on some seeds can have.

    >>> from actlab.studies.plan.file import read_plan
    >>> confirmation_trainings(read_plan("balanced", {}), 10)
    304
    """
    candidates = sum(map(len, plan.space.by_slot.values()))
    if isinstance(plan.sampler, FittedSampler):
        return min(candidates, plan.trials) * seeds
    to_choose_from = candidates * min(TO_CHOOSE_FROM, plan.trials)
    return to_choose_from * CHOOSE_SEEDS + min(candidates, plan.trials) * seeds
