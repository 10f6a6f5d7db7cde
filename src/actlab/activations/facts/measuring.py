"""All facts of a formula for given parameter values, measured from the formula alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from actlab.activations.catalogue.declared import Kink, ScalarFacts, gain, zero_centredness
from actlab.activations.facts.critical_points import Anatomy, Extreme, fixed_points, highest, lowest
from actlab.activations.facts.curve import Array, Curve
from actlab.activations.facts.kinks import smoothness, zero_gradient_share
from actlab.activations.facts.measurable import Measurable

_REACH = 38.0
"""exp(-x^2 / 2) underflows beyond it."""

_NODES = 24
_STEPS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_AGREEMENT = 1e-13
_HALVINGS = 5


def measured(function: Measurable) -> ScalarFacts:
    """Return every scalar fact of the function, whatever the catalogue declares.

    Extrema and one-sided derivatives come from Taylor arithmetic at 60 digits, moments from
    Gauss-Legendre panels in double precision. Raises DomainError for a formula that is not finite
    on the whole line.

    >>> from actlab.activations import get
    >>> measured(get("silu")).min_y
    -0.2784645427610738
    """
    curve = Curve.of(function)
    anatomy = Anatomy(curve)
    low, high = lowest(anatomy.values()), highest(anatomy.values())
    steepest = highest(anatomy.slopes())
    mean, second, mean_slope, second_slope = _moments(anatomy)
    place = low.place if low.attained else None
    left, right = (float(curve.at(0, 1, side)[1]) + 0.0 for side in (-1, 1))
    return ScalarFacts(
        range_low=low.value,
        range_high=high.value,
        low_attained=low.attained,
        high_attained=high.attained,
        monotonic=anatomy.monotonic(),
        min_x=place,
        min_y=low.value if place is not None else None,
        max_abs_grad=steepest.value,
        argmax_abs_grad=_place(steepest),
        smoothness=smoothness(anatomy.breaks),
        mean_under_N01=mean,
        second_moment_N01=second,
        mean_grad_N01=mean_slope,
        second_moment_grad_N01=second_slope,
        gain_forward=gain(second),
        gain_backward=gain(second_slope),
        df0_left=left,
        df0_right=right,
        lim_minus_inf=_number(anatomy.limits[0]),
        lim_plus_inf=_number(anatomy.limits[1]),
        grad_lim_minus_inf=_number(anatomy.slope_limits[0]),
        grad_lim_plus_inf=_number(anatomy.slope_limits[1]),
        zero_grad_fraction_N01=zero_gradient_share(anatomy.pieces),
        zero_centredness=zero_centredness(mean, second),
        fixed_points=fixed_points(anatomy),
        kinks=_kinks(anatomy),
    )


def _number(end: Any) -> float | None:
    return None if end is None else float(end) + 0.0


def _place(extreme: Extreme) -> float | None:
    return extreme.place if extreme.attained and math.isfinite(extreme.value) else None


def _moments(anatomy: Anatomy) -> tuple[float, ...]:
    curve = anatomy.curve

    def integrands(xs: Array) -> tuple[Array, ...]:
        value, slope = curve.sample(xs, 1)
        return (value, value**2, slope, slope**2)

    breaks = [float(found.x) for found in anatomy.breaks]
    found = normal_means(integrands, breaks, curve.scales)
    mean, second, mean_slope, second_slope = found
    noise = 1e-15
    return (
        0.0 if abs(mean) < noise * math.sqrt(second) else mean,
        second,
        0.0 if abs(mean_slope) < noise * math.sqrt(second_slope) else mean_slope,
        second_slope,
    )


def _kinks(anatomy: Anatomy) -> tuple[Kink, ...]:
    return tuple(
        Kink(float(found.x) + 0.0, float(found.left[1]) + 0.0, float(found.right[1]) + 0.0)
        for found in anatomy.breaks
        if found.order <= 1
    )


def normal_means(
    integrands: Callable[[Array], Sequence[Array]],
    breaks: Sequence[float],
    scales: Sequence[tuple[float, float]],
) -> tuple[float, ...]:
    """Return E[g(z)] for z standard normal, for every g that `integrands` returns.

    The panels end at the breaks and follow the scales (place, width) on which something happens;
    they are halved until two results agree.

    >>> from actlab.activations.facts.measuring import normal_means
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
