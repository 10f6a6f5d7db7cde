"""All pairs of a slot's candidates, compared by seed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from actlab import stats
from actlab.records import Pair

ALPHA = 0.05
"""The level of Holm's test over all pairs of a slot."""

TIE_CONFIDENCE = 0.90
"""Of the interval whose upper end is held against the margin: one-sided, that is 95 %."""


@dataclass(frozen=True)
class Conditions:
    """What a comparison must know about the replicates.

    `resolution` is one image, 1 / evaluation rows: accuracies are multiples of it, and a spread is
    never taken to be less than what that rounding causes. `reuse` is evaluation rows / train rows
    where replicates share rows (see `actlab.stats.nadeau_bengio_factor`), 0 where they do not.
    """

    resolution: float
    reuse: float = 0.0

    def variance_factor(self, n: int) -> float:
        """Return what the variance of a mean of n replicates is a multiple of."""
        return 1 / n + self.reuse


@dataclass(frozen=True)
class Difference:
    """first - second over n shared seeds: mean, spread, both intervals and the paired t-test."""

    mean: float
    low: float
    high: float
    low_90: float
    high_90: float
    p_value: float
    n: int
    spread: float


def compare(
    first: NDArray[np.float64], second: NDArray[np.float64], conditions: Conditions
) -> Difference:
    """Return first - second, paired: both of shape (n,), n >= 2.

    >>> better = compare(np.array([0.9, 0.8, 0.9]), np.array([0.8, 0.7, 0.7]), Conditions(0.001))
    >>> round(better.mean, 4), better.n, better.p_value < 0.06
    (0.1333, 3, True)
    """
    factor = conditions.variance_factor(len(first))
    wide, narrow = (
        stats.paired_difference(first, second, confidence, factor, conditions.resolution)
        for confidence in (0.95, TIE_CONFIDENCE)
    )
    return Difference(
        mean=wide.mean,
        low=wide.low,
        high=wide.high,
        low_90=narrow.low,
        high_90=narrow.high,
        p_value=wide.p_value,
        n=wide.n,
        spread=wide.standard_deviation,
    )


def interval(values: NDArray[np.float64], conditions: Conditions) -> tuple[float, float]:
    """Return the 95 % Student t interval of the mean of n >= 2 accuracies of one candidate.

    It ends at 0 and 1, as accuracies do, which takes nothing from its coverage.

    >>> low, high = interval(np.array([0.90, 0.92, 0.94]), Conditions(0.001))
    >>> round(low, 4), round(high, 4)
    (0.8703, 0.9697)
    """
    alone = stats.student_t_interval(values, resolution=conditions.resolution)
    wider = math.sqrt(conditions.variance_factor(len(values)) * len(values))
    mean = alone.estimate
    low, high = mean - wider * (mean - alone.low), mean + wider * (alone.high - mean)
    return max(low, 0.0), min(high, 1.0)


def all_pairs(
    scores: Mapping[str, Mapping[int, float]], conditions: Conditions
) -> tuple[tuple[Pair, ...], dict[tuple[str, str], Difference]]:
    """Return every pair of candidates with two shared seeds or more, and its numbers.

    `scores` has accuracies by candidate and replicate. p-values are adjusted by Holm over all
    pairs: the best is picked from the same data, so pairs with the best alone would be too few.
    """
    differences = {}
    improvements = {}
    for first, second in combinations(scores, 2):
        shared = sorted(scores[first].keys() & scores[second].keys())
        if len(shared) < 2:
            continue
        one = np.array([scores[first][replicate] for replicate in shared])
        other = np.array([scores[second][replicate] for replicate in shared])
        differences[first, second] = compare(one, other, conditions)
        improvements[first, second] = stats.probability_of_improvement(one, other)
    adjusted = stats.holm([found.p_value for found in differences.values()])
    return tuple(
        Pair(
            first=first,
            second=second,
            difference=found.mean,
            low=found.low,
            high=found.high,
            p_value=found.p_value,
            p_adjusted=float(p),
            probability_of_improvement=improvements[first, second],
            low_90=found.low_90,
            high_90=found.high_90,
        )
        for ((first, second), found), p in zip(differences.items(), adjusted, strict=True)
    ), differences
