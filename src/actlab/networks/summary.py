"""The layer table of a network, as torchinfo reads it off one forward pass."""

import torch
from torch import Tensor
from torchinfo import summary

from actlab.networks.builders import build
from actlab.records import Head, LayerRow, NetworkSummary


def summarise(
    name: str,
    conv_activation: str | None,
    fc_activation: str | None,
    head: Head,
    input_size: tuple[int, ...],
    example: Tensor | None = None,
) -> NetworkSummary:
    """Return one row per layer, with multiply-adds for a batch of the shape `input_size`.

    The names of the rows show the slots: `conv1_activation`, `fc1_activation`.

    Rows of an `example` are repeated to that size, for inputs that are no floating-point numbers.

    >>> summarise("published_cnn", "relu", "sigmoid", "softmax", (32, 1, 28, 28)).parameters
    121994
    """
    with torch.random.fork_rng(devices=[]):
        model = build(name, conv_activation, fc_activation, head, example=example)
        if example is None:
            statistics = summary(model, input_size=input_size, verbose=0, device="cpu")
        else:
            rows = example[torch.arange(input_size[0]) % len(example)]
            statistics = summary(model, input_data=rows, verbose=0, device="cpu")
    layers = tuple(
        LayerRow(
            name=layer.var_name,
            kind=layer.class_name,
            output_shape=tuple(layer.output_size),
            parameters=layer.num_params,
            multiply_adds=layer.macs,
        )
        for layer in statistics.summary_list
        if layer.depth == 1
    )
    return NetworkSummary(
        layers=layers,
        parameters=statistics.total_params,
        multiply_adds=statistics.total_mult_adds,
        batch_size=input_size[0],
    )
