"""Paired differences and their standard error: what the paired methods share."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from actlab.i18n import _
from actlab.stats.checks import Array, ArrayLike, StatisticsError, not_negative, pair

_RELATIVE_QUANTUM_BITS = 40
"""Differences are rounded to 2^-40 of the largest score: 0.95 - 0.94 equals 0.93 - 0.92 then."""


@dataclass(frozen=True)
class Differences:
    """first - second per seed, their mean, sample standard deviation, and the mean's error."""

    values: Array
    mean: float
    standard_deviation: float
    standard_error: float

    @property
    def n(self) -> int:
        """Return the number of pairs."""
        return int(self.values.size)

    def end(self, probability: float) -> float:
        """Return mean + t(n - 1; probability) x standard error: an end of an interval."""
        quantile = t_quantile(probability, self.n)
        if quantile == 0.0 or self.standard_error == 0.0:
            return self.mean
        return self.mean + quantile * self.standard_error

    def below(self, value: float) -> float:
        """Return the p-value of "the true mean is `value` or more": small where it is below."""
        return self._tail(self.mean - value)

    def above(self, value: float) -> float:
        """Return the p-value of "the true mean is `value` or less": small where it is above."""
        return self._tail(value - self.mean)

    def _tail(self, distance: float) -> float:
        if self.n == 1:
            return 1.0
        if self.standard_error == 0.0:
            return 0.0 if distance < 0.0 else 1.0
        return float(special.stdtr(self.n - 1, distance / self.standard_error))


def t_quantile(probability: float, n: int) -> float:
    """Return Student's quantile with n - 1 degrees of freedom; without any, it is infinite.

    >>> round(t_quantile(0.975, 10), 4)
    2.2622
    >>> t_quantile(0.975, 1)
    inf
    """
    if n > 1:
        return float(special.stdtrit(n - 1, probability))
    return math.copysign(math.inf, probability - 0.5)


def paired_values(first: ArrayLike, second: ArrayLike) -> Array:
    """Return first - second, free of the dust that subtracting decimal fractions leaves.

    >>> paired_values([0.95, 0.93], [0.94, 0.92]).tolist() == [0.95 - 0.94, 0.93 - 0.92]
    False
    >>> len(set(paired_values([0.95, 0.93], [0.94, 0.92]).tolist()))
    1
    """
    left, right = pair(first, second)
    return _without_dust(left - right, max(np.abs(left).max(), np.abs(right).max()))


def differences(
    first: ArrayLike,
    second: ArrayLike,
    variance_factor: float | None = None,
    resolution: float | None = None,
) -> Differences:
    """Return the paired differences with the standard error of their mean.

    s.e. = s sqrt(f) with s the sample standard deviation (n - 1) and f = `variance_factor` (1/n
    where it is None). One pair has no spread to measure: s and s.e. are infinite.

    `resolution` is the step between two possible scores (1 / rows for an accuracy). s is taken
    to be at least resolution / sqrt(6), the spread that rounding two scores to that step causes.
    Without it, differences that are all equal take the smallest gap between two distinct scores
    for the step: two seeds with the same difference are a coincidence of the grid, no proof.

    >>> round(differences([0.91, 0.93], [0.90, 0.90]).standard_error, 4)
    0.01
    """
    values = paired_values(first, second)
    n = values.size
    factor = checked_factor(variance_factor, n)
    if n == 1:
        return Differences(values, float(values[0]), math.inf, math.inf)
    if np.ptp(values) == 0.0:
        mean, deviation = float(values[0]), 0.0
        if resolution is None:
            resolution = _smallest_gap(first, second)
    else:
        mean, deviation = float(values.mean()), float(values.std(ddof=1))
    if resolution is not None:
        deviation = max(deviation, not_negative("resolution", resolution) / math.sqrt(6.0))
    return Differences(values, mean, deviation, deviation * math.sqrt(factor))


def checked_factor(given: float | None, n: int) -> float:
    """Return what the variance of a mean of n values is a multiple of: 1/n, or what is given.

    >>> checked_factor(None, 10)
    0.1
    """
    if given is None:
        return 1.0 / n
    if not (math.isfinite(given) and given >= (1.0 - 1e-9) / n):
        raise StatisticsError(
            _(
                "variance_factor must be at least 1/n = {least}; it is {given}. Take it from "
                "nadeau_bengio_factor."
            ).format(least=f"{1.0 / n:.4g}", given=given)
        )
    return float(given)


def _smallest_gap(first: ArrayLike, second: ArrayLike) -> float:
    scores = np.concatenate(pair(first, second))
    distinct = np.unique(_without_dust(scores, np.abs(scores).max()))
    return float(np.diff(distinct).min()) if distinct.size > 1 else 0.0


def _without_dust(values: Array, largest: float) -> Array:
    if largest == 0.0:
        return values
    exponent = math.frexp(float(largest))[1] - _RELATIVE_QUANTUM_BITS
    rounded: Array = np.ldexp(np.round(np.ldexp(values, -exponent)), exponent)
    return rounded
