"""The slope of an activation, element by element: where it lets a gradient through."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

Function = Callable[[Tensor], Tensor]

_GRID_END = 8.0
_GRID_POINTS = 1601


def slopes(function: Function, x: Tensor) -> Tensor:
    """Return f'(x) for every element, in float32 or better, by differentiating `function` itself.

    The convention at a kink is torch's. `function` maps elements one by one; it may work in place.
    Nothing is left behind: neither in the graph of `x` nor in a mode that is on.

    >>> slopes(torch.relu, torch.tensor([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    with torch.inference_mode(False), torch.enable_grad(), _own_saved_tensors():
        wide = x.detach().clone()  # a tensor of inference mode becomes an ordinary one
        wide = wide if wide.dtype is torch.float64 else wide.float()
        wide.requires_grad_()
        with torch.autocast(wide.device.type, enabled=False):
            result = function(wide.clone())
        (found,) = torch.autograd.grad(result.sum(), wide)
    return found


def _own_saved_tensors() -> AbstractContextManager[None]:
    """Keep what is saved for this backward pass out of the hooks of a checkpoint around it."""
    context: AbstractContextManager[None] = saved_tensors_hooks(_same, _same)
    return context


def _same(tensor: Tensor) -> Tensor:
    return tensor


def greatest_slope(function: Function) -> float:
    """Return max |f'| over [-8, 8], in which every usual activation is steepest.

    >>> round(greatest_slope(torch.sigmoid), 6)
    0.25
    """
    grid = torch.linspace(-_GRID_END, _GRID_END, _GRID_POINTS)
    return float(slopes(function, grid).abs().max())
