"""What runs in a worker process: opening data by name, building the network, training it.

Every function is a pure function of its arguments, so that any executor can run it anywhere. The
module itself is light, since the driving process imports it too: torch is loaded inside functions.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, lru_cache
from importlib import metadata
from typing import TYPE_CHECKING

from actlab import data
from actlab.errors import DataError
from actlab.i18n import _
from actlab.records import (
    DataPlan,
    Environment,
    FinalFigure,
    Head,
    Outcome,
    OutputFigures,
    Plan,
    Precision,
    Record,
    Seeds,
    TaskName,
    Trial,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from actlab.training import ActivationProbe, Device, Examples, Recipe, Training, TrainingData

_LIBRARIES = ("actlab", "numpy", "optuna", "scikit-learn", "torch", "torchinfo")


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
    return outcome.state, _record(trial, outcome)


def train_many(trials: Sequence[Trial]) -> list[tuple[bytes, Record]]:
    """Train trials to their ends, in lock-step where they can be and that is measured to be faster.

    They differ in number, setting, seeds and stage alone. Raises what `train` raises.
    """
    from actlab import networks
    from actlab.training import fused

    models, parts, recipes = zip(*map(_given, trials), strict=True)
    outcomes = fused.train_together(models, parts, recipes, networks.as_written)
    found = zip(trials, outcomes, strict=True)
    return [(outcome.state, _record(trial, outcome)) for trial, outcome in found]


def train_output(
    trial: Trial, state: bytes | None = None, until_epoch: int | None = None
) -> tuple[bytes, Record]:
    """Train a trial of a run of tasks as `train` does, and read its figures on the test split.

    A regression's target is scaled by the training rows alone; nothing is chosen by the test
    figures. Raises DataError, too, where a target does not fit its task.
    """
    from actlab import tasks, training

    assert trial.output is not None, "a trial of a run of tasks has an output layer"
    task, own = trial.output.task, trial.data.targets is not None
    seed = trial.seeds.split
    drawn = _training_data(trial.data, trial.fingerprint, seed, None, trial.device)
    learnt, valid = (_with_target(part, task, own) for part in (drawn.train, drawn.valid_epoch))
    scale = tasks.fit_scale(trial.output, learnt.labels.cpu().numpy())
    objective = training.objective_of(trial.output, trial.protocol.head, scale)
    arithmetic, order = training.ARITHMETIC[trial.precision], trial.seeds.order
    recipe = training.Recipe(
        trial.setting.learning_rate, trial.protocol, order, arithmetic, objective=objective
    )
    model, parts = _network(trial), training.TrainingData(learnt, valid, valid)
    steps = -(-len(learnt) // trial.protocol.batch_size)
    with training.GradientTrace(model, steps) as trace:
        outcome = training.train(model, parts, recipe, state, until_epoch)
    record = _record(trial, outcome)
    if outcome.outcome is not Outcome.COMPLETED:
        return outcome.state, record
    test = _with_target(_test_examples(trial), task, own)
    said = training.predict(model, test, arithmetic, objective)
    figures = OutputFigures(
        test=training.score(model, test, arithmetic, objective).metric,
        test_images=len(test),
        scale=scale,
        summary=tasks.summarise(task, said.numpy(), test.labels.cpu().numpy()),
        gradients=trace.layers(),
    )
    return outcome.state, replace(record, figures=figures)


def test_accuracy(trial: Trial, weights: bytes) -> FinalFigure:
    """Return the accuracy on the test split of a trial's model, given its weights file's content.

    Raises DataError where the data are missing or not those that the trial was planned on.
    """
    from actlab import training

    examples = _test_examples(trial)
    model = _network(trial)
    model.load_state_dict(training.weights_from_bytes(weights))
    return FinalFigure(
        number=trial.number,
        identity=trial.identity,
        test_accuracy=training.score(model, examples, training.ARITHMETIC[trial.precision]).metric,
        test_images=len(examples),
    )


def prepare(plan: Plan, command: str, started: str) -> Environment:
    """Open the plan's data, build its network, choose device and precision; return what was found.

    `command` is what started the study, `started` when, in ISO 8601.

    Raises DataError for data that are missing, altered, too small or of another size than the
    network takes, NetworkError for a network of the user's own that does not fit, DeviceError for a
    device or a precision that this machine does not have, UnknownNameError for a name that nothing
    has.
    """
    from actlab import networks, training

    device = training.resolve_device(plan.execution.device)
    dataset = data.open_dataset(plan.data.name, plan.data.directory, plan.data.targets)
    shape = data.image_shape(plan.data.name)
    networks.check_fits(plan.network, plan.space, plan.data.name, shape, dataset.classes)
    return Environment(
        versions=training.versions_of(_LIBRARIES),
        machine=training.describe_machine(device),
        fingerprint=dataset.fingerprint,
        class_counts=data.class_counts(dataset, plan.data.splits, Seeds.of_search(plan.seed).split),
        network=networks.summarise(
            plan.network,
            *_first_pair(plan),
            plan.protocol.head,
            (plan.protocol.batch_size, *shape),
        ),
        precision=training.resolve_precision(
            plan.execution.precision, device, lambda: _faster_precision(plan, device)
        ),
        device=device,
        command=command,
        started=started,
    )


def initialise() -> None:
    """Make a new process ready to train: one thread, and memory that stays in it."""
    import torch

    from actlab import training

    torch.set_num_threads(1)
    # A saturated network's gradients become denormal numbers, on which a CPU computes many times
    # slower; as zeros they change no accuracy (benchmarks/denormals.py).
    torch.set_flush_denormal(True)
    torch.set_num_interop_threads(1)
    training.keep_pages()


@lru_cache(maxsize=2)
def _training_data(
    plan: DataPlan, fingerprint: str, split_seed: int, avoided_split: int | None, device: Device
) -> TrainingData:
    from actlab import training

    dataset = _planned_dataset(plan, fingerprint)
    splits = data.draw_splits(dataset, plan.splits, split_seed, avoided_split)
    parts = {
        name: training.to_examples(part.images, part.labels, dataset.pixel_maximum, device)
        for name, part in vars(splits).items()
    }
    return training.TrainingData(**parts)


def _planned_dataset(plan: DataPlan, fingerprint: str) -> data.Dataset:
    dataset = data.open_dataset(plan.name, plan.directory, plan.targets)
    if dataset.fingerprint != fingerprint:
        raise DataError(
            _(
                "The data set {name} must be the one that the study was planned on, with "
                "fingerprint {expected}; found {found}. Put the original data back, or start a "
                "new study."
            ).format(name=plan.name, expected=fingerprint, found=dataset.fingerprint)
        )
    return dataset


def _test_examples(trial: Trial) -> Examples:
    from actlab import training

    dataset = _planned_dataset(trial.data, trial.fingerprint)
    split = data.final_test_split(dataset, trial.data.splits, trial.seeds.split)
    return training.to_examples(split.images, split.labels, dataset.pixel_maximum, trial.device)


def _with_target(part: Examples, task: TaskName, own: bool) -> Examples:
    """Return examples with the target of a task: the user's own, or made from the digits."""
    import torch

    from actlab import tasks

    labels = part.labels.cpu().numpy()
    target = labels if own else tasks.target_of_digits(task, labels)
    tasks.check_target(task, target, None if own else tasks.OUTPUTS[task])
    target = tasks.own_target(task, target) if own else target
    return replace(part, labels=torch.from_numpy(target).to(part.labels.device))


