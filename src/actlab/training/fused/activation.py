"""Activations of a population: each is applied to the slice of the trials that have it."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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
