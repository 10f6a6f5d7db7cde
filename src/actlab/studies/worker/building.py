"""The network of a trial, with its weights, laid out for speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actlab.records import Head, Trial
from actlab.studies.worker.examples import planned_dataset

if TYPE_CHECKING:
    from torch import nn

    from actlab.training import Device


def network_of(trial: Trial) -> nn.Module:
    """Return the network of a trial, untrained."""
    setting = trial.setting
    return built(
        trial.network,
        (setting.conv_activation, setting.fc_activation),
        trial.protocol.head,
        trial.seeds.weights,
        trial.device,
        _outputs(trial),
    )


def _outputs(trial: Trial) -> int:
    """Return how many outputs the network of a trial has."""
    from actlab.data.digit_targets import OUTPUTS
    from actlab.studies import tasks

    task = "multiclass" if trial.output is None else trial.output.task
    if trial.data.targets is None:
        return OUTPUTS[task]
    dataset = planned_dataset(trial.data, trial.fingerprint)
    return tasks.output_count(task, dataset.training_pool.labels)


def built(
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
