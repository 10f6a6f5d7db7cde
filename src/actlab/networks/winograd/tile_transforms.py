"""The transforms of minimal filtering F(4, 3) over one dimension, on numbers in registers.

A' (`outputs`), B' (`inputs`) and G (`taps`) of Cook and Toom for the points 0, 1, -1, 1/2, -2 and
infinity (Blahut, Fast Algorithms for Digital Signal Processing, 1985, chapter 5), and their
transposed for gradients. Rounding grows with the points: with these, outputs in float32 are about 7
times as far from float64 as a direct convolution's (with 2 for 1/2: 11 times). All factors are
exact in float32, so that one loop serves float32 and float64.
"""

from typing import Any

import numpy as np

from actlab.networks.winograd.compiled import compiled

TILE = 4
"""Outputs of a tile along one side."""

INPUTS = TILE + 2
"""Inputs of a tile along one side."""

Numbers = tuple[Any, ...]
"""Floating-point numbers of one type, float32 or float64."""

_EIGHTH, _QUARTER, _HALF = np.float32(0.125), np.float32(0.25), np.float32(0.5)
_THREE_HALVES, _FIVE_HALVES = np.float32(1.5), np.float32(2.5)
_TWO, _FOUR, _EIGHT = np.float32(2), np.float32(4), np.float32(8)
_SIXTEEN, _THREE, _FIFTEEN = np.float32(16), np.float32(3), np.float32(15)


@compiled
def outputs(m: Numbers) -> Numbers:
    """Return four outputs from six products."""
    total, difference = m[1] + m[2], m[1] - m[2]
    return (
        m[0] + total + m[3] + m[4],
        difference + _HALF * m[3] - _TWO * m[4],
        total + _QUARTER * m[3] + _FOUR * m[4],
        difference + _EIGHTH * m[3] - _EIGHT * m[4] + m[5],
    )


@compiled
def outputs_back(y: Numbers) -> Numbers:
    """Return six gradients by products from four by outputs."""
    even, odd = y[0] + y[2], y[1] + y[3]
    return (
        y[0],
        even + odd,
        even - odd,
        y[0] + _HALF * y[1] + _QUARTER * y[2] + _EIGHTH * y[3],
        y[0] - _TWO * y[1] + _FOUR * y[2] - _EIGHT * y[3],
        y[3],
    )


@compiled
def inputs(d: Numbers) -> Numbers:
    """Return six factors from six inputs."""
    return (
        d[0] - _THREE_HALVES * d[1] - _TWO * d[2] + _THREE_HALVES * d[3] + d[4],
        _HALF * d[2] - d[1] + _FIVE_HALVES * d[3] + d[4],
        d[1] - _FIVE_HALVES * d[2] + _HALF * d[3] + d[4],
        _TWO * (d[3] - d[1]) - d[2] + d[4],
        _HALF * (d[1] - d[3]) - d[2] + d[4],
        d[1] - _THREE_HALVES * d[2] - _TWO * d[3] + _THREE_HALVES * d[4] + d[5],
    )


@compiled
def inputs_back(m: Numbers) -> Numbers:
    """Return six gradients by inputs from six by factors."""
    return (
        m[0],
        m[2] - m[1] - _THREE_HALVES * m[0] + _HALF * m[4] - _TWO * m[3] + m[5],
        _HALF * m[1] - _TWO * m[0] - _FIVE_HALVES * m[2] - m[3] - m[4] - _THREE_HALVES * m[5],
        _THREE_HALVES * m[0] + _FIVE_HALVES * m[1] + _HALF * (m[2] - m[4]) + _TWO * (m[3] - m[5]),
        m[0] + m[1] + m[2] + m[3] + m[4] + _THREE_HALVES * m[5],
        m[5],
    )


@compiled
def taps(g: Numbers) -> Numbers:
    """Return six factors from three taps."""
    outer = g[0] + g[2]
    return (
        g[0],
        (outer + g[1]) / _THREE,
        (g[1] - outer) / _THREE,
        (_EIGHT * g[1] + _SIXTEEN * g[0] + _FOUR * g[2]) / -_FIFTEEN,
        (g[0] - _TWO * g[1] + _FOUR * g[2]) / _FIFTEEN,
        g[2],
    )


@compiled
def taps_back(m: Numbers) -> Numbers:
    """Return three gradients by taps from six by factors."""
    difference, total = (m[1] - m[2]) / _THREE, (m[1] + m[2]) / _THREE
    half, last = m[3] / _FIFTEEN, m[4] / _FIFTEEN
    return (
        m[0] + difference - _SIXTEEN * half + last,
        total - _EIGHT * half - _TWO * last,
        m[5] + difference - _FOUR * half + _FOUR * last,
    )
