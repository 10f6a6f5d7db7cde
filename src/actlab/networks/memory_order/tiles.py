"""The matrices of minimal filtering F(4 x 4, 3 x 3): tiles of 6 x 6 inputs, 4 x 4 outputs.

They are Cook and Toom's (Blahut, Fast Algorithms for Digital Signal Processing, 1985, chapter 5).
Rounding grows with the interpolation points: with these, outputs in float32 are about 7 times as
far from float64 as a direct convolution's (with 2 for 1/2: 11 times).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

TILE = 4
"""Outputs of a tile along one side."""

INPUTS = TILE + 2
"""Inputs of a tile along one side."""

AT_ONE = INPUTS + 1
"""The product that every output of a tile contains once: the one of the points (1, 1)."""

POINTS = (0.0, 1.0, -1.0, 0.5, -2.0)
"""The finite interpolation points."""


class Transforms(NamedTuple):
    """The transforms over two dimensions: outputs (16, 36), filters (36, 9), inputs (36, 36)."""

    outputs: Tensor
    filters: Tensor
    inputs: Tensor


@lru_cache
@torch.inference_mode(False)  # made in whichever mode comes first, needed in both
def transforms_of(dtype: torch.dtype) -> Transforms:
    """Return the transforms of a tile in a dtype."""
    outputs, filters, inputs = cook_toom(TILE, 3, POINTS)
    return Transforms(
        *(torch.from_numpy(np.kron(one, one)).to(dtype) for one in (outputs, filters, inputs))
    )


Matrix = NDArray[np.float64]


def cook_toom(outputs: int, taps: int, points: tuple[float, ...]) -> tuple[Matrix, Matrix, Matrix]:
    """Return A', G, B' of F(outputs, taps) for finite `points`; one more lies at infinity.

    y = A' [(G g) * (B' d)] are the first `outputs` correlations of d with g, where d has
    outputs + taps - 1 values, one more than there are points.

    >>> of_outputs, of_taps, of_inputs = cook_toom(2, 3, (0, 1, -1))
    >>> g, d = np.array([1, 2, 3]), np.array([4, 5, 6, 7])
    >>> (of_outputs @ ((of_taps @ g) * (of_inputs @ d))).tolist() == [32, 38]
    True
    """
    size = outputs + taps - 1
    places = np.array(points, dtype=np.float64)
    of_outputs, of_taps = np.zeros((outputs, size)), np.zeros((size, taps))
    of_inputs = np.zeros((size, size))
    for column, place in enumerate(places):
        others = np.delete(places, column)
        of_outputs[:, column] = place ** np.arange(outputs)
        of_taps[column] = place ** np.arange(taps) / np.prod(place - others)
        of_inputs[column, :-1] = np.poly(others)[::-1]
    of_outputs[-1, -1] = of_taps[-1, -1] = 1
    of_inputs[-1] = np.poly(places)[::-1]
    return of_outputs, of_taps, of_inputs
