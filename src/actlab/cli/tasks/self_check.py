"""The checker on the output layers of a run of tasks: each with its own loss, one step.

Runs in a worker beside the first trainings, so that it costs no waiting.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from actlab.records import OutputLayer, OutputSetting, Plan
from actlab.workbench.self_check import IMAGES

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from actlab.training import Examples


def check_outputs(plan: Plan) -> list[dict[str, Any]]:
    """Return the findings, each with the `setting` (a dictionary) that shows it."""
    from actlab import data, training
    from actlab.studies.trials import replicate_seeds

    assert plan.tasks is not None, "a run of tasks says which"
    dataset = data.open_dataset(plan.data.name, plan.data.directory)
    seeds = replicate_seeds(plan.seed, "task", 0)
    train = data.draw_splits(dataset, plan.data.splits, seeds.split).train
    batch = training.to_examples(
        train.images[:IMAGES], train.labels[:IMAGES], dataset.pixel_maximum, "cpu"
    )
    return [
        {"setting": asdict(setting), **finding}
        for setting in plan.tasks.settings
        for finding in _findings(plan, setting, batch, train.labels, seeds.weights)
    ]


def _findings(
    plan: Plan,
    setting: OutputSetting,
    batch: "Examples",
    digits: "np.ndarray[Any, Any]",
    seed: int,
) -> list[dict[str, Any]]:
    import torch

    from actlab import checker, networks, tasks

    layer = setting.output
    ending = layer.ending(setting.protocol)
    torch.manual_seed(seed)
    model = networks.build(
        plan.network,
        plan.space.conv_activation[0],
        setting.fc_activation,
        ending,
        tasks.OUTPUTS[layer.task],
    )
    target = _target(layer, digits)[: len(batch)]
    report = checker.check(
        model, _loss(layer, on_logits=ending == "logits"), (batch.images, target), task=layer.task
    )
    findings: list[dict[str, Any]] = report.to_dict()["findings"]
    return findings


def _target(layer: OutputLayer, digits: "np.ndarray[Any, Any]") -> "Tensor":
    """Return the targets as they meet the loss: scaled, or one-hot for binary cross entropy."""
    import torch
    from torch.nn import functional

    from actlab import tasks

    target = tasks.target_of_digits(layer.task, digits)
    if layer.task == "regression":
        target = tasks.to_training(tasks.fit_scale(layer, target), target)
    found = torch.from_numpy(target)
    if layer.loss == "bce" and found.dtype is torch.int64:
        return functional.one_hot(found, tasks.OUTPUTS[layer.task]).float()
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
