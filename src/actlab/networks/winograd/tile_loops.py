"""The Winograd transforms over all tiles: inputs, filters, outputs, pooled outputs, and gradients.

The 6 x 6 inputs of a tile are read where they are; nothing is gathered beforehand. A loop takes
some lanes at a time: for inputs and outputs a lane is one channel of one image, for filters a pair
of an output and an input channel. What a loop holds between the transform down the columns and the
one along the rows stays in the fastest memory. Where 2 x 2 pooling follows, only the extremes of
the four windows of a tile are written, with the place in its window that each came from, to which
the gradient goes.
"""

import numpy as np
import torch
from torch import Tensor

from actlab.networks.winograd.compiled import Array, array, compiled, compute_dtype, load, store
from actlab.networks.winograd.extremes import EXTREMES, highest
from actlab.networks.winograd.tile_transforms import (
    inputs,
    inputs_back,
    outputs,
    outputs_back,
    taps,
    taps_back,
)

LANES = 128
"""Lanes at a time: of 32, 64, 128 and 256 the quickest on an AMD EPYC (Zen 4)."""


@compiled
def _inputs_forward(values: Array, rows: Array, factors: Array) -> None:
    """Fill `factors`, (36, T, lanes), from `values`, (P, lanes), and `rows`, (36, T)."""
    kept = np.empty((36, LANES), values.dtype)
    lanes = values.shape[1]
    for t in range(rows.shape[1]):
        for start in range(0, lanes, LANES):
            stop = min(start + LANES, lanes)
            for x in range(6):
                d0, d1 = values[rows[x, t], start:stop], values[rows[6 + x, t], start:stop]
                d2, d3 = values[rows[12 + x, t], start:stop], values[rows[18 + x, t], start:stop]
                d4, d5 = values[rows[24 + x, t], start:stop], values[rows[30 + x, t], start:stop]
                k0, k1, k2 = kept[x], kept[6 + x], kept[12 + x]
                k3, k4, k5 = kept[18 + x], kept[24 + x], kept[30 + x]
                for c in range(stop - start):
                    k = inputs((d0[c], d1[c], d2[c], d3[c], d4[c], d5[c]))
                    k0[c], k1[c], k2[c], k3[c], k4[c], k5[c] = k
            for y in range(0, 36, 6):
                k0, k1, k2 = kept[y], kept[y + 1], kept[y + 2]
                k3, k4, k5 = kept[y + 3], kept[y + 4], kept[y + 5]
                m0, m1 = factors[y, t, start:stop], factors[y + 1, t, start:stop]
                m2, m3 = factors[y + 2, t, start:stop], factors[y + 3, t, start:stop]
                m4, m5 = factors[y + 4, t, start:stop], factors[y + 5, t, start:stop]
                for c in range(stop - start):
                    m = inputs((k0[c], k1[c], k2[c], k3[c], k4[c], k5[c]))
                    store(m0, c, m[0])
                    store(m1, c, m[1])
                    store(m2, c, m[2])
                    store(m3, c, m[3])
                    store(m4, c, m[4])
                    store(m5, c, m[5])


@compiled
def _inputs_backward(factors: Array, rows: Array, values: Array) -> None:
    """Fill the gradient by `values` from that by `factors`: sums, since tiles overlap."""
    kept = np.empty((36, LANES), values.dtype)
    lanes = values.shape[1]
    for start in range(0, lanes, LANES):
        stop = min(start + LANES, lanes)
        for p in range(len(values)):
            values[p, start:stop] = 0
        for t in range(rows.shape[1]):
            for y in range(0, 36, 6):
                k0, k1, k2 = kept[y], kept[y + 1], kept[y + 2]
                k3, k4, k5 = kept[y + 3], kept[y + 4], kept[y + 5]
                m0, m1 = factors[y, t, start:stop], factors[y + 1, t, start:stop]
                m2, m3 = factors[y + 2, t, start:stop], factors[y + 3, t, start:stop]
                m4, m5 = factors[y + 4, t, start:stop], factors[y + 5, t, start:stop]
                for c in range(stop - start):
                    upper = (load(m0[c]), load(m1[c]), load(m2[c]))
                    m = inputs_back((*upper, load(m3[c]), load(m4[c]), load(m5[c])))
                    k0[c], k1[c], k2[c], k3[c], k4[c], k5[c] = m
            for x in range(6):
                d0, d1 = values[rows[x, t], start:stop], values[rows[6 + x, t], start:stop]
                d2, d3 = values[rows[12 + x, t], start:stop], values[rows[18 + x, t], start:stop]
                d4, d5 = values[rows[24 + x, t], start:stop], values[rows[30 + x, t], start:stop]
                k0, k1, k2 = kept[x], kept[6 + x], kept[12 + x]
                k3, k4, k5 = kept[18 + x], kept[24 + x], kept[30 + x]
                for c in range(stop - start):
                    d = inputs_back((k0[c], k1[c], k2[c], k3[c], k4[c], k5[c]))
                    d0[c] += d[0]
                    d1[c] += d[1]
                    d2[c] += d[2]
                    d3[c] += d[3]
                    d4[c] += d[4]
                    d5[c] += d[5]


