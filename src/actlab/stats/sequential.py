"""Dropping candidates that are clearly behind while the replication is still going on."""

from itertools import combinations

import numpy as np

from actlab.i18n import _
from actlab.stats.checks import ArrayLike, StatisticsError, fraction, numbers, table
from actlab.stats.multiplicity import holm
from actlab.stats.paired import paired_difference


def clearly_behind(
    scores_so_far: ArrayLike,
    looks_done: int,
    looks_planned: int,
    alpha: float = 0.05,
    variance_factor: float | None = None,
    resolution: float | None = None,
) -> set[int]:
    """Return the columns of `scores_so_far` that are clearly behind another one, at this look.

    `scores_so_far` is (seeds, candidates), larger is better. A candidate that was dropped at an
    earlier look keeps its column, with NaN where it was not trained; it is not returned again.
    `looks_done` counts the looks before this one, `looks_planned` all of them.

    Bonferroni over looks, Holm over pairs: at each look, all pairs of candidates are compared by
    the paired t test, Holm adjusts over *all* pairs (those of dropped candidates stay in the family
    with p = 1), and a candidate is behind where its comparison with a better one is rejected at
    alpha / looks_planned. The chance that any look drops a candidate that is equal to the best is
    at most alpha, whatever is true of the others; no particular spacing of the looks is needed.

    Assumes that the looks were planned before the data were seen, and what the paired t test
    assumes; `variance_factor` (for the seeds so far) and `resolution` as there. It misleads where
    more looks are taken than planned (refused), and costs some power against a spending function.
    A verdict afterwards has an alpha of its own: together the two err in at most the sum of both
    (eight equal candidates, looks at 4, 6 and 8 of 10 seeds, then Holm at 0.05: 7 % with alpha =
    0.05 here, 5 % with 0.01; measured in tests/stats/test_sequential.py).

    Source: Holm (1979); Bonferroni over looks as in Jennison and Turnbull (2000), Group Sequential
    Methods with Applications to Clinical Trials, section 2.

    >>> scores = [[0.98, 0.97, 0.60], [0.97, 0.98, 0.62], [0.98, 0.98, 0.61], [0.97, 0.97, 0.60]]
    >>> clearly_behind(scores, looks_done=0, looks_planned=2)
    {2}
    """
    fraction("alpha", alpha)
    if not 0 <= looks_done < looks_planned:
        raise StatisticsError(
            _(
                "A look beyond the planned ones has no error left to spend: {planned} looks were "
                "planned, and {done} are done."
            ).format(planned=looks_planned, done=looks_done)
        )
    given = numbers(scores_so_far, dimensions=2)
    absent = np.isnan(given)
    dropped = [bool(column.any()) for column in absent.T]
    found = table(np.where(absent, 0.0, given), candidates=1)
    pairs = list(combinations(range(found.shape[1]), 2))
    p_values, losers = [], []
    for first, second in pairs:
        compared = paired_difference(
            found[:, first],
            found[:, second],
            variance_factor=variance_factor,
            resolution=resolution,
        )
        p_values.append(1.0 if dropped[first] or dropped[second] else compared.p_value)
        losers.append(second if compared.mean > 0.0 else first)
    adjusted = holm(p_values)
    level = alpha / looks_planned
    return {loser for loser, p in zip(losers, adjusted, strict=True) if p <= level}
