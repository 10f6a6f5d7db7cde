"""Layers of a population: each applies what one layer is in every network, with its own weights.

Values have the shape (T, N, ...): trials, then examples; those of images are (T, N, H, W, C), with
the channels last. Convolutions and linear layers are batched matrix products; each activation is
applied to the slice of the trials that have it. Where all trials are still given the same images,
T is 1.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.sequences import sequence_layers
from actlab.training.fused.convolution import Window, convolvable, convolve

Weights = Mapping[str, Tensor]
"""Parameters of all trials by their names, each (T, *shape)."""

ELEMENTWISE = {
    *(nn.CELU, nn.ELU, nn.GELU, nn.Hardshrink, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh),
    *(nn.Identity, nn.LeakyReLU, nn.LogSigmoid, nn.Mish, nn.ReLU, nn.ReLU6, nn.SELU, nn.SiLU),
    *(nn.Sigmoid, nn.Softplus, nn.Softshrink, nn.Softsign, nn.Tanh, nn.Tanhshrink, nn.Threshold),
}
"""Torch's activations that draw nothing, learn nothing and read one element at a time."""


def activates(layer: nn.Module) -> bool:
    """Return whether a layer is an activation that can be applied to a slice of a population."""
    return type(layer) in ELEMENTWISE | {nn.PReLU} and not getattr(layer, "inplace", False)


def kind_of(layer: nn.Module) -> str:
    """Return what two activations have in common where one call can stand for both."""
    return f"{type(layer).__qualname__} {layer!r}"


class Activation(nn.Module):
    """(T, N, ...) to the same: every activation is applied to one slice of the trials.

    Where equal activations do not lie side by side, the trials are put in an order in which they
    do, and back afterwards.
    """

    order: Tensor
    back: Tensor

    def __init__(self, name: str, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self._name = name
        kinds = [kind_of(layer) for layer in layers]
        order = sorted(range(len(layers)), key=kinds.__getitem__)
        self._sorted = order == list(range(len(layers)))
        self.register_buffer("order", torch.tensor(order), persistent=False)
        self.register_buffer("back", torch.tensor(order).argsort(), persistent=False)
        runs = [list(run) for _kind, run in groupby(order, key=kinds.__getitem__)]
        self._counts = [len(run) for run in runs]
        self._apply_to = [_applied(layers[run[0]]) for run in runs]

    def forward(self, values: Tensor, weights: Weights) -> Tensor:
        """Apply every trial's activation to its values."""
        slopes = weights.get(f"{self._name}.weight")
        if not self._sorted:
            values = _reordered(values, self.order, self.back)
            slopes = None if slopes is None else _reordered(slopes, self.order, self.back)
        parts = torch.split(values, self._counts)
        learnt = [None] * len(parts) if slopes is None else torch.split(slopes, self._counts)
        made = [
            function(part, own)
            for function, part, own in zip(self._apply_to, parts, learnt, strict=True)
        ]
        joined = made[0] if len(made) == 1 else torch.cat(made)
        return joined if self._sorted else _reordered(joined, self.back, self.order)


def _reordered(values: Tensor, order: Tensor, back: Tensor) -> Tensor:
    """Return the trials in an order that `back` undoes."""
    found = _Reordered.apply(values, order, back)  # type: ignore[no-untyped-call]  # torch's
    return cast(Tensor, found)


class _Reordered(torch.autograd.Function):
    """Trials in another order; the gradients are put back by picking too, not by adding."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, order: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        return values.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0].index_select(0, ctx.saved_tensors[0]), None, None


def _applied(layer: nn.Module) -> Callable[[Tensor, Tensor | None], Tensor]:
    if isinstance(layer, nn.PReLU):
        return _prelu
    return lambda values, _slopes: cast(Tensor, layer(values))


def _prelu(values: Tensor, slopes: Tensor | None) -> Tensor:
    """Apply the slopes (T, 1) or (T, C) to values (T, N, ..., C): torch's channels are axis 1."""
    assert slopes is not None, "a PReLU has its slopes in the weights"
    if slopes.shape[1] == 1:
        return F.prelu(values.reshape(1, len(slopes), -1), slopes.flatten()).view(values.shape)
    by_channel = values.movedim(0, -2)
    made = F.prelu(by_channel.reshape(-1, slopes.numel()), slopes.flatten())
    return made.view(by_channel.shape).movedim(-2, 0)


def fusable(model: nn.Module) -> bool:
    """Return whether a population of such networks can be trained in lock-step.

    It can where the network is a plain sequence, of layers or of such sequences, that begins with
    a convolution or a linear layer, and has pooling, activations and a softmax over the outputs
    besides, all known to this module, with all parameters learning.

    >>> fusable(nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.PReLU()))
    True
    >>> fusable(nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(4, 2)))
    False
    """
    if type(model) is not nn.Sequential:
        return False
    layers = [layer for _name, layer in sequence_layers(model)]
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
