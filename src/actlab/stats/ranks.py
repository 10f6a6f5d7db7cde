"""Friedman's test and Nemenyi's critical difference: the numbers behind the rank diagram."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from actlab.stats.checks import Array, ArrayLike, fraction, table


@dataclass(frozen=True)
class RankComparison:
    """Mean ranks by column (1 is best), Friedman's p-value, Nemenyi's critical difference.

    `cliques` are the maximal runs of two or more candidates, by rising mean rank, whose ends are
    no further apart than the critical difference: the bars of the diagram.
    """

    mean_ranks: tuple[float, ...]
    p_value: float
    critical_difference: float
    cliques: tuple[tuple[int, ...], ...]


def friedman_nemenyi(scores: ArrayLike, alpha: float = 0.05) -> RankComparison:
    """Rank the candidates within each seed and compare their mean ranks.

    `scores` is (seeds, candidates), larger is better; ties share the mean rank. With n seeds, k
    candidates, ranks r and mean ranks R: chi2 = n^2 (k - 1) sum (R - (k + 1) / 2)^2 /
    (sum r^2 - n k (k + 1)^2 / 4) on k - 1 degrees of freedom (tie-corrected), and
    CD = q(alpha; k, inf) sqrt(k (k + 1) / (12 n)), q the studentized range.

    Assumes independent blocks. In Demsar's use a block is a *data set*; here it is a seed on one
    data set, so a small p says that the order repeats over seeds, not that it would elsewhere.
    It misleads by ignoring sizes: a difference of 0.01 points that always has one sign ranks like
    one of 10 points; whether two candidates differ depends on which others are in the table
    (Benavoli et al. 2016); and chi2 is rough below about 10 seeds. A picture, not the verdict.

    Scores that tie in every seed: p = 1, one clique.

    Source: Demsar (2006), Statistical comparisons of classifiers over multiple data sets, JMLR 7,
    1-30, section 3.2.2; ties: Conover (1999), Practical Nonparametric Statistics, section 5.8.

    >>> found = friedman_nemenyi([[0.9, 0.8, 0.7], [0.9, 0.7, 0.8], [0.9, 0.8, 0.7]])
    >>> found.mean_ranks[0], found.cliques
    (1.0, ((0, 1, 2),))
    """
    found = table(scores)
    seeds, candidates = found.shape
    ranks = stats.rankdata(-found, axis=1)
    mean_ranks = ranks.mean(axis=0)
    centre = (candidates + 1) / 2
    spread = float((ranks**2).sum() - seeds * candidates * centre**2)
    between = float(((mean_ranks - centre) ** 2).sum())
    p_value = 1.0
    if spread > 0.0:
        chi2 = seeds**2 * (candidates - 1) * between / spread
        p_value = float(special.chdtrc(candidates - 1, chi2))
    quantile = float(
        stats.studentized_range.ppf(1.0 - fraction("alpha", alpha), candidates, math.inf)
    )
    critical = quantile * math.sqrt(candidates * (candidates + 1) / (12.0 * seeds))
    return RankComparison(
        tuple(float(rank) for rank in mean_ranks), p_value, critical, _cliques(mean_ranks, critical)
    )


def _cliques(mean_ranks: Array, critical: float) -> tuple[tuple[int, ...], ...]:
    order = np.argsort(mean_ranks, kind="stable")
    ordered = mean_ranks[order]
    ends = np.searchsorted(ordered, ordered + critical, side="right")
    runs = [
        (start, end)
        for start, end in enumerate(ends)
        if end - start > 1 and (start == 0 or end > ends[start - 1])
    ]
    return tuple(tuple(int(place) for place in order[start:end]) for start, end in runs)
