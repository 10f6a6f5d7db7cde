"""Two candidates on the same seeds: the mean difference, and whether it is more than luck."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from actlab.i18n import _
from actlab.stats.checks import Array, ArrayLike, StatisticsError, fraction
from actlab.stats.differences import differences, paired_values

_MOST_ENUMERATED = 13


@dataclass(frozen=True)
class PairedDifference:
    """The mean of first - second with its interval and two-sided p-value."""

    mean: float
    low: float
    high: float
    p_value: float
    n: int
    standard_deviation: float


def nadeau_bengio_factor(n: int, train_rows: int, evaluation_rows: int) -> float:
    """Return 1/n + evaluation_rows / train_rows, for replicates that draw from the same rows.

    Replicates that split one pool of rows anew are correlated, and s^2 / n is too small for the
    variance of their mean. Where any two of them have correlation rho, the right factor is
    1/n + rho / (1 - rho); Nadeau and Bengio take rho = evaluation / (evaluation + train).

    It misleads where that guess is off: rho depends on the learner and on the data, and nothing
    in the replicates themselves tells it. Too small a rho makes tests too sure, too large a one
    hides differences. Replicates on rows of their own need no correction: 1/n.

    Source: Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52,
    239-281 ("corrected resampled t-test").

    >>> nadeau_bengio_factor(10, train_rows=8000, evaluation_rows=2000)
    0.35
    """
    if n < 1 or train_rows < 1 or evaluation_rows < 1:
        raise StatisticsError(
            _(
                "n, train_rows and evaluation_rows must be at least 1; they are {n}, {train} and "
                "{evaluation}."
            ).format(n=n, train=train_rows, evaluation=evaluation_rows)
        )
    return 1.0 / n + evaluation_rows / train_rows


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    confidence: float = 0.95,
    variance_factor: float | None = None,
    resolution: float | None = None,
) -> PairedDifference:
    """Return the mean of first - second with the paired t test's interval and p-value.

    t = mean / (s sqrt(f)) on n - 1 degrees of freedom, with s the sample standard deviation of
    the differences and f = `variance_factor`, which is 1/n for independent replicates and
    `nadeau_bengio_factor` for replicates that reuse rows.

    Assumes that position i of both belongs to one seed, that pairs are independent (or that the
    factor makes up for it) and that *differences* are near normal; the scores need not be. It
    misleads below about 6 pairs, where only very large gaps can show; where one replicate
    diverged (one huge difference hides all others; Wilcoxon's test is the second witness); and
    for a pair that was picked because it looked different: adjust with `holm`.

    Without spread: one pair gives the whole line and p = 1. `resolution` is the step between two
    possible scores (1 / rows): the spread is at least resolution / sqrt(6). Where it is None and
    all differences are equal, the smallest gap between two distinct scores stands in for it;
    scores that are all the same number give [0, 0] and p = 1.

    Source: Student (1908), Biometrika 6, 1-25; the factor: Nadeau and Bengio (2003).

    >>> found = paired_difference([0.98, 0.97, 0.99], [0.95, 0.96, 0.95])
    >>> round(found.mean, 4), round(found.p_value, 3), found.n
    (0.0267, 0.094, 3)
    >>> paired_difference([0.98], [0.95]).p_value
    1.0
    """
    found = differences(first, second, variance_factor, resolution)
    tail = (1.0 - fraction("confidence", confidence)) / 2.0
    below = found.end(tail)
    return PairedDifference(
        mean=found.mean,
        low=below,
        high=2.0 * found.mean - below,
        p_value=min(1.0, 2.0 * min(found.below(0.0), found.above(0.0))),
        n=found.n,
        standard_deviation=found.standard_deviation,
    )


def wilcoxon_p(first: ArrayLike, second: ArrayLike) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test on first - second.

    The ranks of |difference| with the sign of the difference; zero differences are left out.
    Exact up to 50 pairs without ties and up to 13 with ties, the normal approximation beyond.

    Assumes independent pairs and differences that are symmetric about their median. It misleads
    with few pairs (its smallest p is 2^(1 - n): 0.03 at n = 6, which Holm over 28 pairs can never
    reject; from n = 11 on it can) and for replicates that reuse rows (it knows no correction).

    No difference but zeros: 1.

    Source: Wilcoxon (1945), Individual comparisons by ranking methods, Biometrics Bulletin 1,
    80-83; computed by scipy.stats.wilcoxon, but for ties in up to 13 pairs: all sign patterns at
    once give the same number in a fraction of the time.

    >>> wilcoxon_p([5, 6, 7, 9], [4, 4, 4, 5])
    0.125
    """
    values = paired_values(first, second)
    values = values[values != 0.0]
    if values.size == 0:
        return 1.0
    ranks = stats.rankdata(np.abs(values))
    tied = np.unique(ranks).size < ranks.size
    if tied and ranks.size <= _MOST_ENUMERATED:
        return _signed_rank_p(ranks, values > 0.0)
    return float(stats.wilcoxon(values).pvalue)


def _signed_rank_p(ranks: Array, positive: npt.NDArray[np.bool_]) -> float:
    """Return twice the smaller tail of the sum of positive ranks over all sign patterns."""
    patterns = np.arange(2**ranks.size)[:, None] >> np.arange(ranks.size) & 1
    sums, seen = patterns @ ranks, ranks[positive].sum()
    return min(1.0, 2.0 * min(float((sums <= seen).mean()), float((sums >= seen).mean())))


def permutation_p(
    first: ArrayLike, second: ArrayLike, generator: np.random.Generator, resamples: int = 9999
) -> float:
    """Return the two-sided p-value of the paired permutation (sign-flip) test of the mean.

    The share of sign patterns whose |mean difference| is at least the one seen. All 2^n patterns
    where they are at most `resamples` (n <= 13), else that many random ones and
    (hits + 1) / (resamples + 1).

    Assumes that under the null first and second could change places in each pair: independent
    pairs, differences symmetric about 0. It misleads as Wilcoxon's test does: p >= 2^(1 - n).

    No difference but zeros: 1.

    Source: Fisher (1935), The Design of Experiments, section 21; Phipson and Smyth (2010),
    Permutation p-values should never be zero, SAGMB 9(1), 39; computed by
    scipy.stats.permutation_test.

    >>> permutation_p([5, 6, 7, 9], [4, 4, 4, 5], np.random.default_rng(0))
    0.125
    """
    values = paired_values(first, second)
    if not values.any():
        return 1.0
    if values.size == 1:
        return 1.0
    # Sums that are equal but for their last digits must count as equal.
    scaled = values / np.abs(values).max()
    found = stats.permutation_test(
        (scaled,),
        lambda sample, axis: np.mean(sample, axis=axis).round(9),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        rng=generator,
    )
    return min(1.0, float(found.pvalue))
