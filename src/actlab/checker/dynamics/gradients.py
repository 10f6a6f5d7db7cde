"""Gradients along the depth of a network: how much of the loss's pull arrives at the first layer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from actlab.checker.findings import Location


@dataclass(frozen=True)
class LayerMeasure:
    """One layer with weights in plain numbers, in the order of execution.

    `weight` is the root mean square of the weights. `gradients` are root mean squares of the
    gradient with respect to them: one of each half of a batch, or one of each sampled pass.
    """

    label: str
    location: Location
    weight: float
    gradients: tuple[float, ...]

    @property
    def pulls(self) -> tuple[float, ...]:
        """Return the gradients relative to the weights: steps of one unit change so much."""
        return tuple(gradient / self.weight for gradient in self.gradients)


@dataclass(frozen=True)
class GradientMeasure:
    """The gradients of one step, or of several: the layers in order, and the whole.

    `norms` are the norms of the gradient of all parameters, one for each half or pass; `parameters`
    is the norm of the parameters themselves.
    """

    layers: tuple[LayerMeasure, ...]
    norms: tuple[float, ...]
    parameters: float

    @property
    def ratios(self) -> tuple[float, ...]:
        """Return the first layer's pull over the last layer's, of each half or pass."""
        if len(self.layers) < 2:
            return ()
        pairs = zip(self.layers[0].pulls, self.layers[-1].pulls, strict=True)
        return tuple(_quotient(first, last) for first, last in pairs)


def _quotient(first: float, last: float) -> float:
    if last > 0.0:
        return first / last
    return math.nan if first == 0.0 else math.inf


def root_mean_square(tensor: Tensor) -> Tensor:
    """Return sqrt(mean(x^2)) in float32, as a tensor without graph: shape ()."""
    with torch.no_grad():
        plain = tensor.detach()
        count = max(plain.numel(), 1)
        return torch.linalg.vector_norm(plain, dtype=torch.float32) / math.sqrt(count)


def total_norm(roots: Sequence[tuple[float, int]]) -> float:
    """Return the norm of tensors taken together, from each one's root mean square and count.

    >>> total_norm([(3.0, 1), (2.0, 4)])
    5.0
    """
    return math.sqrt(sum(root * root * count for root, count in roots))
