"""The extreme values of a pooling window: the highest and, where it is needed, the lowest.

For a non-decreasing f the highest of f over a window is f of the highest. For an f that falls and
then rises (silu) it is the higher of f of the highest and f of the lowest.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from actlab.networks.winograd.compiled import compiled

EXTREMES = (np.float32(1), np.float32(-1))
"""Signs: the highest of values, and the highest of their negatives, which is the lowest."""


Unimodal = Callable[[Tensor], Tensor]
"""A unimodal activation (it falls, then rises), which chooses between window max and min."""


def decisive(values: Tensor, places: Tensor, unimodal: Unimodal | None) -> tuple[Tensor, Tensor]:
    """Return of every window the value that decides, and its place in the window.

    `values` and `places` have the shape (E, ...): the highest alone, or, with a unimodal
    activation, the highest and the lowest, of which the one counts where the activation is higher;
    where both are equal, the highest.

    >>> values, places = torch.tensor([[1.0], [-2.0]]), torch.tensor([[3], [0]])
    >>> decisive(values, places, torch.abs)
    (tensor([-2.]), tensor([0]))
    """
    if unimodal is None:
        return values[0], places[0]
    lower = unimodal(values[1]) > unimodal(values[0])
    return torch.where(lower, values[1], values[0]), torch.where(lower, places[1], places[0])


@compiled
def highest(sign: np.float32, values: tuple[float, ...]) -> tuple[Any, Any]:
    """Return the first of the highest of four values times `sign`, times `sign`, and its place.

    A NaN wins, as in torch's pooling.
    """
    found, place = sign * values[0], np.uint8(0)
    b, c, d = sign * values[1], sign * values[2], sign * values[3]
    if (b > found) | (b != b):
        found, place = b, np.uint8(1)
    if (c > found) | (c != c):
        found, place = c, np.uint8(2)
    if (d > found) | (d != d):
        found, place = d, np.uint8(3)
    return sign * found, place
