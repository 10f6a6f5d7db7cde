"""The last transform of a Winograd convolution and the 2 x 2 max-pooling after it, as one loop.

A tile of 4 x 4 outputs holds four pooling windows. Of the 36 products of a tile only four maxima
are written, and which place of its window each came from; the gradient goes to that place.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from actlab.networks.memory_order.compiled import Array, array, compiled


class _Loops(NamedTuple):
    """`forward(products, bias, out, places)` and `backward(gradient, places, products)`.

    `products` of shape (36, T, N, C); `out`, `places` and `gradient` of shape (4, T, N, C).
    """

    forward: Callable[[Array, Array, Array, Array], None]
    backward: Callable[[Array, Array, Array], None]


@lru_cache
def _loops(channels: int, dtype: np.dtype[Any]) -> _Loops:
    """Return the loops for a number of channels: known beforehand, they fill whole registers.

    The factors are those of A', whose points are 0, 1, -1, 1/2, -2 and infinity.
    """
    C = channels  # noqa: N806  # the formula's name
    half, quarter, eighth, two, four, eight = dtype.type((0.5, 0.25, 0.125, 2, 4, 8))
    zero = dtype.type(0)

    @compiled
    def six(values: Array, c: int) -> tuple[float, ...]:
        return (
            values[c],
            values[C + c],
            values[2 * C + c],
            values[3 * C + c],
            values[4 * C + c],
            values[5 * C + c],
        )

    @compiled
    def outputs(m: tuple[float, ...]) -> tuple[float, ...]:
        total, difference = m[1] + m[2], m[1] - m[2]
        return (
            m[0] + total + m[3] + m[4],
            difference + half * m[3] - two * m[4],
            total + quarter * m[3] + four * m[4],
            difference + eighth * m[3] - eight * m[4] + m[5],
        )

    @compiled
    def spread(y: tuple[float, ...]) -> tuple[float, ...]:
        """Apply the transposed of `outputs`."""
        even, odd = y[0] + y[2], y[1] + y[3]
        return (
            y[0],
            even + odd,
            even - odd,
            y[0] + half * y[1] + quarter * y[2] + eighth * y[3],
            y[0] - two * y[1] + four * y[2] - eight * y[3],
            y[3],
        )

    @compiled
    def highest(a: float, b: float, c: float, d: float) -> tuple[float, int]:
        """Return the first of the highest values with its place; a NaN wins, as in torch's."""
        value, place = a, 0
        if (b > value) | (b != b):
            value, place = b, 1
        if (c > value) | (c != c):
            value, place = c, 2
        if (d > value) | (d != d):
            value, place = d, 3
        return value, place

    @compiled
    def at(upper: tuple[float, int], lower: tuple[float, int], side: int) -> tuple[float, ...]:
        """Return a column of a tile: one side of the upper window, then of the lower one."""
        return (
            upper[0] if upper[1] == side else zero,
            upper[0] if upper[1] == side + 2 else zero,
            lower[0] if lower[1] == side else zero,
            lower[0] if lower[1] == side + 2 else zero,
        )

    @compiled
    def forward(products: Array, bias: Array, out: Array, places: Array) -> None:
        _, tiles, images, _ = products.shape
        rows = np.empty(24 * C, products.dtype)  # 4 rows of outputs by 6 columns of products
        maxima, chosen = np.empty(2 * C, out.dtype), np.empty(2 * C, places.dtype)
        for t in range(tiles):
            for n in range(images):
                for x in range(6):
                    m0, m1 = products[x, t, n], products[6 + x, t, n]
                    m2, m3 = products[12 + x, t, n], products[18 + x, t, n]
                    m4, m5 = products[24 + x, t, n], products[30 + x, t, n]
                    column = rows[x * C :]
                    for c in range(C):
                        y = outputs((m0[c], m1[c], m2[c], m3[c], m4[c], m5[c]))
                        column[c], column[6 * C + c] = y[0], y[1]
                        column[12 * C + c], column[18 * C + c] = y[2], y[3]
                for i in range(2):
                    m = rows[12 * i * C :]
                    for c in range(C):
                        top, low = outputs(six(m, c)), outputs(six(m, 6 * C + c))
                        value, which = highest(top[0], top[1], low[0], low[1])
                        maxima[c], chosen[c] = value + bias[c], which
                        value, which = highest(top[2], top[3], low[2], low[3])
                        maxima[C + c], chosen[C + c] = value + bias[c], which
                    for j in range(2):
                        pooled, place = out[2 * i + j, t, n], places[2 * i + j, t, n]
                        for c in range(C):
                            pooled[c], place[c] = maxima[j * C + c], chosen[j * C + c]

    @compiled
    def backward(gradient: Array, places: Array, products: Array) -> None:
        _, tiles, images, _ = products.shape
        rows = np.empty(24 * C, products.dtype)
        found = np.empty(36 * C, products.dtype)
        for t in range(tiles):
            for n in range(images):
                for j in range(2):
                    g, h = gradient[j, t, n], gradient[2 + j, t, n]
                    p, q = places[j, t, n], places[2 + j, t, n]
                    left = rows[2 * j * C :]
                    for c in range(C):
                        y = spread(at((g[c], p[c]), (h[c], q[c]), 0))
                        z = spread(at((g[c], p[c]), (h[c], q[c]), 1))
                        left[c], left[C + c] = y[0], z[0]
                        left[4 * C + c], left[5 * C + c] = y[1], z[1]
                        left[8 * C + c], left[9 * C + c] = y[2], z[2]
                        left[12 * C + c], left[13 * C + c] = y[3], z[3]
                        left[16 * C + c], left[17 * C + c] = y[4], z[4]
                        left[20 * C + c], left[21 * C + c] = y[5], z[5]
                for x in range(6):
                    v, m = rows[4 * x * C :], found[6 * x * C :]
                    for c in range(C):
                        y = spread((v[c], v[C + c], v[2 * C + c], v[3 * C + c]))
                        m[c], m[C + c], m[2 * C + c] = y[0], y[1], y[2]
                        m[3 * C + c], m[4 * C + c], m[5 * C + c] = y[3], y[4], y[5]
                for k in range(36):
                    product, m = products[k, t, n], found[k * C :]
                    for c in range(C):
                        product[c] = m[c]

    return _Loops(forward, backward)


def pooled_outputs(products: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pooled outputs of tiles, and which place of its window each is.

    `products` of shape (36, T, N, C), contiguous; both results (4, T, N, C), the windows of a tile
    row by row. Of equal values the first is taken.
    """
    _, tiles, images, channels = products.shape
    out = products.new_empty(4, tiles, images, channels)
    places = torch.empty(out.shape, dtype=torch.uint8)
    values = array(products)
    _loops(channels, values.dtype).forward(values, array(bias), array(out), array(places))
    return out, places


def gradient_by_products(gradient: Tensor, places: Tensor) -> Tensor:
    """Return the gradient by the products, of shape (36, T, N, C), from that by pooled outputs."""
    found = gradient.new_empty(36, *gradient.shape[1:])
    values = array(gradient)
    _loops(gradient.shape[3], values.dtype).backward(values, array(places), array(found))
    return found
