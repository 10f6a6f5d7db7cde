"""From the weights of a 3 x 3 convolution to transformed filters, and the gradient back, as loops.

A lane is a pair of channels, one of the outputs and one of the inputs.
"""

import numpy as np
import torch
from torch import Tensor

from actlab.networks.winograd.compiled import Array, array, compiled
from actlab.networks.winograd.kept_numbers import computed_in, load, store
from actlab.networks.winograd.tile_inputs import LANES
from actlab.networks.winograd.tile_transforms import taps, taps_back


@compiled
def _forward(weights: Array, filters: Array) -> None:
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
def _backward(filters: Array, weights: Array) -> None:
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


def filters_of(weight: Tensor, kept_as: torch.dtype) -> Tensor:
    """Return the transformed filters, of shape (36, D, C), of `weight`, (D, C, 3, 3)."""
    made, given = weight.shape[:2]
    filters = weight.new_empty(36, made, given, dtype=kept_as)
    _forward(array(weight.permute(2, 3, 0, 1).reshape(9, -1)), array(filters.view(36, -1)))
    return filters


def gradient_by_weight(by_filters: Tensor) -> Tensor:
    """Return the gradient by the weight, (D, C, 3, 3), from that by filters, (36, D, C)."""
    _, made, given = by_filters.shape
    found = by_filters.new_empty(3, 3, made, given, dtype=computed_in(by_filters.dtype))
    _backward(array(by_filters.view(36, -1)), array(found.view(9, -1)))
    return found.permute(2, 3, 0, 1)
