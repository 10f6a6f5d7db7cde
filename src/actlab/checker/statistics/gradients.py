"""Gradients along the depth of a network: how much of the pull arrives at the first layer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from actlab.capture.location import Location

_NARROW = (torch.float32, torch.bfloat16, torch.float16)


@dataclass(frozen=True)
class LayerMeasure:
    """One layer with weights in plain numbers: root mean squares of weights and gradient."""

    label: str
    location: Location
    weight: float
    gradient: float

    @property
    def pull(self) -> float:
        """Return the gradient relative to the weights."""
        return self.gradient / self.weight


@dataclass(frozen=True)
class Comparison:
    """An early layer's pull over the last layer's.

    `ratios` were measured more than once where it matters: on the whole batch and on its halves,
    or on several passes.
    """

    early: LayerMeasure
    last: LayerMeasure
    ratios: tuple[float, ...]


@dataclass(frozen=True)
class GradientMeasure:
    """The gradients of one step, or of several passes.

    `layers` are in the order of execution, `strongest` and `weakest` compare the early layer with
    the strongest and with the weakest pull (None with fewer than two layers). `norms` are norms of
    the gradient of all parameters, `parameters` is the norm of the parameters themselves.
    """

    layers: tuple[LayerMeasure, ...]
    strongest: Comparison | None
    weakest: Comparison | None
    norms: tuple[float, ...]
    parameters: float

    @property
    def depth(self) -> int:
        """Return the number of layers."""
        return len(self.layers)


def early(depth: int) -> int:
    """Return how many of `depth` layers stand for "the first layer": a quarter, at least one.

    In an attention block the first two layers, for queries and keys, get next to no gradient at
    first, by design; the others of the block do.
    """
    return max(1, depth // 4)


def quotient(first: float, last: float) -> float:
    """Return first / last; infinity over zero, NaN for zero over zero.

    >>> quotient(1.0, 0.0)
    inf
    """
    if last > 0.0:
        return first / last
    return math.nan if first == 0.0 else math.inf


def root_mean_square(tensor: Tensor) -> Tensor:
    """Return sqrt(mean(x^2)) in float32, as a tensor without graph: shape ()."""
    with torch.no_grad():
        plain = tensor.detach()
        count = max(plain.numel(), 1)
        norm: Tensor = torch.linalg.vector_norm(
            plain, dtype=torch.promote_types(plain.dtype, torch.float32)
        )
        return norm / math.sqrt(count)


def root_mean_squares(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return `root_mean_square` of each tensor, in few launches where they are not wide."""
    if any(tensor.dtype not in _NARROW for tensor in tensors):
        return [root_mean_square(tensor) for tensor in tensors]
    with torch.no_grad():
        norms = torch._foreach_norm([t.detach() for t in tensors], dtype=torch.float32)
        pairs = zip(norms, tensors, strict=True)
        return [norm / math.sqrt(max(tensor.numel(), 1)) for norm, tensor in pairs]


def total_norm(roots: Sequence[tuple[float, int]]) -> float:
    """Return the norm of tensors taken together, from each one's root mean square and count.

    >>> total_norm([(3.0, 1), (2.0, 4)])
    5.0
    """
    return math.sqrt(sum(root * root * count for root, count in roots))
