"""From values at positions to the transformed inputs of tiles, and the gradient back, as loops.

The six by six inputs of a tile are read where they stand; nothing is gathered beforehand. A loop
takes some lanes at a time, a lane being one channel of one image: what it keeps between the
transform down and the one across stays in the fastest memory.
"""

import numpy as np
import torch
from torch import Tensor

from actlab.networks.winograd.compiled import Array, array, compiled
from actlab.networks.winograd.kept_numbers import computed_in, load, store
from actlab.networks.winograd.tile_transforms import inputs, inputs_back

LANES = 128
"""Lanes at a time: of 32, 64, 128 and 256 the quickest on an AMD EPYC (Zen 4)."""


@compiled
def _forward(values: Array, rows: Array, factors: Array) -> None:
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
def _backward(factors: Array, rows: Array, values: Array) -> None:
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


def factors_of(values: Tensor, rows: Tensor, kept_as: torch.dtype) -> Tensor:
    """Return the transformed inputs of tiles, of shape (36, T, N, C), in the dtype `kept_as`.

    `values` of shape (P, N, C); `rows`, (36, T), says which position is where in which tile.
    """
    factors = values.new_empty(36, rows.shape[1], *values.shape[1:], dtype=kept_as)
    flat = factors.view(36, rows.shape[1], -1)
    _forward(array(values.reshape(len(values), -1)), array(rows), array(flat))
    return factors


def gradient_by_values(by_factors: Tensor, rows: Tensor, shape: torch.Size) -> Tensor:
    """Return the gradient by values of `shape` from that by factors, of shape (36, T, N, C)."""
    found = by_factors.new_empty(shape, dtype=computed_in(by_factors.dtype))
    flat = by_factors.reshape(36, rows.shape[1], -1)
    _backward(array(flat), array(rows), array(found.view(shape[0], -1)))
    return found
