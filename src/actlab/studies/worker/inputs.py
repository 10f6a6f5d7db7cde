"""What a trial is trained from: its rows as tensors, and its network with its first weights."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from actlab import data
from actlab.errors import DataError
from actlab.i18n import _
from actlab.records import DataPlan, Head, Init, Setting, Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from actlab.training import Device, Examples, TrainingData


@lru_cache(maxsize=2)
def training_data(
    plan: DataPlan, fingerprint: str, split_seed: int, avoided_split: int | None, device: Device
) -> TrainingData:
    """Return what a training may see, drawn once per split in a process."""
    from actlab import training

    dataset = planned_dataset(plan, fingerprint)
    splits = data.draw_splits(dataset, plan.splits, split_seed, avoided_split)
    prepared = preparation(dataset, splits.train.images)
    parts = {
        name: training.to_examples(
            prepared(part.images), part.labels, dataset.pixel_maximum, device
        )
        for name, part in vars(splits).items()
    }
    return training.TrainingData(**parts)


def preparation(dataset: data.Dataset, train: Any) -> Callable[[Any], Any]:
    """Return what fills in and scales inputs, with the numbers of the training rows `train`."""
    if dataset.fill is None and not dataset.scale:
        return lambda images: images
    return data.fitted(train, dataset.fill, scale=dataset.scale)


def planned_dataset(plan: DataPlan, fingerprint: str) -> data.Dataset:
    """Return the data set of a plan; raises DataError where it is not the planned one."""
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


def test_examples(trial: Trial) -> Examples:
    """Return the test split, for a final figure."""
    from actlab import training

    dataset = planned_dataset(trial.data, trial.fingerprint)
    split = data.final_test_split(dataset, trial.data.splits, trial.seeds.split)
    images = split.images
    if dataset.fill is not None or dataset.scale:
        seeds = trial.seeds.split, trial.avoided_split
        train = data.draw_splits(dataset, trial.data.splits, *seeds).train
        images = preparation(dataset, train.images)(images)
    return training.to_examples(images, split.labels, dataset.pixel_maximum, trial.device)


def network_of(trial: Trial) -> nn.Module:
    """Return the network of a trial, untrained."""
    from actlab import networks

    return built(
        trial.network,
        trial.setting,
        trial.protocol.head,
        trial.seeds.weights,
        trial.device,
        _outputs(trial),
        example_rows(trial.data) if networks.is_address(trial.network) else None,
        trial.init,
    )


def example_rows(plan: DataPlan) -> Tensor:
    """Return two rows of a data set as a network takes them, to look at the network with."""
    from actlab import training

    dataset = data.open_dataset(plan.name, plan.directory, plan.targets)
    pool = dataset.training_pool
    images = pool.images[:2]
    if dataset.fill is not None:
        images = data.fitted(pool.images, dataset.fill, scale=False)(images)
    return training.to_examples(images, pool.labels[:2], dataset.pixel_maximum).images


def _outputs(trial: Trial) -> int:
    """Return how many outputs the network of a trial has."""
    from actlab.data.targets import OUTPUTS
    from actlab.studies import tasks

    task = "multiclass" if trial.output is None else trial.output.task
    if trial.data.targets is None:
        return OUTPUTS[task]
    dataset = planned_dataset(trial.data, trial.fingerprint)
    return tasks.output_count(task, dataset.training_pool.labels)


def built(
    network: str,
    setting: Setting,
    head: Head,
    seed: int,
    device: Device,
    outputs: int = 10,
    example: Tensor | None = None,
    init: Init | None = None,
) -> nn.Module:
    """Return a network with the weights of `seed`, laid out for speed, on `device`."""
    import torch

    from actlab import networks, training

    training.resolve_device(device)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = networks.build(
            network,
            setting.conv_activation,
            setting.fc_activation,
            head,
            outputs,
            further=dict(setting.slots),
            example=example,
            init=init,
        )
    return training.place(networks.winograd_first(model), device)
