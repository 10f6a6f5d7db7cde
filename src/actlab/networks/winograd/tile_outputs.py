"""From the products of tiles to their outputs, and the gradient back, as loops over lanes."""

import numpy as np
import torch
from torch import Tensor

from actlab.networks.winograd.compiled import Array, array, compiled
from actlab.networks.winograd.kept_numbers import computed_in, load, store
from actlab.networks.winograd.tile_inputs import LANES
from actlab.networks.winograd.tile_transforms import outputs, outputs_back


@compiled
def down(products: Array, t: int, start: int, stop: int, kept: Array) -> None:
    """Fill `kept`, (24, LANES): four rows of six from the 36 products of a tile, (36, T, lanes)."""
    for x in range(6):
        m0, m1 = products[x, t, start:stop], products[6 + x, t, start:stop]
        m2, m3 = products[12 + x, t, start:stop], products[18 + x, t, start:stop]
        m4, m5 = products[24 + x, t, start:stop], products[30 + x, t, start:stop]
        k0, k1, k2, k3 = kept[x], kept[6 + x], kept[12 + x], kept[18 + x]
        for c in range(stop - start):
            upper = (load(m0[c]), load(m1[c]), load(m2[c]))
            k = outputs((*upper, load(m3[c]), load(m4[c]), load(m5[c])))
            k0[c], k1[c], k2[c], k3[c] = k


@compiled
def up(kept: Array, products: Array, t: int, start: int, stop: int) -> None:
    """Fill the 36 products' gradients of a tile from `kept`, (24, LANES): six columns of four."""
    found = np.empty((6, LANES), kept.dtype)
    m0, m1, m2, m3, m4, m5 = found[0], found[1], found[2], found[3], found[4], found[5]
    for y in range(6):
        k0, k1, k2, k3 = kept[4 * y], kept[4 * y + 1], kept[4 * y + 2], kept[4 * y + 3]
        for c in range(stop - start):
            m = outputs_back((k0[c], k1[c], k2[c], k3[c]))
            m0[c], m1[c], m2[c], m3[c], m4[c], m5[c] = m
        for x in range(6):
            product, m = products[6 * y + x, t, start:stop], found[x]
            for c in range(stop - start):
                store(product, c, m[c])


@compiled
def _forward(products: Array, bias: Array, out: Array) -> None:
    """Fill `out`, (16, T, lanes), from `products`, (36, T, lanes); `bias` has one per lane."""
    kept = np.empty((24, LANES), out.dtype)
    lanes = products.shape[2]
    for t in range(products.shape[1]):
        for start in range(0, lanes, LANES):
            stop = min(start + LANES, lanes)
            down(products, t, start, stop, kept)
            b = bias[start:stop]
            for i in range(4):
                k0, k1, k2 = kept[6 * i], kept[6 * i + 1], kept[6 * i + 2]
                k3, k4, k5 = kept[6 * i + 3], kept[6 * i + 4], kept[6 * i + 5]
                y0, y1 = out[4 * i, t, start:stop], out[4 * i + 1, t, start:stop]
                y2, y3 = out[4 * i + 2, t, start:stop], out[4 * i + 3, t, start:stop]
                for c in range(stop - start):
                    y = outputs((k0[c], k1[c], k2[c], k3[c], k4[c], k5[c]))
                    y0[c], y1[c], y2[c], y3[c] = y[0] + b[c], y[1] + b[c], y[2] + b[c], y[3] + b[c]


@compiled
def _backward(gradient: Array, products: Array) -> None:
    """Fill the gradient by `products` from that by outputs, (16, T, lanes)."""
    kept = np.empty((24, LANES), gradient.dtype)
    lanes = products.shape[2]
    for t in range(products.shape[1]):
        for start in range(0, lanes, LANES):
            stop = min(start + LANES, lanes)
            for j in range(4):
                g0, g1 = gradient[j, t, start:stop], gradient[4 + j, t, start:stop]
                g2, g3 = gradient[8 + j, t, start:stop], gradient[12 + j, t, start:stop]
                k0, k1, k2 = kept[j], kept[4 + j], kept[8 + j]
                k3, k4, k5 = kept[12 + j], kept[16 + j], kept[20 + j]
                for c in range(stop - start):
                    k = outputs_back((g0[c], g1[c], g2[c], g3[c]))
                    k0[c], k1[c], k2[c], k3[c], k4[c], k5[c] = k
            up(kept, products, t, start, stop)


def outputs_of(products: Tensor, bias: Tensor) -> Tensor:
    """Return the outputs of tiles, of shape (16, T, N, C), the places of a tile row by row.

    `products` of shape (36, T, N, C), `bias` of shape (C,).
    """
    _, tiles, images, channels = products.shape
    out = products.new_empty(16, tiles, images, channels, dtype=computed_in(products.dtype))
    flat = products.view(36, tiles, -1)
    _forward(array(flat), array(bias.repeat(images)), array(out.view(16, tiles, -1)))
    return out


def gradient_by_products(gradient: Tensor, kept_as: torch.dtype) -> Tensor:
    """Return the gradient by products, (36, T, N, C), from that by outputs, (16, T, N, C)."""
    _, tiles, images, channels = gradient.shape
    found = gradient.new_empty(36, tiles, images, channels, dtype=kept_as)
    _backward(array(gradient.reshape(16, tiles, -1)), array(found.view(36, tiles, -1)))
    return found