def factors_of(values: Tensor, rows: Tensor, storage: torch.dtype) -> Tensor:
    """Return the transformed inputs of tiles, of shape (36, T, N, C), in the dtype `storage`.

    `values` of shape (P, N, C); `rows`, (36, T), says which position is where in which tile.
    """
    factors = values.new_empty(36, rows.shape[1], *values.shape[1:], dtype=storage)
    flat = factors.view(36, rows.shape[1], -1)
    _inputs_forward(array(values.reshape(len(values), -1)), array(rows), array(flat))
    return factors


def gradient_by_values(by_factors: Tensor, rows: Tensor, shape: torch.Size) -> Tensor:
    """Return the gradient by values of `shape` from that by factors, of shape (36, T, N, C)."""
    found = by_factors.new_empty(shape, dtype=compute_dtype(by_factors.dtype))
    flat = by_factors.reshape(36, rows.shape[1], -1)
    _inputs_backward(array(flat), array(rows), array(found.view(shape[0], -1)))
    return found


@compiled
def _filters_forward(weights: Array, filters: Array) -> None:
    """Fill `filters`, (36, lanes), from `weights`, (9, lanes)."""
    kept = np.empty((18, LANES), weights.dtype)
    lanes = weights.shape[1]
    for start in range(0, lanes, LANES):
        stop = min(start + LANES, lanes)
        for x in range(3):
            g0, g1 = weights[x, start:stop], weights[3 + x, start:stop]
            g2 = weights[6 + x, start:stop]
            k0, k1, k2 = kept[x], kept[3 + x], kept[6 + x]
            k3, k4, k5 = kept[9 + x], kept[12 + x], kept[15 + x]
            for c in range(stop - start):
                k0[c], k1[c], k2[c], k3[c], k4[c], k5[c] = taps((g0[c], g1[c], g2[c]))
        for y in range(6):
            g0, g1, g2 = kept[3 * y], kept[3 * y + 1], kept[3 * y + 2]
            m0, m1 = filters[6 * y, start:stop], filters[6 * y + 1, start:stop]
            m2, m3 = filters[6 * y + 2, start:stop], filters[6 * y + 3, start:stop]
            m4, m5 = filters[6 * y + 4, start:stop], filters[6 * y + 5, start:stop]
            for c in range(stop - start):
                m = taps((g0[c], g1[c], g2[c]))
                store(m0, c, m[0])
                store(m1, c, m[1])
                store(m2, c, m[2])
                store(m3, c, m[3])
                store(m4, c, m[4])
                store(m5, c, m[5])


@compiled
def _filters_backward(filters: Array, weights: Array) -> None:
    """Fill the gradient by `weights` from that by `filters`."""
    kept = np.empty((18, LANES), weights.dtype)
    lanes = weights.shape[1]
    for start in range(0, lanes, LANES):
        stop = min(start + LANES, lanes)
        for y in range(6):
            k0, k1, k2 = kept[3 * y], kept[3 * y + 1], kept[3 * y + 2]
            m0, m1 = filters[6 * y, start:stop], filters[6 * y + 1, start:stop]
            m2, m3 = filters[6 * y + 2, start:stop], filters[6 * y + 3, start:stop]
            m4, m5 = filters[6 * y + 4, start:stop], filters[6 * y + 5, start:stop]
            for c in range(stop - start):
                upper = (load(m0[c]), load(m1[c]), load(m2[c]))
                k0[c], k1[c], k2[c] = taps_back((*upper, load(m3[c]), load(m4[c]), load(m5[c])))
        for x in range(3):
            g0, g1 = weights[x, start:stop], weights[3 + x, start:stop]
            g2 = weights[6 + x, start:stop]
            k0, k1, k2 = kept[x], kept[3 + x], kept[6 + x]
            k3, k4, k5 = kept[9 + x], kept[12 + x], kept[15 + x]
            for c in range(stop - start):
                g0[c], g1[c], g2[c] = taps_back((k0[c], k1[c], k2[c], k3[c], k4[c], k5[c]))


