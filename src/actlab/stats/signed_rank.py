"""Two candidates over several data sets: Wilcoxon's signed ranks, and their Bayesian reading."""

import math

import numpy as np

from actlab.records import Difference
from actlab.stats.checks import Array, ArrayLike, not_negative, pair
from actlab.stats.paired import wilcoxon_p


def signed_rank_difference(first: ArrayLike, second: ArrayLike) -> Difference:
    """Return first - second over blocks (data sets, tasks), without assuming normality.

    The estimate is the median of all means of two differences (Hodges and Lehmann), its intervals
    are the ends of these means that the signed-rank test does not reject, the p-value is
    Wilcoxon's. Fewer than 6 blocks have no 95 % interval, fewer than 5 no 90 % one: then it is the
    whole line.

    Assumes independent blocks and differences that are symmetric about their centre. It misleads
    where blocks are not comparable: a difference of 0.01 on one data set is not that on another.

    Source: Wilcoxon (1945); Hodges and Lehmann (1963), Annals of Mathematical Statistics 34,
    598-611; as the test over data sets: Demsar (2006), JMLR 7, 1-30, section 3.1.3.

    >>> found = signed_rank_difference([5, 6, 7, 9, 8, 9], [4, 4, 4, 5, 3, 3])
    >>> found.mean, found.low, found.p_value
    (3.5, 1.0, 0.03125)
    """
    left, right = pair(first, second)
    values = left - right
    n = values.size
    upper = np.triu_indices(n)
    walsh = np.sort((values[upper[0]] + values[upper[1]]) / 2.0)
    (low, high), (low_90, high_90) = (_ends(walsh, n, tail) for tail in (0.025, 0.05))
    deviation = float(values.std(ddof=1)) if n > 1 else math.inf
    centre = float(np.median(walsh))
    return Difference(
        mean=centre,
        low=low,
        high=high,
        low_90=low_90,
        high_90=high_90,
        p_value=wilcoxon_p(left, right),
        n=n,
        standard_deviation=deviation,
        degrees=max(n - 1.0, 0.0),
    )


def _ends(walsh: Array, n: int, tail: float) -> tuple[float, float]:
    """Return the order statistics of the pair means that bound the centre at 1 - 2 tail."""
    place = -1
    total, chance = 0.0, _signed_rank_chances(n)
    while place + 1 < walsh.size and total + chance[place + 1] <= tail:
        place += 1
        total += chance[place]
    if place < 0:
        return -math.inf, math.inf
    return float(walsh[place]), float(walsh[walsh.size - 1 - place])


def _signed_rank_chances(n: int) -> Array:
    """Return the chance of each sum of positive ranks, by adding rank after rank."""
    found = np.zeros(n * (n + 1) // 2 + 1)
    found[0] = 1.0
    for rank in range(1, n + 1):
        shifted = np.zeros_like(found)
        shifted[rank:] = found[:-rank]
        found = (found + shifted) / 2.0
    return found


def bayesian_signed_rank(
    first: ArrayLike,
    second: ArrayLike,
    margin: float,
    generator: np.random.Generator,
    samples: int = 20_000,
) -> tuple[float, float, float]:
    """Return the probabilities that first is worse, within the margin, and better, in this order.

    A Dirichlet process on the differences, with a prior of weight 1/2 at zero: each sample draws
    weights and adds up those of the pair means below -margin, inside and above; the answer counts
    how often each sum is the largest.

    Assumes independent, comparable blocks. The probabilities are of the *blocks'* centre, and say
    nothing of the next seed. They shift with the margin, which must be chosen before.

    Source: Benavoli, Corani, Demsar and Zaffalon (2017), Time for a change: a tutorial for
    comparing multiple classifiers through Bayesian analysis, JMLR 18(77), 1-36, section 4.2.1.

    >>> generator = np.random.default_rng(0)
    >>> worse, same, better = bayesian_signed_rank([5, 6, 7, 9], [4, 4, 4, 5], 0.1, generator)
    >>> better > 0.9
    True
    """
    left, right = pair(first, second)
    limit = not_negative("margin", margin)
    values = np.concatenate([[0.0], left - right])
    means = (values[:, None] + values[None, :]) / 2.0
    weights = generator.dirichlet(np.array([0.5, *np.ones(left.size)]), size=samples)
    parts = [means < -limit, np.abs(means) <= limit, means > limit]
    shares = np.stack(
        [np.einsum("si,ij,sj->s", weights, part.astype(float), weights) for part in parts], axis=1
    )
    wins = shares >= shares.max(axis=1, keepdims=True)
    chances = (wins / wins.sum(axis=1, keepdims=True)).mean(axis=0)
    return float(chances[0]), float(chances[1]), float(chances[2])
