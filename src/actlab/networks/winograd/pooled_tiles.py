"""The outputs of tiles and the 2 x 2 pooling after them, as one loop, and the gradient back.

A tile of 4 x 4 outputs holds four pooling windows. Of the 36 products of a tile only the extremes
of the windows are written, and which place of its window each came from; the gradient goes there.
"""

import numpy as np
import torch
from torch import Tensor

from actlab.networks.winograd.compiled import Array, array, compiled
from actlab.networks.winograd.extremes import EXTREMES, highest
from actlab.networks.winograd.kept_numbers import computed_in
from actlab.networks.winograd.tile_inputs import LANES
from actlab.networks.winograd.tile_outputs import down, up
from actlab.networks.winograd.tile_transforms import outputs, outputs_back


@compiled
def _forward(products: Array, bias: Array, out: Array, places: Array) -> None:
    """Fill `out` and `places`, (E, 4, T, lanes), from `products`, (36, T, lanes).

    `bias` has a number per lane.
    """
    kept = np.empty((24, LANES), out.dtype)
    lanes = products.shape[2]
    for t in range(products.shape[1]):
        for start in range(0, lanes, LANES):
            stop = min(start + LANES, lanes)
            down(products, t, start, stop, kept)
            b = bias[start:stop]
            for e in range(len(out)):
                sign = EXTREMES[e]
                for i in range(2):
                    k, m = kept[12 * i : 12 * i + 6], kept[12 * i + 6 : 12 * i + 12]
                    k0, k1, k2, k3, k4, k5 = k[0], k[1], k[2], k[3], k[4], k[5]
                    m0, m1, m2, m3, m4, m5 = m[0], m[1], m[2], m[3], m[4], m[5]
                    left, left_place = out[e, 2 * i, t, start:stop], places[e, 2 * i, t, start:stop]
                    right = out[e, 2 * i + 1, t, start:stop]
                    right_place = places[e, 2 * i + 1, t, start:stop]
                    for c in range(stop - start):
                        y = outputs((k0[c], k1[c], k2[c], k3[c], k4[c], k5[c]))
                        z = outputs((m0[c], m1[c], m2[c], m3[c], m4[c], m5[c]))
                        value, place = highest(sign, (y[0], y[1], z[0], z[1]))
                        left[c], left_place[c] = value + b[c], place
                        value, place = highest(sign, (y[2], y[3], z[2], z[3]))
                        right[c], right_place[c] = value + b[c], place


@compiled
def _backward(gradient: Array, places: Array, products: Array) -> None:
    """Fill the gradient by `products` from that by windows, of shape (4, T, lanes)."""
    kept = np.empty((24, LANES), gradient.dtype)
    zero = gradient.dtype.type(0)
    lanes = products.shape[2]
    for t in range(products.shape[1]):
        for start in range(0, lanes, LANES):
            stop = min(start + LANES, lanes)
            for j in range(4):
                window, side = j // 2, j % 2
                k0, k1, k2 = kept[j], kept[4 + j], kept[8 + j]
                k3, k4, k5 = kept[12 + j], kept[16 + j], kept[20 + j]
                g, h = gradient[window, t, start:stop], gradient[2 + window, t, start:stop]
                p, q = places[window, t, start:stop], places[2 + window, t, start:stop]
                for c in range(stop - start):
                    column = (
                        g[c] if p[c] == side else zero,
                        g[c] if p[c] == side + 2 else zero,
                        h[c] if q[c] == side else zero,
                        h[c] if q[c] == side + 2 else zero,
                    )
                    k0[c], k1[c], k2[c], k3[c], k4[c], k5[c] = outputs_back(column)
            up(kept, products, t, start, stop)


def extremes_of(products: Tensor, bias: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the extremes of the pooling windows of tiles, and which place of its window each is.

    `products` of shape (36, T, N, C), `bias` (C,); both results (count, 4, T, N, C), the windows
    of a tile row by row: the highest values and, with a `count` of 2, the lowest. Of equal values
    the first is taken.
    """
    _, tiles, images, channels = products.shape
    shape = (count, 4, tiles, images, channels)
    out = products.new_empty(shape, dtype=computed_in(products.dtype))
    places = torch.empty(shape, dtype=torch.uint8)
    flat = (count, 4, tiles, images * channels)
    _forward(
        array(products.view(36, tiles, -1)),
        array(bias.repeat(images)),
        array(out.view(flat)),
        array(places.view(flat)),
    )
    return out, places


def gradient_by_products(gradient: Tensor, places: Tensor, kept_as: torch.dtype) -> Tensor:
    """Return the gradient by products, (36, T, N, C), from that by windows, (4, T, N, C)."""
    _, tiles, images, channels = gradient.shape
    found = gradient.new_empty(36, tiles, images, channels, dtype=kept_as)
    flat = (4, tiles, images * channels)
    _backward(
        array(gradient.reshape(flat)), array(places.view(flat)), array(found.view(36, tiles, -1))
    )
    return found