def _given(trial: Trial) -> tuple[nn.Module, TrainingData, Recipe]:
    """Return what is trained of a trial, on what, and how."""
    from actlab import training

    model, seeds = _network(trial), trial.seeds
    return (
        model,
        _training_data(
            trial.data, trial.fingerprint, seeds.split, trial.avoided_split, trial.device
        ),
        training.Recipe(
            trial.setting.learning_rate,
            trial.protocol,
            seeds.order,
            training.ARITHMETIC[trial.precision],
            _probe(trial, model),
        ),
    )


def _network(trial: Trial) -> nn.Module:
    setting = trial.setting
    return _built(
        trial.network,
        (setting.conv_activation, setting.fc_activation),
        trial.protocol.head,
        trial.seeds.weights,
        trial.device,
        _outputs(trial),
    )


def _outputs(trial: Trial) -> int:
    """Return how many outputs the network of a trial has."""
    from actlab import tasks

    task = "multiclass" if trial.output is None else trial.output.task
    if trial.data.targets is None:
        return tasks.OUTPUTS[task]
    dataset = _planned_dataset(trial.data, trial.fingerprint)
    return tasks.output_count(task, dataset.training_pool.labels)


def _probe(trial: Trial, model: nn.Module) -> ActivationProbe | None:
    """Return what looks into the networks of replicates; those of a search are too many."""
    from actlab import networks, training

    if trial.stage == "search":
        return None
    found = networks.slots(model)
    sites = tuple(training.Site(slot.path, slot.kind, slot.layer) for slot in found)
    return training.ActivationProbe(sites, view=networks.as_written)


def _faster_precision(plan: Plan, device: Device) -> Precision:
    """Return which precision is faster for the plan's network with its first activations."""
    import torch

    from actlab import training

    model = _built(plan.network, _first_pair(plan), plan.protocol.head, plan.seed, device)
    shape = (plan.protocol.batch_size, *data.image_shape(plan.data.name))
    return training.faster_precision(model, torch.zeros(shape, device=device))


def _first_pair(plan: Plan) -> tuple[str, str]:
    return plan.space.conv_activation[0], plan.space.fc_activation[0]


def _built(
    network: str,
    activations: tuple[str, str],
    head: Head,
    seed: int,
    device: Device,
    outputs: int = 10,
) -> nn.Module:
    """Return a network with the weights of `seed`, laid out for speed, on `device`."""
    import torch

    from actlab import networks, training

    training.resolve_device(device)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = networks.build(network, *activations, head, outputs)
    return training.place(networks.positions_first(model), device)


def _record(trial: Trial, outcome: Training) -> Record:
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
