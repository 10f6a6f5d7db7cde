"""Two candidates: the mean difference of their scores, and whether it is more than luck."""

import math

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from actlab.i18n import _
from actlab.records import Difference
from actlab.stats.checks import Array, ArrayLike, StatisticsError, not_negative, pair, sample

_MOST_ENUMERATED = 13
_RELATIVE_QUANTUM_BITS = 40
"""Differences are rounded to 2^-40 of the largest score: 0.95 - 0.94 equals 0.93 - 0.92 then."""


def t_quantile(probability: float, degrees: float) -> float:
    """Return Student's quantile; without degrees of freedom it is infinite.

    >>> round(t_quantile(0.975, 9), 4)
    2.2622
    >>> t_quantile(0.975, 0)
    inf
    """
    if degrees > 0:
        return float(special.stdtrit(degrees, probability))
    return math.copysign(math.inf, probability - 0.5)


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
    variance_factor: float | None = None,
    resolution: float | None = None,
) -> Difference:
    """Return the mean of first - second with the paired t test's intervals and p-value.

    t = mean / (s sqrt(f)) on n - 1 degrees of freedom, with s the sample standard deviation of
    the differences and f = `variance_factor`, which is 1/n for independent replicates and
    `nadeau_bengio_factor` for replicates that reuse rows.

    Assumes that position i of both belongs to one seed, that pairs are independent (or that the
    factor makes up for it) and that *differences* are near normal; the scores need not be. It
    misleads below about 6 pairs, where only very large gaps can show; where one replicate is far
    off (one huge difference hides all others; Wilcoxon's test is the second witness); and for a
    pair that was picked because it looked different: adjust with `holm`.

    `high_90` below a margin says that first is ahead of second by less than that margin, at 95 %:
    the test of non-inferiority, one of the two one-sided tests of equivalence. It assumes a margin
    that was chosen before the data were seen; with few seeds nothing is equivalent, which does not
    mean different.

    Without spread: one pair gives the whole line and p = 1. `resolution` is the step between two
    possible scores (1 / rows): the spread is at least resolution / sqrt(6). Where it is None and
    all differences are equal, the largest step of which all distances between scores are multiples
    stands in for it. A metric without such a step has no spread then: a copy gives [0, 0], p = 1.

    Source: Student (1908), Biometrika 6, 1-25; the factor: Nadeau and Bengio (2003); equivalence:
    Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680.

    >>> found = paired_difference([0.98, 0.97, 0.99], [0.95, 0.96, 0.95])
    >>> round(found.mean, 4), round(found.p_value, 3), found.n
    (0.0267, 0.094, 3)
    >>> paired_difference([0.98], [0.95]).p_value
    1.0
    """
    values = paired_values(first, second)
    n = values.size
    factor = checked_factor(variance_factor, n)
    if n == 1:
        return _difference(float(values[0]), math.inf, math.inf, 0.0, n)
    if np.ptp(values) == 0.0:
        mean, deviation = float(values[0]), 0.0
        if resolution is None:
            resolution = _step(first, second)
    else:
        mean, deviation = float(values.mean()), float(values.std(ddof=1))
    if resolution is not None:
        deviation = max(deviation, not_negative("resolution", resolution) / math.sqrt(6.0))
    return _difference(mean, deviation, deviation * math.sqrt(factor), n - 1.0, n)


def welch_difference(
    first: ArrayLike, second: ArrayLike, resolution: float | None = None
) -> Difference:
    """Return the difference of two means whose values do not belong together (Welch's t test).

    s.e. = sqrt(s1^2 / n1 + s2^2 / n2) on Satterthwaite's degrees of freedom. Assumes independent,
    near normal values. It misleads as a comparison of candidates that share what a seed fixes: that
    common part is noise here, which pairing would take away.

    Fewer than two values on a side have no spread: the whole line, p = 1. `resolution` is the step
    between two possible scores: each spread is at least resolution / sqrt(12).

    Source: Welch (1947), The generalization of "Student's" problem when several different
    population variances are involved, Biometrika 34, 28-35.

    >>> found = welch_difference([0.98, 0.97, 0.99], [0.95, 0.96, 0.95, 0.94])
    >>> round(found.mean, 4), round(found.p_value, 4), found.n
    (0.03, 0.0143, 7)
    """
    left, right = sample(first), sample(second)
    mean, n = float(left.mean() - right.mean()), left.size + right.size
    if min(left.size, right.size) < 2:
        return _difference(mean, math.inf, math.inf, 0.0, n)
    floor = not_negative("resolution", resolution or 0.0) ** 2 / 12.0
    variances = [max(float(part.var(ddof=1)), floor) for part in (left, right)]
    parts = [v / part.size for v, part in zip(variances, (left, right), strict=True)]
    error = math.sqrt(sum(parts))
    if error == 0.0:
        return _difference(mean, 0.0, 0.0, n - 2.0, n)
    degrees = sum(parts) ** 2 / sum(
        v**2 / (part.size - 1) for v, part in zip(parts, (left, right), strict=True)
    )
    return _difference(mean, math.sqrt(sum(variances)), error, degrees, n)


def _difference(mean: float, deviation: float, error: float, degrees: float, n: int) -> Difference:
    """Return the intervals and the p-value of an estimate with its standard error."""
    if degrees == 0.0:
        line = (-math.inf, math.inf)
        return Difference(mean, *line, *line, 1.0, n, deviation, degrees)
    half, half_90 = (t_quantile(at, degrees) * error for at in (0.975, 0.95))
    if error == 0.0:
        p_value = 1.0 if mean == 0.0 else 0.0
    else:
        p_value = 2.0 * float(special.stdtr(degrees, -abs(mean) / error))
    return Difference(
        mean=mean,
        low=mean - half,
        high=mean + half,
        low_90=mean - half_90,
        high_90=mean + half_90,
        p_value=p_value,
        n=n,
        standard_deviation=deviation,
        degrees=degrees,
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


def paired_values(first: ArrayLike, second: ArrayLike) -> Array:
    """Return first - second, free of the dust that subtracting decimal fractions leaves.

    >>> paired_values([0.95, 0.93], [0.94, 0.92]).tolist() == [0.95 - 0.94, 0.93 - 0.92]
    False
    >>> len(set(paired_values([0.95, 0.93], [0.94, 0.92]).tolist()))
    1
    """
    left, right = pair(first, second)
    return _without_dust(left - right, max(np.abs(left).max(), np.abs(right).max()))


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


_SMALLEST_STEP = 2.0**-23
"""A smaller part of the largest score is no step but the end of what floats resolve."""


def _step(first: ArrayLike, second: ArrayLike) -> float:
    """Return the largest step of which all distances between scores are multiples; 0 for none.

    Euclid's algorithm on distances, down to what floats resolve.
    """
    scores = np.concatenate(pair(first, second))
    largest = float(np.abs(scores).max())
    distinct = np.unique(_without_dust(scores, largest))
    step, least = 0.0, largest * _SMALLEST_STEP
    for gap in np.diff(distinct).tolist():
        one, other = gap, step
        while other > least:
            one, other = other, abs(one - other * math.floor(one / other + 0.5))
        step = one
    return step if step > least else 0.0


def _without_dust(values: Array, largest: float) -> Array:
    if largest == 0.0:
        return values
    exponent = math.frexp(float(largest))[1] - _RELATIVE_QUANTUM_BITS
    rounded: Array = np.ldexp(np.round(np.ldexp(values, -exponent)), exponent)
    return rounded
