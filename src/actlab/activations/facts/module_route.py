"""The second route: facts read off a live module in float64, by autograd and finite differences.

Nothing here knows the formula. What float64 cannot tell (whether tanh ever reaches 1) is decided
where it can: on [-7, 7], where no function of the catalogue has yet run into rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch

from actlab.activations.catalogue.declared import (
    Kink,
    Monotonic,
    ScalarFacts,
    Smoothness,
    gain,
    nfnet_gamma,
    normal_cdf,
)
from actlab.activations.catalogue.declared import zero_centredness as centredness
from actlab.activations.facts.critical_points import REACH, limit
from actlab.activations.facts.curve import Array
from actlab.activations.facts.kinks import jump_orders, one_sided_slopes
from actlab.activations.facts.measuring import normal_means

_STEP = 1 / 64
_NEAR = np.arange(-7.0, 7.0 + _STEP, _STEP)
_WIDE = np.arange(-60.0, 60.0 + _STEP, _STEP)
_CELLS = np.arange(-38.0, 38.125, 0.125)
_FAR = np.concatenate([side * np.array([1e3, 1e4, 1e6, 1e8]) for side in (-1, 1)])
_SAME = 1e-11


class ModuleRoute:
    """A module in float64 as a function of arrays."""

    def __init__(self, module: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self._module = module

    def value(self, xs: Array) -> Array:
        """Return f at each point."""
        with torch.no_grad():
            found: Array = self._module(torch.from_numpy(np.array(xs, dtype=float))).numpy()
        return found

    def slope(self, xs: Array) -> Array:
        """Return autograd's f' at each point."""
        points = torch.from_numpy(np.array(xs, dtype=float)).requires_grad_()
        (found,) = torch.autograd.grad(self._module(points).sum(), points)
        slopes: Array = found.numpy()
        return slopes

    def at(self, x: float) -> float:
        """Return f(x)."""
        return float(self.value(np.array([x]))[0])

    def slope_at(self, x: float) -> float:
        """Return autograd's f'(x)."""
        return float(self.slope(np.array([x]))[0])

    @cached_property
    def _near(self) -> tuple[Array, Array]:
        return self.value(_NEAR), self.slope(_NEAR)

    @cached_property
    def _orders(self) -> dict[float, int]:
        return jump_orders(self.value, self.slope)

    def facts(self, declared: ScalarFacts) -> ScalarFacts:
        """Return every fact as measured; `declared` only says which points to look at closely."""
        mean, second, mean_slope, second_slope = self._moments()
        low, high = self._bound(-1), self._bound(1)
        steepest, place = self._steepest()
        at_zero = one_sided_slopes(self.slope, 0.0)
        min_x = self._minimum(low)
        return ScalarFacts(
            range_low=low,
            range_high=high,
            low_attained=self._attained(low),
            high_attained=self._attained(high),
            monotonic=self._monotonic(),
            min_x=min_x,
            min_y=None if min_x is None else self.at(min_x),
            max_abs_grad=steepest,
            argmax_abs_grad=place,
            smoothness=self._smoothness(),
            mean_under_N01=mean,
            second_moment_N01=second,
            mean_grad_N01=mean_slope,
            second_moment_grad_N01=second_slope,
            gain_forward=gain(second),
            gain_backward=gain(second_slope),
            df0_left=at_zero[0],
            df0_right=at_zero[1],
            lim_minus_inf=self._limit(self.at, -1),
            lim_plus_inf=self._limit(self.at, 1),
            grad_lim_minus_inf=self._limit(self.slope_at, -1),
            grad_lim_plus_inf=self._limit(self.slope_at, 1),
            zero_grad_fraction_N01=self._flat_share(),
            zero_centredness=centredness(mean, second),
            nfnet_gamma=nfnet_gamma(mean, second),
            fixed_points=self._fixed_points(declared.fixed_points or ()),
            kinks=self._kinks(),
        )

    def _limit(self, function: Callable[[float], float], direction: int) -> float | None:
        found = limit(lambda x: function(float(x)), direction)
        return None if found is None else float(found)

    def _moments(self) -> tuple[float | None, ...]:
        def integrands(xs: Array) -> tuple[Array, ...]:
            value, slope = self.value(xs), self.slope(xs)
            return (value, value**2, slope, slope**2)

        mean, second, mean_slope, second_slope = normal_means(
            integrands, list(_CELLS), [(0.0, 1.0)]
        )
        return (mean, second, mean_slope, second_slope)

    def _bound(self, sign: int) -> float:
        """Return the least (-1) or greatest (1) value, over turns, jumps and far points."""
        best = sign * float(np.max(sign * self.value(_WIDE)))
        beside = self.value(np.array([b + s * 1e-13 for b in self._orders for s in (-1, 1)] or [0]))
        far = self.value(_FAR)
        found = sign * max(sign * best, *(sign * self._turn_values), float(np.max(sign * beside)))
        outermost = sign * float(np.max(sign * far))
        ends = [self._limit(self.at, side) for side in (-1, 1)]
        end = ends[0] if abs(far[3]) > abs(far[7]) else ends[1]
        settled = end is not None and math.isfinite(end)
        if sign * outermost > sign * found + 1 and sign * outermost > 10 and not settled:
            return sign * math.inf
        return float(
            sign * max(sign * found, *(sign * e for e in ends if e is not None), -math.inf)
        )

    @cached_property
    def _turns(self) -> tuple[float, ...]:
        """Return where the slope changes sign, those nearest 0 first."""
        signs = np.sign(self._wide_slopes)
        index = np.flatnonzero(signs[:-1] * signs[1:] < 0)
        low, high = _WIDE[index], _WIDE[index + 1]
        before = signs[index]
        for _step in range(55):
            middle = (low + high) / 2
            same = np.sign(self.slope(middle)) == before
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        exact = np.flatnonzero((signs[1:-1] == 0) & (signs[:-2] * signs[2:] < 0)) + 1
        found = [*((low + high) / 2), *_WIDE[exact]]
        return tuple(sorted((float(x) for x in found), key=lambda x: (abs(x), x)))

    @cached_property
    def _turn_values(self) -> Array:
        return self.value(np.array(self._turns))

    @cached_property
    def _wide_slopes(self) -> Array:
        return self.slope(_WIDE)

    def _attained(self, bound: float) -> bool:
        if math.isinf(bound):
            return False
        scale = max(1.0, abs(bound))
        value, slope = self._near
        reached = np.abs(value - bound) <= _SAME * scale
        turned = np.any(np.abs(self._turn_values - bound) <= _SAME * scale)
        return bool(np.any(reached & (slope == 0)) or turned) or self._reached_far(bound)

    def _reached_far(self, bound: float) -> bool:
        """Return whether f is exactly constant at its bound from some place up to 12 on."""
        xs = np.array([10.5, 11.25, 12.0])
        for side in (-1, 1):
            if np.all(self.value(side * xs) == bound) and not np.any(self.slope(side * xs)):
                near = self.slope(side * (xs - 4))
                return bool(np.any(np.abs(near) > 1e-3) or not np.any(near))
        return False

    def _monotonic(self) -> Monotonic:
        value, slope = self._near
        noise = 1e-14 * np.maximum(1.0, np.abs(value[1:]))
        steps = np.diff(value)
        rises, falls = bool(np.any(steps > noise)), bool(np.any(steps < -noise))
        flat = bool(np.any((slope[1:] == 0) & (slope[:-1] == 0) & (steps == 0)))
        if rises and falls:
            return "non_monotonic"
        if falls:
            return "non_increasing" if flat else "strictly_decreasing"
        return "non_decreasing" if flat else "strictly_increasing"

    def _minimum(self, low: float) -> float | None:
        if not self._attained(low):
            return None
        value, slope = self._near
        at_low = np.abs(value - low) <= _SAME * max(1.0, abs(low))
        if np.any(at_low[1:] & at_low[:-1] & (slope[1:] == 0) & (slope[:-1] == 0)):
            return None
        reached = np.abs(self._turn_values - low) <= _SAME * max(1.0, abs(low))
        places = [x for x, hit in zip(self._turns, reached, strict=True) if hit]
        return min(places, key=lambda x: (round(abs(x), 9), x)) if places else None

    def _steepest(self) -> tuple[float, float | None]:
        """Return sup |f'| and where: none on a stretch, far out, or where it is not finite."""
        far = float(np.max(np.abs(self.slope(_FAR))))
        sizes = np.abs(self._wide_slopes)
        top = float(np.max(sizes))
        if far > 10 * max(top, 1.0):
            return math.inf, None
        sides = {
            b: max(abs(s) for s in one_sided_slopes(self.slope, b)) for b in (*self._orders, 0.0)
        }
        candidates = {**sides, **self._peaks(sizes)}
        supremum = max(far, top, *candidates.values())
        tied = sizes >= supremum * (1 - 1e-12)
        if np.count_nonzero(tied[1:] & tied[:-1]) > 2 or supremum == 0:
            return supremum, None
        places = [x for x, size in candidates.items() if size >= supremum * (1 - 1e-9)]
        place = min(places, key=lambda x: (round(abs(x), 6), round(x, 6), abs(x)), default=None)
        return supremum, place

    def _peaks(self, sizes: Array) -> dict[float, float]:
        """Return the local maxima of |f'| that may be the greatest, by golden sections."""
        inside = (sizes[1:-1] >= sizes[:-2]) & (sizes[1:-1] > sizes[2:])
        high = np.flatnonzero(inside & (sizes[1:-1] > 0.99 * np.max(sizes))) + 1
        a, b = _WIDE[high - 1], _WIDE[high + 1]
        ratio = (math.sqrt(5) - 1) / 2
        for _step in range(45):
            left, right = b - ratio * (b - a), a + ratio * (b - a)
            lower = np.abs(self.slope(left)) < np.abs(self.slope(right))
            a, b = np.where(lower, left, a), np.where(lower, b, right)
        places = (a + b) / 2
        return dict(zip(places.tolist(), np.abs(self.slope(places)).tolist(), strict=True))

    def _smoothness(self) -> Smoothness:
        classes: tuple[Smoothness, ...] = ("discontinuous", "C0", "C1", "C2")
        return classes[min(self._orders.values())] if self._orders else "Cinf"

    def _flat_share(self) -> float:
        middles = (_CELLS[1:] + _CELLS[:-1]) / 2
        flat = self.slope(middles) == 0
        masses = [
            normal_cdf(float(b)) - normal_cdf(float(a))
            for a, b in zip(_CELLS[:-1][flat], _CELLS[1:][flat], strict=True)
            if max(abs(a), abs(b)) < 12
        ]
        return math.fsum(masses)

    def _fixed_points(
        self, declared: Sequence[float | tuple[float, float]]
    ) -> tuple[float | tuple[float, float], ...]:
        """Return the declared ones that are fixed, and every other crossing of the diagonal."""
        held = [point for point in declared if self._is_fixed(point)]
        xs = _WIDE[np.abs(_WIDE) <= REACH + _STEP]
        above = self.value(xs) - xs
        sure = np.flatnonzero(np.abs(above) > 1e-12 * np.maximum(1.0, np.abs(xs)))
        extra = [
            self._crossing(float(xs[i]), float(xs[j]))
            for i, j in pairwise(sure)
            if above[i] * above[j] < 0
            and not any(_covers(point, float(xs[i]), float(xs[j])) for point in held)
        ]
        # A jump over the diagonal does not meet it.
        met = (x for x in extra if abs(self.at(x) - x) <= 1e-7 * max(1.0, abs(x)))
        return (*held, *(x for x in met if abs(x) <= REACH))

    def _crossing(self, low: float, high: float) -> float:
        """Return where f crosses the diagonal between two points, by halving."""
        starts_above = self.at(low) > low
        for _step in range(60):
            middle = (low + high) / 2
            value = self.at(middle)
            if value == middle:
                return middle
            low, high = (middle, high) if (value > middle) == starts_above else (low, middle)
        return (low + high) / 2

    def _is_fixed(self, point: float | tuple[float, float]) -> bool:
        if isinstance(point, tuple):
            low, high = max(point[0], -50.0), min(point[1], 50.0)
            inside = np.linspace(low, high, 33)[1:-1]
        else:
            inside = np.array([point])
        gap = np.abs(self.value(inside) - inside)
        return bool(np.all(gap <= 1e-13 * np.maximum(1.0, np.abs(inside))))

    def _kinks(self) -> tuple[Kink, ...]:
        return tuple(
            Kink(b, *one_sided_slopes(self.slope, b), self.slope_at(b))
            for b, order in sorted(self._orders.items())
            if order <= 1
        )


def _covers(point: float | tuple[float, float], low: float, high: float) -> bool:
    left, right = point if isinstance(point, tuple) else (point, point)
    return left <= high and low <= right
