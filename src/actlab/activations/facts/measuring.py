"""All facts of a formula for given parameter values, measured from the formula alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np

from actlab.activations.catalogue.declared import (
    Kink,
    ScalarFacts,
    gain,
    nfnet_gamma,
    zero_centredness,
)
from actlab.activations.facts.critical_points import (
    CriticalPoints,
    Extreme,
    fixed_points,
    highest,
    lowest,
)
from actlab.activations.facts.curve import Array, Curve, MeasurementError
from actlab.activations.facts.kinks import smoothness, zero_gradient_share
from actlab.activations.facts.measurable import Measurable
from actlab.i18n import _

_REACH = 38.0
"""exp(-x^2 / 2) underflows beyond it."""

_NODES = 24
_STEPS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_AGREEMENT = 1e-13
_LEAST_AGREEMENT = 1e-9
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
    critical_points = CriticalPoints(curve)
    values = critical_points.values()
    low, high = lowest(values, curve.unit), highest(values, curve.unit)
    steepest = highest(critical_points.slopes(), curve.unit)
    mean, second, mean_slope, second_slope = _moments(critical_points)
    place = low.place if low.attained else None
    left, right = (float(curve.from_side(0, 1, side)[1]) + 0.0 for side in (-1, 1))
    found = ScalarFacts(
        range_low=low.value,
        range_high=high.value,
        low_attained=low.attained,
        high_attained=high.attained,
        monotonic=critical_points.monotonic(),
        min_x=place,
        min_y=low.value if place is not None else None,
        max_abs_grad=steepest.value,
        argmax_abs_grad=_place(steepest),
        smoothness=smoothness(critical_points.breaks),
        mean_under_N01=mean,
        second_moment_N01=second,
        mean_grad_N01=mean_slope,
        second_moment_grad_N01=second_slope,
        gain_forward=gain(second),
        gain_backward=gain(second_slope),
        df0_left=left,
        df0_right=right,
        lim_minus_inf=_number(critical_points.limits[0]),
        lim_plus_inf=_number(critical_points.limits[1]),
        grad_lim_minus_inf=_number(critical_points.slope_limits[0]),
        grad_lim_plus_inf=_number(critical_points.slope_limits[1]),
        zero_grad_fraction_N01=zero_gradient_share(critical_points.pieces),
        zero_centredness=zero_centredness(mean, second),
        nfnet_gamma=nfnet_gamma(mean, second),
        fixed_points=fixed_points(critical_points),
        kinks=_kinks(critical_points),
    )
    contradiction = contradicting(found, curve)
    if contradiction is not None:
        message = _("The facts of this function contradict each other, so none is given: {reason}.")
        raise MeasurementError(message.format(reason=contradiction))
    return found


def contradicting(facts: ScalarFacts, curve: Curve) -> str | None:
    """Return in words which facts of a function cannot hold together, None where all can."""
    low, high = facts.range_low, facts.range_high
    steepest = facts.max_abs_grad
    if low is None or high is None or steepest is None:
        return None
    values = curve.sample(curve.grid, 0)[0]
    values = values[np.isfinite(values)]
    slack = 1e-9 * np.maximum(np.abs(values), curve.unit * 1e-3)
    mean, second, second_slope = (
        facts.mean_under_N01,
        facts.second_moment_N01,
        facts.second_moment_grad_N01,
    )
    moving = str(facts.monotonic).startswith("strictly") or steepest > 0
    ends = [end for end in (facts.lim_minus_inf, facts.lim_plus_inf) if end is not None]
    room = 1e-9 * max(abs(mean or 0.0), curve.unit)
    if low > high or (low == high and moving and facts.smoothness != "discontinuous"):
        return _("its range is one number, but it moves")
    if bool(np.any(values < low - slack)) or bool(np.any(values > high + slack)):
        return _("it takes values outside its range")
    if any(not low <= end <= high for end in ends):
        return _("a limit lies outside its range")
    if mean is not None and not low - room <= mean <= high + room:
        return _("its mean lies outside its range")
    if mean is not None and second is not None and mean**2 > second * (1 + 1e-9):
        return _("its mean is larger than its second moment allows")
    if second_slope is not None and second_slope > steepest**2 * (1 + 1e-9):
        return _("the mean slope is larger than the largest")
    rising = facts.monotonic in ("strictly_increasing", "non_decreasing")
    falling = facts.monotonic in ("strictly_decreasing", "non_increasing")
    if len(ends) == 2 and ((rising and ends[0] > ends[1]) or (falling and ends[0] < ends[1])):
        return _("its limits are against its direction")
    return None


def _number(end: Any) -> float | None:
    return None if end is None else float(end) + 0.0


def _place(extreme: Extreme) -> float | None:
    return extreme.place if extreme.attained and math.isfinite(extreme.value) else None


_VANISHED = math.log(1e-17)


def _moments(critical_points: CriticalPoints) -> tuple[float | None, ...]:
    """Return E f, E f^2, E f', E f'^2, None where it does not exist or cannot be computed."""
    curve = critical_points.curve
    vanishing = _vanishing(curve)

    def integrands(xs: Array) -> tuple[Array, ...]:
        value, slope = curve.sample(xs, 1)
        return (value, value**2, slope, slope**2)

    breaks = [float(found.x) for found in critical_points.breaks]
    steep = [float(found.x) for found in critical_points.breaks if found.is_steep]
    graded = [(place, 10.0**-digits) for place in steep for digits in range(1, 15)]
    means = normal_means(integrands, breaks, [*curve.scales, *graded])
    return tuple(m if sure else None for m, sure in zip(means, vanishing, strict=True))


def _vanishing(curve: Curve) -> tuple[bool, bool, bool, bool]:
    """Return of f, f^2, f' and f'^2 whether they vanish against the density at both ends."""
    logs: list[tuple[float, float]] = []
    for side in (-1, 1):
        rows = [curve.at(side * x, 1) for x in (20, 30, _REACH)]
        sizes = [[_logarithm(value) for value in row] for row in rows]
        logs += [(sizes[-1][0], sizes[-2][0]), (sizes[-1][1], sizes[-2][1])]
    found = []
    for order in (0, 1):
        for power in (1, 2):
            end = [power * far - _REACH**2 / 2 for far, _near in logs[order::2]]
            before = [power * near - 30**2 / 2 for _far, near in logs[order::2]]
            pairs = zip(end, before, strict=True)
            found.append(all(b <= a and b < _VANISHED for b, a in pairs))
    return (found[0], found[1], found[2], found[3])


def _logarithm(value: Any) -> float:
    return float(mpmath.log(abs(value))) if value != 0 else -math.inf


def _kinks(critical_points: CriticalPoints) -> tuple[Kink, ...]:
    return tuple(
        Kink(float(found.x) + 0.0, float(found.left[1]) + 0.0, float(found.right[1]) + 0.0)
        for found in critical_points.breaks
        if found.order <= 1
    )


def normal_means(
    integrands: Callable[[Array], Sequence[Array]],
    breaks: Sequence[float],
    scales: Sequence[tuple[float, float]],
) -> tuple[float | None, ...]:
    """Return E[g(z)] for z standard normal, for every g that `integrands` returns.

    The panels end at the breaks and follow the scales (place, width) on which something happens;
    they are halved until two results agree; None where they do not. What is below 1e-15 of the
    mean of |g| is 0.

    >>> from actlab.activations.facts.measuring import normal_means
    >>> [round(m, 15) for m in normal_means(lambda x: (x, x**2), [], [(0.0, 1.0)])]
    [0.0, 1.0]
    """
    edges = _edges(breaks, scales)
    found = _integrate(integrands, edges)
    off = [math.inf] * len(found)
    for _halving in range(_HALVINGS):
        edges = np.sort(np.concatenate([edges, (edges[1:] + edges[:-1]) / 2]))
        finer = _integrate(integrands, edges)
        off = [
            min(abs(a - b), abs(a - b) / size if size > 0 else 0.0)
            for (a, _size), (b, size) in zip(found, finer, strict=True)
        ]
        found = finer
        if all(error <= _AGREEMENT for error in off):
            break
    return tuple(
        None if not error <= _LEAST_AGREEMENT else (0.0 if abs(mean) < 1e-15 * size else mean)
        for error, (mean, size) in zip(off, found, strict=True)
    )


def _edges(breaks: Sequence[float], scales: Sequence[tuple[float, float]]) -> Array:
    local = [
        place + sign * width * step
        for place, width in scales
        for step in _STEPS
        for sign in (-1, 1)
    ]
    places = np.concatenate([np.arange(-_REACH, _REACH + 1), breaks, local])
    return np.unique(np.clip(places, -_REACH, _REACH))


def _integrate(
    integrands: Callable[[Array], Sequence[Array]], edges: Array
) -> list[tuple[float, float]]:
    """Return the means of every g and of |g|."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = np.diff(edges)[:, None] / 2
    xs = ((edges[1:] + edges[:-1])[:, None] / 2 + half * nodes).ravel()
    density = np.exp(-(xs**2) / 2) / math.sqrt(2 * math.pi)
    mass = (half * weights).ravel() * density
    kept = mass > 0
    xs, mass = xs[kept], mass[kept]
    with np.errstate(all="ignore"):
        columns = [mass * values for values in integrands(xs)]
        return [(float(np.sum(c)), float(np.sum(np.abs(c)))) for c in columns]
