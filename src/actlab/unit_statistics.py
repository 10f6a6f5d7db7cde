"""What the units of an activation do, on tensors: dead and saturated units, slopes, norms.

A unit is a feature of a linear layer or a channel of a convolution, with all its samples and
positions. These are the only definitions: the checker, `watch` and the probes of a training use
them.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

Function = Callable[[Tensor], Tensor]

FLAT_SLOPE = 1e-2
"""A slope below this part of the function's greatest is nearly flat."""

FLAT_SHARE = 0.95
"""A unit that is nearly flat at more than this share of samples is saturated."""

_GREATEST = {"sigmoid": 0.25, "tanh": 1.0, "softsign": 1.0}
_GRID_END = 8.0
_GRID_POINTS = 1601
_NARROW = (torch.float32, torch.bfloat16, torch.float16)


class NotElementwiseError(RuntimeError):
    """A function gives another shape than it takes: it has no slope element by element."""


def slopes(function: Function, x: Tensor) -> Tensor:
    """Return f'(x) for every element, in float32 or better, by differentiating `function` itself.

    The convention at a kink is torch's. `function` maps elements one by one; it may work in place.
    Nothing is left behind: neither in the graph of `x` nor in a mode that is on. Raises
    NotElementwiseError where the function gives another shape than it takes.

    >>> slopes(torch.relu, torch.tensor([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    with torch.inference_mode(False), torch.enable_grad(), _plain_saved_tensors():
        wide = x.detach().clone()  # a tensor of inference mode becomes an ordinary one
        wide = wide if wide.dtype is torch.float64 else wide.float()
        wide.requires_grad_()
        with torch.autocast(wide.device.type, enabled=False):
            result = function(wide.clone())
        if result.shape != wide.shape:
            raise NotElementwiseError(f"shape {tuple(wide.shape)} became {tuple(result.shape)}")
        (found,) = torch.autograd.grad(result.sum(), wide)
    return found


def _plain_saved_tensors() -> AbstractContextManager[None]:
    """Keep what is saved for this backward pass out of the hooks of a checkpoint around it."""
    context: AbstractContextManager[None] = saved_tensors_hooks(_same, _same)
    return context


def _same(tensor: Tensor) -> Tensor:
    return tensor


def greatest_slope(function: Function, op: str = "", like: Tensor | None = None) -> float:
    """Return max |f'| over [-8, 8], in which every usual activation is steepest.

    Of the functions whose name `op` is known, it is known too. `like` is an input of the function:
    one with parameters for each channel (dimension 1) takes a grid for each.

    >>> round(greatest_slope(torch.sigmoid), 6), greatest_slope(torch.sigmoid, "sigmoid")
    (0.25, 0.25)
    """
    known = _GREATEST.get(op)
    if known is not None:
        return known
    grid = torch.linspace(-_GRID_END, _GRID_END, _GRID_POINTS)
    if like is not None and like.ndim > 1:
        ones = (1,) * (like.ndim - 2)
        grid = grid.to(like.device).reshape(-1, 1, *ones).expand(-1, like.shape[1], *ones)
    return float(slopes(function, grid).abs().max())


def nearly_flat(slope: Tensor, greatest: float, limit: float = FLAT_SLOPE) -> Tensor:
    """Return where |f'| is below `limit` times the function's greatest slope; shape of `slope`.

    Relative to the greatest, so that sigmoid (at most 1/4) and tanh (at most 1) are measured alike.

    >>> nearly_flat(torch.tensor([0.001, 0.1]), greatest=0.25).tolist()
    [True, False]
    """
    return slope.abs() < limit * greatest


def saturated_units(flat_share: Tensor, share: float = FLAT_SHARE) -> Tensor:
    """Return which units are nearly flat at more than `share` of the samples; shape (units,)."""
    return flat_share > share


def dead_units(highest: Tensor, moving: Tensor) -> Tensor:
    """Return which units are dead: slope zero at every sample, and never an output above zero.

    `highest` is the greatest output of each unit, `moving` whether its slope was other than zero at
    some sample; both have shape (units,). A unit at the upper end of a range has slope zero, too,
    but answers: it is saturated, not dead.

    >>> dead_units(torch.tensor([0.0, 1.0, -0.2]), torch.tensor([False, False, True])).tolist()
    [True, False, False]
    """
    return (highest <= 0) & ~moving


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
