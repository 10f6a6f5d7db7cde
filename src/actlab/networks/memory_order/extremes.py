"""The extreme values of a pooling window: the highest and, where it is needed, the lowest.

For a non-decreasing f the highest of f over a window is f of the highest. For an f that falls and
then rises (silu) it is the higher of f of the highest and f of the lowest.
"""

from typing import Any

import numpy as np

from actlab.networks.memory_order.compiled import compiled

EXTREMES = (np.float32(1), np.float32(-1))
"""Signs: the highest of values, and the highest of their negatives, which is the lowest."""


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
