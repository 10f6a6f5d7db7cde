"""The matrices of minimal filtering: the other route to what the loops compute with numbers.

They are Cook and Toom's (Blahut, Fast Algorithms for Digital Signal Processing, 1985, chapter 5).
Rounding grows with the interpolation points: with these, outputs in float32 are about 7 times as
far from float64 as a direct convolution's (with 2 for 1/2: 11 times).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actlab.networks.winograd.tile_transforms import TILE

POINTS = (0.0, 1.0, -1.0, 0.5, -2.0)
"""The finite interpolation points."""


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


def over_two_dimensions(matrix: Matrix) -> Tensor:
    """Return what a matrix does along rows and along columns, as one matrix, in float64."""
    return torch.from_numpy(np.kron(matrix, matrix))


OUTPUTS, TAPS, INPUTS = (over_two_dimensions(one) for one in cook_toom(TILE, 3, POINTS))
"""A', G and B' over two dimensions: (16, 36), (36, 9) and (36, 36)."""
