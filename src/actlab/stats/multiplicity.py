"""Many comparisons at once."""

import numpy as np

from actlab.i18n import _
from actlab.stats.checks import Array, ArrayLike, StatisticsError, sample


def holm(p_values: ArrayLike) -> Array:
    """Return Holm's adjusted p-values, in the order given; reject where one is <= alpha.

    With p sorted upwards, adjusted(i) = max over j <= i of min(1, (m - j + 1) p(j)).

    Holds the chance of *any* false rejection among the m tests at alpha, whichever of the nulls
    are true and however the tests depend on each other. Assumes that each p-value is valid alone
    and that all tests that were looked at are in the list: the best candidate is picked from the
    same data, so its comparisons alone are not a fair list; give all pairs. It misleads as "no
    difference": a large adjusted p is not evidence of equality (see `equivalence`).

    Source: Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian
    Journal of Statistics 6, 65-70.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    found = np.asarray(p_values, dtype=np.float64)
    if found.size == 0:
        return found.reshape(0)
    found = sample(found)
    if (found < 0.0).any() or (found > 1.0).any():
        raise StatisticsError(_("p-values must lie between 0 and 1."))
    order = np.argsort(found, kind="stable")
    steps = found[order] * np.arange(found.size, 0, -1)
    adjusted = np.empty_like(found)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return adjusted
