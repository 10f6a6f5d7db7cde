"""Intervals for the mean of one candidate's scores."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from actlab.stats.checks import Array, ArrayLike, fraction, not_negative, sample
from actlab.stats.paired import checked_factor, t_quantile


@dataclass(frozen=True)
class Interval:
    """An estimate and the ends of its interval, in the unit of the values."""

    estimate: float
    low: float
    high: float
    confidence: float


def student_t_interval(
    values: ArrayLike,
    confidence: float = 0.95,
    resolution: float = 0.0,
    variance_factor: float | None = None,
) -> Interval:
    """Return the mean of `values` with Student's t interval.

    mean +- t(n - 1; (1 + confidence) / 2) s sqrt(f), with s the sample standard deviation and f =
    `variance_factor`: 1/n for independent replicates, `nadeau_bengio_factor` for replicates that
    reuse rows.

    Assumes values from a distribution that is near normal; skewed ones cost coverage (exponential
    ones at n = 10: 90 %). It misleads with f = 1/n for replicates that share rows: those are
    correlated, and the interval is too short (rho = 0.2 at n = 10: it covers 74 %, measured in
    tests/stats/test_intervals.py); and for two candidates: whether their intervals overlap says
    little about a paired difference.

    One value has no spread: the interval is the whole line. Values that are all equal give an
    interval without width, unless `resolution`, the step between two possible values (1 / rows
    for an accuracy), says what spread the grid hides: s is at least resolution / sqrt(12).

    Source: Student (1908), The probable error of a mean, Biometrika 6, 1-25; the factor: Nadeau
    and Bengio (2003), Machine Learning 52, 239-281 ("corrected resampled t-test").

    >>> student_t_interval([0.97, 0.98, 0.99])
    Interval(estimate=0.98, low=0.955..., high=1.004..., confidence=0.95)
    >>> student_t_interval([0.97]).high
    inf
    """
    found = sample(values)
    n = found.size
    quantile = t_quantile((1.0 + fraction("confidence", confidence)) / 2.0, n - 1)
    floor = not_negative("resolution", resolution) / math.sqrt(12.0)
    factor = checked_factor(variance_factor, n)
    if n == 1:
        return Interval(float(found[0]), -math.inf, math.inf, confidence)
    mean, spread = _mean_and_spread(found)
    half = quantile * max(spread, floor) * math.sqrt(factor)
    return Interval(mean, mean - half, mean + half, confidence)


def bca_interval(
    values: ArrayLike,
    generator: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 9999,
) -> Interval:
    """Return the mean of `values` with the bias-corrected and accelerated bootstrap interval.

    The percentiles of `resamples` bootstrap means, shifted by the bias z0 (how often a bootstrap
    mean is below the mean) and the acceleration a (the skewness of the jackknife means).

    Assumes independent values; no shape of distribution. It misleads with few values, because the
    bootstrap's spread is sqrt((n - 1) / n) of the true one and has no t quantile: normal values
    are covered in 90 % at n = 10 and in 94 % at n = 30 (95 % asked; measured in
    tests/stats/test_intervals.py). Below 30 values, read Student's interval.

    One value gives the whole line, equal values an interval without width.

    Source: Efron (1987), Better bootstrap confidence intervals, JASA 82, 171-185; Efron and
    Tibshirani (1993), An Introduction to the Bootstrap, section 14.3; computed by
    scipy.stats.bootstrap.

    >>> found = bca_interval([0.97, 0.98, 0.99, 0.96], np.random.default_rng(0))
    >>> found.low < found.estimate < found.high
    True
    """
    found = sample(values)
    fraction("confidence", confidence)
    if found.size == 1:
        return Interval(float(found[0]), -math.inf, math.inf, confidence)
    mean, spread = _mean_and_spread(found)
    if spread == 0.0:
        return Interval(mean, mean, mean, confidence)
    ends = stats.bootstrap(
        (found,),
        np.mean,
        n_resamples=resamples,
        confidence_level=confidence,
        method="BCa",
        rng=generator,
    ).confidence_interval
    return Interval(mean, float(ends.low), float(ends.high), confidence)


def _mean_and_spread(
    values: Array,
) -> tuple[float, float]:
    if np.ptp(values) == 0.0:
        return float(values[0]), 0.0
    return float(values.mean()), float(values.std(ddof=1))