def filters_of(weight: Tensor, storage: torch.dtype) -> Tensor:
    """Return the transformed filters, of shape (36, D, C), of `weight`, (D, C, 3, 3)."""
    made, given = weight.shape[:2]
    filters = weight.new_empty(36, made, given, dtype=storage)
    _filters_forward(array(weight.permute(2, 3, 0, 1).reshape(9, -1)), array(filters.view(36, -1)))
    return filters


def gradient_by_weight(by_filters: Tensor) -> Tensor:
    """Return the gradient by the weight, (D, C, 3, 3), from that by filters, (36, D, C)."""
    _, made, given = by_filters.shape
    found = by_filters.new_empty(3, 3, made, given, dtype=compute_dtype(by_filters.dtype))
    _filters_backward(array(by_filters.view(36, -1)), array(found.view(9, -1)))
    return found.permute(2, 3, 0, 1)


@compiled
def _down(products: Array, t: int, start: int, stop: int, kept: Array) -> None:
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
def _up(kept: Array, products: Array, t: int, start: int, stop: int) -> None:
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
def _outputs_forward(products: Array, bias: Array, out: Array) -> None:
    """Fill `out`, (16, T, lanes), from `products`, (36, T, lanes); `bias` has one per lane."""
    kept = np.empty((24, LANES), out.dtype)
    lanes = products.shape[2]
    for t in range(products.shape[1]):
        for start in range(0, lanes, LANES):
            stop = min(start + LANES, lanes)
            _down(products, t, start, stop, kept)
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
def _outputs_backward(gradient: Array, products: Array) -> None:
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
            _up(kept, products, t, start, stop)


def outputs_of(products: Tensor, bias: Tensor) -> Tensor:
    """Return the outputs of tiles, of shape (16, T, N, C), the places of a tile row by row.

    `products` of shape (36, T, N, C), `bias` of shape (C,).
    """
    _, tiles, images, channels = products.shape
    out = products.new_empty(16, tiles, images, channels, dtype=compute_dtype(products.dtype))
    flat = products.view(36, tiles, -1)
    _outputs_forward(array(flat), array(bias.repeat(images)), array(out.view(16, tiles, -1)))
    return out


def products_gradient_of_outputs(gradient: Tensor, storage: torch.dtype) -> Tensor:
    """Return the gradient by products, (36, T, N, C), from that by outputs, (16, T, N, C)."""
    _, tiles, images, channels = gradient.shape
    found = gradient.new_empty(36, tiles, images, channels, dtype=storage)
    _outputs_backward(array(gradient.reshape(16, tiles, -1)), array(found.view(36, tiles, -1)))
    return found


@compiled
def _windows_forward(products: Array, bias: Array, out: Array, places: Array) -> None:
    """Fill `out` and `places`, (E, 4, T, lanes), from `products`, (36, T, lanes).

    `bias` has a number per lane.
    """
    kept = np.empty((24, LANES), out.dtype)
    lanes = products.shape[2]
    for t in range(products.shape[1]):
        for start in range(0, lanes, LANES):
            stop = min(start + LANES, lanes)
            _down(products, t, start, stop, kept)
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
def _windows_backward(gradient: Array, places: Array, products: Array) -> None:
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
            _up(kept, products, t, start, stop)


def extremes_of(products: Tensor, bias: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the extremes of the pooling windows of tiles, and which place of its window each is.

    `products` of shape (36, T, N, C), `bias` (C,); both results (count, 4, T, N, C), the windows
    of a tile row by row: the highest values and, with a `count` of 2, the lowest. Of equal values
    the first is taken.
    """
    _, tiles, images, channels = products.shape
    shape = (count, 4, tiles, images, channels)
    out = products.new_empty(shape, dtype=compute_dtype(products.dtype))
    places = torch.empty(shape, dtype=torch.uint8)
    flat = (count, 4, tiles, images * channels)
    _windows_forward(
        array(products.view(36, tiles, -1)),
        array(bias.repeat(images)),
        array(out.view(flat)),
        array(places.view(flat)),
    )
    return out, places


def products_gradient_of_windows(gradient: Tensor, places: Tensor, storage: torch.dtype) -> Tensor:
    """Return the gradient by products, (36, T, N, C), from that by windows, (4, T, N, C)."""
    _, tiles, images, channels = gradient.shape
    found = gradient.new_empty(36, tiles, images, channels, dtype=storage)
    flat = (4, tiles, images * channels)
    _windows_backward(
        array(gradient.reshape(flat)), array(places.view(flat)), array(found.view(36, tiles, -1))
    )
    return found
