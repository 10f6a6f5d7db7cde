"""The checker on the output layers of a run of tasks: each with its own loss, one step.

Runs in a worker in parallel to the first trainings, so that it costs no waiting.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from actlab.records import OutputLayer, OutputSetting, Plan, TaskName
from actlab.studies.interface.self_check import IMAGES

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def check_outputs(plan: Plan) -> list[dict[str, Any]]:
    """Return the findings, each with the `setting` (a dictionary) that shows it."""
    from actlab import data, training
    from actlab.studies.trials import replicate_seeds

    assert plan.tasks is not None, "a run of tasks says which"
    dataset = data.open_dataset(plan.data.name, plan.data.directory, plan.data.targets)
    seeds = replicate_seeds(plan.seed, "task", 0)
    train = data.draw_splits(dataset, plan.data.splits, seeds.split).train
    batch = training.to_examples(
        train.images[:IMAGES], train.labels[:IMAGES], dataset.pixel_maximum, "cpu"
    )
    return [
        {"setting": asdict(setting), **finding}
        for setting in plan.tasks.settings
        for finding in _findings(
            plan,
            setting,
            batch.images,
            _target(plan, setting.output.task, train.labels),
            _outputs(plan, setting.output.task, dataset.training_pool.labels),
            seeds.weights,
        )
    ]


def _target(plan: Plan, task: TaskName, labels: "NDArray[Any]") -> "NDArray[Any]":
    """Return the training target of a task: the user's, or made from the digits."""
    from actlab.data.targets import target_of_digits
    from actlab.studies import tasks

    if plan.data.targets is not None:
        return tasks.as_target(task, labels)
    return target_of_digits(task, labels)


def _outputs(plan: Plan, task: TaskName, pool: "NDArray[Any]") -> int:
    from actlab.data.targets import OUTPUTS
    from actlab.studies import tasks

    return OUTPUTS[task] if plan.data.targets is None else tasks.output_count(task, pool)


def _findings(
    plan: Plan,
    setting: OutputSetting,
    images: "Tensor",
    target: "NDArray[Any]",
    outputs: int,
    seed: int,
) -> list[dict[str, Any]]:
    import torch

    from actlab import checker, networks

    layer = setting.output
    ending = layer.ending(setting.protocol)
    torch.manual_seed(seed)
    model = networks.build(
        plan.network, plan.space.first.get("conv"), setting.fc_activation, ending, outputs
    )
    batch = (images, _met_by_the_loss(layer, target, outputs)[: len(images)])
    loss = _loss(layer, on_logits=ending == "logits")
    report = checker.check(model, loss, batch, task=layer.task)
    findings: list[dict[str, Any]] = report.to_dict()["findings"]
    return findings


def _met_by_the_loss(layer: OutputLayer, target: "NDArray[Any]", outputs: int) -> "Tensor":
    """Return the target scaled, or one-hot for binary cross entropy of classes."""
    import torch
    from torch.nn import functional

    from actlab.studies import tasks

    if layer.task == "regression":
        target = tasks.to_training(tasks.fit_scale(layer, target), target)
    found = torch.from_numpy(target)
    if layer.loss == "bce" and found.dtype is torch.int64:
        return functional.one_hot(found, outputs).float()
    return found


def _loss(layer: OutputLayer, *, on_logits: bool) -> "Callable[[Tensor, Tensor], Tensor]":
    from torch.nn import functional

    if layer.loss == "mse":
        return functional.mse_loss
    if layer.loss == "ce":
        return functional.cross_entropy
    if on_logits:
        return functional.binary_cross_entropy_with_logits
    return functional.binary_cross_entropy
