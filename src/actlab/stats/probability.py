"""How probable it is that one candidate beats another, or all of them."""

import numpy as np

from actlab.stats.checks import Array, ArrayLike, table
from actlab.stats.paired import paired_values


def probability_of_improvement(first: ArrayLike, second: ArrayLike) -> float:
    """Return the share of seeds on which `first` beats `second`, a tie counting one half.

    (wins + ties / 2) / n over the n paired seeds.

    Assumes that position i of both belongs to one seed. (rliable's figure of the same name
    compares every run of one with every run of the other; with paired seeds, that throws the
    pairing away.) It misleads about size, 0.01 points on every seed gives 1.0, and with few
    seeds: its own 95 % interval at n = 10 is about +- 0.3.

    Source: Agarwal et al. (2021), Deep reinforcement learning at the edge of the statistical
    precipice, NeurIPS 34, here on pairs.

    >>> probability_of_improvement([3, 2, 5, 4], [1, 2, 4, 6])
    0.625
    """
    values = paired_values(first, second)
    return float(((values > 0.0).mean() + (values >= 0.0).mean()) / 2.0)


def probability_of_best(
    scores: ArrayLike, generator: np.random.Generator, resamples: int = 9999
) -> Array:
    """Return how often each candidate has the largest mean when the seeds are drawn again.

    `scores` is (seeds, candidates). Seeds (whole rows, so that pairing is kept) are drawn with
    replacement `resamples` times; a largest mean that k candidates share counts 1/k for each. The
    result sums to 1.

    Assumes independent seeds. It misleads as a probability of *being* best: it says how stable the
    ranking is on these seeds. When all are equal it is spread at random rather than evenly, and
    the largest of five is 0.57 on average at n = 10 (measured in tests/stats/test_probability.py).

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 6, applied to
    rankings as in Hall and Miller (2009), Annals of Statistics 37, 3929-3959.

    >>> probability_of_best([[0.9, 0.8], [0.9, 0.8]], np.random.default_rng(0)).tolist()
    [1.0, 0.0]
    """
    found = table(scores, seeds=2, candidates=1)
    seeds = found.shape[0]
    counts = generator.multinomial(seeds, np.full(seeds, 1.0 / seeds), size=resamples)
    means = counts @ found / seeds
    dust = np.abs(found).max() * 1e-12
    leads = means >= means.max(axis=1, keepdims=True) - dust
    shares: Array = (leads / leads.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares
