"""What a constant prediction reaches: the chance that a study is measured against."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from actlab import data
from actlab.errors import DataError
from actlab.i18n import _
from actlab.records import USUAL_TRAINING, Seeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from actlab.records import Plan


def check_target(plan: Plan, dataset: data.Dataset) -> None:
    """Raise DataError where a data set's target is not what the plan's task trains on."""
    task = plan.training.task
    numbers = not dataset.class_names and dataset.is_own
    if numbers != (task in ("regression", "multilabel")) or (
        task == "binary" and dataset.classes != 2
    ):
        message = _(
            "The target of {name} must fit the task {task}; it holds {found}. Give the data again "
            "with that task (--data, --task), or another task."
        )
        found = _("numbers") if numbers else _("{count} classes").format(count=dataset.classes)
        raise DataError(message.format(name=dataset.name, task=task, found=found))


def check_parts(plan: Plan, dataset: data.Dataset) -> None:
    """Raise ActlabError where a part of the training of the user's own does not do its work.

    Each is called once: the loss and the metric on made-up outputs, the augmentation on two rows,
    the optimiser on two numbers, the schedule on that optimiser.
    """
    import torch

    from actlab import training
    from actlab.addresses import user_code
    from actlab.studies.worker.inputs import example_rows
    from actlab.training.study_objective import TrainingPartError

    part = plan.training
    parts = training.parts_of(part, plan.protocol)
    labels = torch.from_numpy(dataset.training_pool.labels[:64])
    if part == USUAL_TRAINING:
        return
    weights = training.class_weights(part, labels)
    if weights is not None and part.class_weights != "balanced" and len(weights) != dataset.classes:
        message = _("class_weights must have a weight for each of {count} classes; it has {given}.")
        raise DataError(message.format(count=dataset.classes, given=len(weights)))
    objective = training.objective_of_study(part, None, weights)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        outputs = torch.randn(len(labels), dataset.classes, requires_grad=True)
        loss = objective.loss(outputs, labels)
        if not loss.requires_grad:
            message = _("{address} must return a loss that has a gradient.")
            raise TrainingPartError(message.format(address=part.loss))
        training.measure_of(part)(outputs.detach(), labels)
        rows = example_rows(plan.data)
        if parts.augmentation is not None and part.augmentation is not None:
            advice = _("An augmentation is called with a batch of inputs, and returns as many.")
            with user_code(part.augmentation, TrainingPartError, advice=advice):
                changed = parts.augmentation(rows)
            if getattr(changed, "shape", None) != rows.shape:
                message = _(
                    "{address} must return inputs of the shape {shape}; it returns {other}."
                )
                other = getattr(changed, "shape", type(changed).__name__)
                raise TrainingPartError(
                    message.format(address=part.augmentation, shape=tuple(rows.shape), other=other)
                )
        groups = [{"params": [torch.nn.Parameter(torch.zeros(2))]}]
        made: Any = torch.optim.AdamW(groups, 0.001)
        if parts.optimiser is not None:
            advice = _("An optimiser is called with groups of parameters and the rate.")
            with user_code(part.optimiser, TrainingPartError, advice=advice):
                made = parts.optimiser(groups, 0.001)
            _check_has_step(str(part.optimiser), made, advice)
        if parts.schedule is not None and part.schedule is not None:
            advice = _("A schedule is called with the optimiser, and stepped after each epoch.")
            with user_code(part.schedule, TrainingPartError, advice=advice):
                schedule = parts.schedule(made)
            _check_has_step(part.schedule, schedule, advice)


def _check_has_step(address: str, made: Any, advice: str) -> None:
    """Raise TrainingPartError where an optimiser or a schedule cannot be stepped."""
    from actlab.training.study_objective import TrainingPartError

    if not callable(getattr(made, "step", None)):
        message = _("{address} must return something with a method step; it returns {kind}.")
        text = message.format(address=address, kind=type(made).__name__)
        raise TrainingPartError(f"{text} {advice}")


def best_constant(plan: Plan, dataset: data.Dataset) -> tuple[float, str] | None:
    """Return what the best constant prediction reaches on valid_trial, and what it says.

    Of classes each is tried, of several yes or no their most frequent answers, of numbers the mean
    and the median of the training rows. None where the metric has no finite value for it.
    """
    import torch

    from actlab import training

    splits = data.draw_splits(dataset, plan.data.splits, Seeds.of_search(plan.seed).split)
    train, targets = (torch.from_numpy(part.labels) for part in (splits.train, splits.valid_trial))
    measured = plan.training.measured
    measure = training.measure_of(plan.training)
    found: list[tuple[float, str]] = []
    for outputs, name in _constants(plan.training.task, train, len(targets), dataset.class_names):
        value = measure(outputs, targets)
        if math.isfinite(value):
            found.append((value, name))
    return max(found, key=lambda one: measured.oriented(one[0]), default=None)


def _constants(
    task: str, train: Tensor, rows: int, names: tuple[str, ...]
) -> Iterator[tuple[Tensor, str]]:
    import torch

    if task == "regression":
        for value, name in (
            (train.mean(dim=0), _("mean")),
            (train.median(dim=0).values, _("median")),
        ):
            yield value.expand(rows, -1).double(), name
    elif task == "multilabel":
        usual = (train.mean(dim=0) > 0.5).float()
        yield (2 * usual - 1).expand(rows, -1), _("the more frequent answers")
    else:
        for number, name in enumerate(names):
            outputs = torch.zeros(rows, len(names))
            outputs[:, number] = 1.0
            yield outputs, name
