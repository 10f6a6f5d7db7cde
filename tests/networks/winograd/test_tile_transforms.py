"""The transforms in registers are those of the matrices."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from actlab.networks.winograd import tile_transforms
from actlab.networks.winograd.tile_transforms import TILE, Numbers

from .matrices import POINTS, Matrix, cook_toom

OUTPUTS, TAPS, INPUTS = cook_toom(TILE, 3, POINTS)


@pytest.mark.parametrize(
    ("name", "matrix"),
    [
        ("outputs", OUTPUTS),
        ("outputs_back", OUTPUTS.T),
        ("inputs", INPUTS),
        ("inputs_back", INPUTS.T),
        ("taps", TAPS),
        ("taps_back", TAPS.T),
    ],
)
@pytest.mark.parametrize(("dtype", "rounding"), [(np.float64, 1e-14), (np.float32, 1e-5)])
def test_column_by_column(name: str, matrix: Matrix, dtype: type, rounding: float) -> None:
    transform = getattr(tile_transforms, name)
    for column in range(matrix.shape[1]):
        unit: Numbers = tuple(dtype(place == column) for place in range(matrix.shape[1]))
        assert_allclose(transform(unit), matrix[:, column], rtol=rounding, atol=rounding)
