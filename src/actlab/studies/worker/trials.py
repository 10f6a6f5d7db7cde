"""Training the trials of a study to their records, and reading the test figure of one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from actlab.records import FinalFigure, Record, Trial, failed_record
from actlab.studies.worker.inputs import example_rows, network_of, test_examples, training_data
from actlab.studies.worker.live_progress import epoch_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from actlab.training import ActivationProbe, Recipe, Training, TrainingData

    Together = Callable[
        [
            Sequence[nn.Module],
            Sequence[TrainingData],
            Sequence[Recipe],
            Callable[[nn.Module], nn.Module],
        ],
        list[Training],
    ]


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


def train(
    trial: Trial, state: bytes | None = None, until_epoch: int | None = None
) -> tuple[bytes, Record]:
    """Train one trial, or the segment of it that ends with `until_epoch`.

    Returns the state and the record. Once the training has ended the state is the content of its
    weights file (empty where no epoch was finished); while the record's outcome is `paused`, it is
    what the next call takes to go on.

    Raises DataError where the data are missing or not those that the trial was planned on,
    DeviceError for a device that is not there.
    """
    from actlab import training

    outcome = training.train(*_given(trial), state, until_epoch)
    return outcome.state, record_of(trial, outcome)


def train_many(
    trials: Sequence[Trial], together: Together | None = None
) -> list[tuple[bytes, Record]]:
    """Train trials to their ends, in lock-step where they can be and that is measured to be faster.

    They differ in number, setting, seeds and stage alone. Another way to train them is given as
    `together`, with the arguments of `fused.train_together`. Raises what `train` raises.
    """
    from actlab import networks
    from actlab.training import fused

    models, parts, recipes = zip(*map(_given, trials), strict=True)
    outcomes = (together or fused.train_together)(models, parts, recipes, networks.as_written)
    found = zip(trials, outcomes, strict=True)
    return [(outcome.state, record_of(trial, outcome)) for trial, outcome in found]


def test_accuracy(trial: Trial, weights: bytes) -> FinalFigure:
    """Return the accuracy on the test split of a trial's model, given its weights file's content.

    Raises DataError where the data are missing or not those that the trial was planned on.
    """
    from actlab import training

    examples = test_examples(trial)
    model = network_of(trial)
    model.load_state_dict(training.weights_from_bytes(weights))
    return FinalFigure(
        number=trial.number,
        identity=trial.identity,
        test_accuracy=training.score(model, examples, training.POLICIES[trial.precision]).metric,
        test_images=len(examples),
    )


def _given(trial: Trial) -> tuple[nn.Module, TrainingData, Recipe]:
    """Return what is trained of a trial, on what, and how."""
    from actlab import training

    model, seeds = network_of(trial), trial.seeds
    return (
        model,
        training_data(
            trial.data, trial.fingerprint, seeds.split, trial.avoided_split, trial.device
        ),
        training.Recipe(
            trial.setting.learning_rate,
            trial.protocol,
            seeds.order,
            training.POLICIES[trial.precision],
            _probe(trial, model),
            on_epoch=epoch_writer(trial),
        ),
    )


def _probe(trial: Trial, model: nn.Module) -> ActivationProbe | None:
    """Return what looks into the networks of replicates; those of a search are too many."""
    from actlab import networks, training

    if trial.stage == "search":
        return None
    by_address = networks.is_address(trial.network)
    found = networks.slots(model, example_rows(trial.data).to(trial.device) if by_address else None)
    modules = dict(model.named_modules())  # a call that stayed a call has no module to look into
    sites = tuple(
        slot
        for slot in found
        if slot.kind in ("conv", "fc")
        and slot.path in modules
        and hasattr(modules.get(slot.layer), "weight")
    )
    return training.ActivationProbe(sites, view=networks.as_written)
