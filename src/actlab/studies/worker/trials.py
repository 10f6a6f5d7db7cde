"""Training the trials of a study to their records, and reading the test figure of one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from actlab.records import FinalFigure, Record, Trial, failed_record, slot_name
from actlab.studies.worker.inputs import example_rows, network_of, test_examples, training_data
from actlab.studies.worker.live_progress import epoch_writer
from actlab.studies.worker.user_training import train_by_function

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    from actlab.training import ActivationProbe, Objective, Recipe, Training, TrainingData

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
        valid_score=outcome.valid_score,
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

    if trial.training.function is not None:
        return train_by_function(trial, failed_record(trial, "", _code_version()))
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

    if any(trial.training.function is not None for trial in trials):
        return [train(trial) for trial in trials]
    models, parts, recipes = zip(*map(_given, trials), strict=True)
    outcomes = (together or fused.train_together)(models, parts, recipes, networks.as_written)
    found = zip(trials, outcomes, strict=True)
    return [(outcome.state, record_of(trial, outcome)) for trial, outcome in found]


def test_accuracy(trial: Trial, weights: bytes) -> FinalFigure:
    """Return the figure on the test split of a trial's model, given its weights file's content.

    Raises DataError where the data are missing or not those that the trial was planned on.
    """
    from actlab import training

    if trial.training.function is not None:
        return FinalFigure(trial.number, trial.identity, test_accuracy=None, test_images=0)
    examples = test_examples(trial)
    model = network_of(trial)
    model.load_state_dict(training.weights_from_bytes(weights))
    seeds = trial.seeds.split, trial.avoided_split
    train = training_data(trial.data, trial.fingerprint, *seeds, trial.device).train
    objective = objective_of_trial(trial, train.labels)
    found = training.score(model, examples, training.POLICIES[trial.precision], objective).metric
    in_percent = trial.training.measured.in_percent
    return FinalFigure(
        number=trial.number,
        identity=trial.identity,
        test_accuracy=found if in_percent else None,
        test_images=len(examples),
        test_score=None if in_percent else found,
    )


def _given(trial: Trial) -> tuple[nn.Module, TrainingData, Recipe]:
    """Return what is trained of a trial, on what, and how."""
    from actlab import networks, training

    model, seeds = network_of(trial), trial.seeds
    drawn = training_data(
        trial.data, trial.fingerprint, seeds.split, trial.avoided_split, trial.device
    )
    decays = trial.training.decay_activations
    if decays is None:
        decays = trial.protocol.name == "published"
    return (
        model,
        drawn,
        training.Recipe(
            trial.setting.learning_rate,
            trial.protocol,
            seeds.order,
            training.POLICIES[trial.precision],
            _probe(trial, model),
            objective_of_trial(trial, drawn.train.labels),
            parts=training.parts_of(trial.training, trial.protocol),
            undecayed=frozenset() if decays else networks.activation_parameters(model),
            on_epoch=epoch_writer(trial),
        ),
    )


def objective_of_trial(trial: Trial, labels: Tensor) -> Objective:
    """Return the objective of a trial; what is fitted to a target is so to the training rows."""
    from actlab import training

    weights = training.class_weights(trial.training, labels)
    is_regression = trial.training.task == "regression"
    scale = training.ColumnScale.of(labels) if is_regression else None
    return training.objective_of_study(trial.training, scale, weights)


def _probe(trial: Trial, model: nn.Module) -> ActivationProbe | None:
    """Return what looks into the networks of replicates; those of a search are too many."""
    from actlab import networks, training

    if trial.stage == "search":
        return None
    by_address = networks.is_address(trial.network)
    found = networks.slots(model, example_rows(trial.data).to(trial.device) if by_address else None)
    modules = dict(model.named_modules())  # a call that stayed a call has no module to look into
    activations = trial.setting.activations
    further = [slot for slot in activations if slot not in ("conv", "fc")]
    sites = {
        slot: name
        for slot in found
        if slot.swappable and slot.path in modules and hasattr(modules.get(slot.layer), "weight")
        for name in [slot_name(replace(slot, path=slot.path.removeprefix("network.")), further)]
        if name is not None and name in activations
    }
    return training.ActivationProbe(tuple(sites), names=sites, view=networks.as_written)
