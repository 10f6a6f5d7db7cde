"""The same answer twice: trainings of a study run again and compared with their records."""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from importlib import metadata

from actlab.errors import ActlabError
from actlab.i18n import _
from actlab.records import Environment, Outcome, Plan, Record, Trial
from actlab.studies import worker
from actlab.studies.executors.dispatch import persist
from actlab.studies.run_folder import RunFolder
from actlab.studies.trials import Replicate, derived_seed, replicate_trial, search_trial

_ENDED_BY_ITSELF = (Outcome.COMPLETED, Outcome.DIVERGED)
"""How a training ends that can be run again: of the others a pruner or a fault decided."""


@dataclass(frozen=True)
class Repeated:
    """One training, as it was recorded and as it came out now.

    `curve_difference` is the largest difference of a loss or an accuracy between two epochs of the
    same number; None where the trainings have different numbers of epochs.
    """

    number: int
    stage: str
    replicate: int | None
    outcome: str
    outcome_again: str
    valid_accuracy: float | None
    valid_accuracy_again: float | None
    epochs: int
    epochs_again: int
    curve_difference: float | None

    @property
    def is_equal(self) -> bool:
        """Return whether everything that was recorded came out the same, to the last digit."""
        return (
            self.outcome == self.outcome_again
            and self.valid_accuracy == self.valid_accuracy_again
            and self.curve_difference == 0.0
        )


def verify(
    folder: RunFolder, executor: Executor, trials: int = 3, number: int | None = None
) -> Iterator[Repeated]:
    """Run some trainings of a study again, or the one with a number, and yield what came out.

    The same sample each time; nothing in the folder is changed. Raises ActlabError for a study in
    which nothing ended by itself, or without such a number.
    """
    environment = folder.environment()
    records = [r for r in folder.all_records() if r.outcome in _ENDED_BY_ITSELF and not r.output]
    if environment is None or not records:
        message = _("{path} holds no training that can be run again.")
        raise ActlabError(message.format(path=folder.path))
    for record in _chosen(records, folder.plan().seed, trials, number):
        trial = trial_of(folder.plan(), environment, record)
        _state, again = persist(executor, worker.train, trial, None, None)
        yield Repeated(
            number=record.number,
            stage=record.stage,
            replicate=record.replicate,
            outcome=record.outcome.value,
            outcome_again=again.outcome.value,
            valid_accuracy=record.valid_accuracy,
            valid_accuracy_again=again.valid_accuracy,
            epochs=record.epochs,
            epochs_again=again.epochs,
            curve_difference=_curve_difference(record, again),
        )


def _chosen(
    records: Sequence[Record], seed: int, trials: int, number: int | None
) -> Sequence[Record]:
    if number is None:
        count = min(trials, len(records))
        found = random.Random(derived_seed(seed, "verify")).sample(list(records), count)
        return sorted(found, key=lambda record: record.number)
    named = [record for record in records if record.number == number]
    if not named:
        message = _("There is no training {number} that can be run again.")
        raise ActlabError(message.format(number=number))
    return named


def trial_of(plan: Plan, environment: Environment, record: Record) -> Trial:
    """Return the trial that a record came from.

    Raises ActlabError where the plan is not the one any more under which it was recorded.
    """
    if record.stage == "search":
        trial = search_trial(plan, environment, record.number, record.setting)
    else:
        again = Replicate(record.number, record.setting, record.stage, record.replicate or 0)
        trial = replicate_trial(plan, environment, again)
    if trial.identity != record.identity:
        message = _(
            "Training {number} was recorded under another plan than the one that is there now."
        )
        raise ActlabError(message.format(number=record.number))
    return trial


def _curve_difference(record: Record, again: Record) -> float | None:
    if len(record.curve) != len(again.curve):
        return None
    pairs = [
        (getattr(old, name), getattr(new, name))
        for old, new in zip(record.curve, again.curve, strict=True)
        for name in ("train_loss", "valid_loss", "valid_accuracy")
    ]
    if any((old is None) != (new is None) for old, new in pairs):
        return None
    return max((abs(new - old) for old, new in pairs if old is not None), default=0.0)


def changed_versions(environment: Environment) -> dict[str, tuple[str, str]]:
    """Return the libraries whose version is not that of the study: then and now."""
    found = {}
    for name, then in environment.versions.items():
        try:
            now = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if now != then:
            found[name] = (then, now)
    return found
