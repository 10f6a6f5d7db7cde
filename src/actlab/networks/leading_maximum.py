"""The maximum over a leading dimension, whose gradient goes to the first of equal values.

Max-pooling does the same over windows of an image; laid out with the places of a window in front,
every operation runs over contiguous memory.
"""

from typing import Any, cast

import torch
from torch import Tensor

_where_positive = torch.ops.aten.threshold_backward.grad_input
"""(gradient, x, 0) -> gradient where x > 0, else 0: one pass over memory."""


def gradient_left(gradient: Tensor, so_far: Tensor, top: Tensor, out: Tensor) -> None:
    """Write what of `gradient` goes to values after those with the running maximum `so_far`."""
    torch.sub(top, so_far, out=out)
    _where_positive(gradient, out, 0, grad_input=out)


class _LeadingMaximum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        running = [values[0]]
        for following in values[1:]:
            running.append(torch.maximum(running[-1], following))
        ctx.save_for_backward(*running)
        return running[-1]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        *running, top = ctx.saved_tensors
        (gradient,) = gradients
        shares = gradient.new_empty((len(running) + 1, *gradient.shape))
        shares[0] = gradient
        for place, so_far in enumerate(running):
            gradient_left(gradient, so_far, top, out=shares[place + 1])
            shares[place].sub_(shares[place + 1])
        return shares


def leading_maximum(values: Tensor) -> Tensor:
    """Return the maximum of `values`, of shape (K, ...), over K.

    The gradient goes to the first of equal values, as in max-pooling.

    >>> leading_maximum(torch.tensor([[1.0, 5.0], [3.0, 2.0]])).tolist()
    [3.0, 5.0]
    """
    return cast(Tensor, _LeadingMaximum.apply(values))  # type: ignore[no-untyped-call]  # torch's
