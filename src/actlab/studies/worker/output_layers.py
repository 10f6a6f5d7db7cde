"""Training the trials of a run of tasks: other targets, heads and losses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from actlab.records import Outcome, OutputFigures, Record, TaskName, Trial
from actlab.studies.worker.inputs import network_of, test_examples, training_data
from actlab.studies.worker.trials import record_of

if TYPE_CHECKING:
    from actlab.training import Examples


def train_output(
    trial: Trial, state: bytes | None = None, until_epoch: int | None = None
) -> tuple[bytes, Record]:
    """Train a trial of a run of tasks as `train` does, and read its figures on the test split.

    A regression's target is scaled by the training rows alone; nothing is chosen by the test
    figures. Raises DataError, too, where a target does not fit its task.
    """
    from actlab import training
    from actlab.studies import tasks

    assert trial.output is not None, "a trial of a run of tasks has an output layer"
    task, own = trial.output.task, trial.data.targets is not None
    seed = trial.seeds.split
    drawn = training_data(trial.data, trial.fingerprint, seed, None, trial.device)
    learnt, valid = (_with_target(part, task, own) for part in (drawn.train, drawn.valid_epoch))
    scale = tasks.fit_scale(trial.output, learnt.labels.cpu().numpy())
    objective = training.objective_of(trial.output, trial.protocol.head, scale)
    policy, order = training.POLICIES[trial.precision], trial.seeds.order
    recipe = training.Recipe(
        trial.setting.learning_rate, trial.protocol, order, policy, objective=objective
    )
    model, parts = network_of(trial), training.TrainingData(learnt, valid, valid)
    steps = -(-len(learnt) // trial.protocol.batch_size)
    with training.GradientTrace(model, steps) as trace:
        outcome = training.train(model, parts, recipe, state, until_epoch)
    record = record_of(trial, outcome)
    if outcome.outcome is not Outcome.COMPLETED:
        return outcome.state, record
    test = _with_target(test_examples(trial), task, own)
    said = training.predict(model, test, policy, objective)
    figures = OutputFigures(
        test=training.score(model, test, policy, objective).metric,
        test_images=len(test),
        scale=scale,
        summary=tasks.summarise(task, said.numpy(), test.labels.cpu().numpy()),
        gradients=trace.layers(),
    )
    return outcome.state, replace(record, figures=figures)


def _with_target(part: Examples, task: TaskName, own: bool) -> Examples:
    """Return examples with the target of a task: the user's, or made from the digits."""
    import torch

    from actlab.data.targets import OUTPUTS, target_of_digits
    from actlab.studies import tasks

    labels = part.labels.cpu().numpy()
    target = labels if own else target_of_digits(task, labels)
    tasks.check_target(task, target, None if own else OUTPUTS[task])
    target = tasks.as_target(task, target) if own else target
    return replace(part, labels=torch.from_numpy(target).to(part.labels.device))
