"""Integrals against the standard normal density, by Gauss-Legendre panels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from actlab.activations.facts.curve import Array

_REACH = 38.0
"""exp(-x^2 / 2) underflows beyond it."""

_NODES = 24
_STEPS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_AGREEMENT = 1e-13
_HALVINGS = 5


def normal_means(
    integrands: Callable[[Array], Sequence[Array]],
    breaks: Sequence[float],
    scales: Sequence[tuple[float, float]],
) -> tuple[float, ...]:
    """Return E[g(z)] for z standard normal, for every g that `integrands` returns.

    The panels end at the breaks and follow the scales (place, width) on which something happens;
    they are halved until two results agree.

    >>> from actlab.activations.facts.moments import normal_means
    >>> [round(m, 15) for m in normal_means(lambda x: (x, x**2), [], [(0.0, 1.0)])]
    [0.0, 1.0]
    """
    edges = _edges(breaks, scales)
    found = _integrate(integrands, edges)
    for _halving in range(_HALVINGS):
        edges = np.sort(np.concatenate([edges, (edges[1:] + edges[:-1]) / 2]))
        finer = _integrate(integrands, edges)
        pairs = zip(found, finer, strict=True)
        settled = all(abs(a - b) <= _AGREEMENT * max(1.0, abs(b)) for a, b in pairs)
        found = finer
        if settled:
            break
    return found


def _edges(breaks: Sequence[float], scales: Sequence[tuple[float, float]]) -> Array:
    local = [
        place + sign * width * step
        for place, width in scales
        for step in _STEPS
        for sign in (-1, 1)
    ]
    places = np.concatenate([np.arange(-_REACH, _REACH + 1), breaks, local])
    return np.unique(np.clip(places, -_REACH, _REACH))


def _integrate(integrands: Callable[[Array], Sequence[Array]], edges: Array) -> tuple[float, ...]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = np.diff(edges)[:, None] / 2
    xs = ((edges[1:] + edges[:-1])[:, None] / 2 + half * nodes).ravel()
    density = np.exp(-(xs**2) / 2) / math.sqrt(2 * math.pi)
    mass = (half * weights).ravel() * density
    kept = mass > 0
    xs, mass = xs[kept], mass[kept]
    return tuple(float(np.sum(mass * values)) for values in integrands(xs))
