"""Layers of a population: each applies what one layer is in every network, with its own weights.

Values have the shape (T, N, ...): trials, then examples; those of images are (T, N, H, W, C), with
the channels last. Convolutions and linear layers are batched matrix products. Where all trials are
still given the same images, T is 1.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from actlab.training.fused.activation import Activation, Weights, activates
from actlab.training.fused.convolution import Window, convolvable, convolve


def fusable(model: nn.Module) -> bool:
    """Return whether a population of such networks can be trained in lock-step.

    It can where the network is a plain sequence that begins with a convolution or a linear layer,
    and has pooling, activations and a softmax over the outputs besides, all known to this module,
    with all parameters learning.

    >>> fusable(nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.PReLU()))
    True
    >>> fusable(nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(4, 2)))
    False
    """
    if type(model) is not nn.Sequential:
        return False
    layers = list(model)
    return (
        len(set(map(id, layers))) == len(layers)
        and isinstance(_first_of(layers), nn.Conv2d | nn.Linear)
        and all(_known(layer) for layer in layers)
        and all(parameter.requires_grad for parameter in model.parameters())
    )


def fuse(name: str, layers: Sequence[nn.Module]) -> nn.Module:
    """Return the layer `name` of a population from that of each network.

    Raises ValueError where they differ in more than their activations.
    """
    first = layers[0]
    if all(activates(layer) for layer in layers):
        return Activation(name, layers)
    if len({repr(layer) for layer in layers}) > 1:
        raise ValueError(f"{name} must be the same layer in all networks of a population")
    if isinstance(first, nn.Conv2d):
        return Convolution(name, first)
    if isinstance(first, nn.Linear):
        return Linear(name)
    if isinstance(first, nn.Flatten):
        return Flatten()
    return Pooling(first) if isinstance(first, nn.MaxPool2d | nn.AvgPool2d) else RowWise(first)


class Convolution(nn.Module):
    """(S, N, H, W, C) to (T, N, H', W', D), where S is T, or 1: the same images for all."""

    def __init__(self, name: str, layer: nn.Conv2d) -> None:
        super().__init__()
        self._name, self._window = name, Window.of(layer)

    def forward(self, values: Tensor, weights: Weights) -> Tensor:
        """Apply every trial's filters to its values."""
        weight, bias = weights[f"{self._name}.weight"], weights.get(f"{self._name}.bias")
        made = convolve(values, weight, self._window)
        return made if bias is None else made + bias[:, None, None, None, :].to(made.dtype)


class Linear(nn.Module):
    """(S, N, F) to (T, N, O), where S is T, or 1: the same values for all."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def forward(self, values: Tensor, weights: Weights) -> Tensor:
        """Apply every trial's matrix to its values."""
        weight, bias = weights[f"{self._name}.weight"], weights.get(f"{self._name}.bias")
        rows, columns = values.expand(len(weight), -1, -1), weight.transpose(1, 2)
        if bias is None:
            return torch.bmm(rows, columns)
        return torch.baddbmm(bias.unsqueeze(1), rows, columns)


class Flatten(nn.Module):
    """(T, N, H, W, C) to (T, N, C H W), in the order that one network's values have."""

    def forward(self, values: Tensor, _weights: Weights) -> Tensor:
        """Lay every example's values in one row."""
        return (values.movedim(4, 2) if values.ndim == 5 else values).flatten(2)


class Pooling(nn.Module):
    """(T, N, H, W, C) to (T, N, H', W', C)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self._layer = layer

    def forward(self, values: Tensor, _weights: Weights) -> Tensor:
        """Pool every channel of every trial."""
        pooled = cast(Tensor, self._layer(values.flatten(0, 1).movedim(3, 1)))
        return torch.unflatten(pooled.movedim(1, 3), 0, values.shape[:2])


class RowWise(nn.Module):
    """(T, N, O) to the same: a layer that reads one row at a time, such as a softmax."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self._layer = layer

    def forward(self, values: Tensor, _weights: Weights) -> Tensor:
        """Apply the layer to the rows of all trials."""
        made = cast(Tensor, self._layer(values.flatten(0, 1)))
        return torch.unflatten(made, 0, values.shape[:2])


def _first_of(layers: Sequence[nn.Module]) -> nn.Module | None:
    return next((layer for layer in layers if not isinstance(layer, nn.Flatten)), None)


def _known(layer: nn.Module) -> bool:
    if type(layer) is nn.Conv2d:
        return convolvable(layer)
    if type(layer) is nn.Flatten:
        return (layer.start_dim, layer.end_dim) == (1, -1)
    if isinstance(layer, nn.Softmax):
        return layer.dim in (1, -1)
    if type(layer) is nn.MaxPool2d:
        return not layer.return_indices
    return type(layer) in (nn.Linear, nn.AvgPool2d) or activates(layer)
