"""Many comparisons at once."""

import math
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import special

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


_NODES, _END = 64, 2.6


@cache
def quadrature() -> tuple[Array, Array]:
    """Return nodes in (0, 1) and weights of the rule that `dunnett` integrates both variables by.

    Tanh-sinh: quantiles are infinite at 0 and 1, and it is exact there, too. The nodes are the same
    in any language, and give the same number.

    Source: Takahasi and Mori (1974), Double exponential formulas for numerical integration,
    Publications of the RIMS 9, 721-741.
    """
    at = np.linspace(-_END, _END, _NODES)
    inner = 0.5 * np.pi * np.sinh(at)
    nodes = 1.0 / (1.0 + np.exp(-2.0 * inner))
    weights = np.cosh(at) / np.cosh(inner) ** 2
    return nodes, weights / weights.sum()


def dunnett(p_values: Sequence[float], degrees: Sequence[float]) -> Array:
    """Return p-values adjusted for comparing many candidates with one baseline.

    Comparison j has a t statistic on `degrees[j]` degrees of freedom and the two-sided p-value
    p(j). Under the null its numerators share the baseline: their correlation is 1/2 (Dunnett), and
    each is divided by a spread of its own. Then adjusted(j) is the chance that any comparison has
    a p-value of p(j) or less:

        1 - E[ product over k of P(|z / sqrt(2) + e / sqrt(2)| <= t(k) s(k) | z) ],

    with z and e standard normal, s(k)^2 = chi2(degrees[k]) / degrees[k], t(k) the quantile of p(j).
    Integrated over z and s at fixed quantiles (`quadrature`), so the same everywhere.

    The classical test pools one variance over all candidates; here each comparison keeps its own,
    so that a noisy candidate does not decide about a quiet one. Assumes normal differences and
    runs of about equal number; where the baseline is the quietest the correlation is less than 1/2
    and the adjusted values are a little low (at most Sidak's are right).

    Source: Dunnett (1955), A multiple comparison procedure for comparing several treatments with a
    control, JASA 50, 1096-1121.

    >>> dunnett([0.02, 0.5], [9, 9]).round(4).tolist()
    [0.0385, 0.725]
    >>> dunnett([0.03], [5]).round(6).tolist()
    [0.03]
    """
    found = sample(p_values) if len(p_values) else np.empty(0)
    if found.size < 2:
        return found
    at, weights = quadrature()
    z = special.ndtri(at)
    # sqrt(chi2 / degrees) at fixed quantiles; comparisons with the same degrees share a factor.
    counts = Counter(degrees)
    spreads = {nu: np.sqrt(2.0 * special.gammaincinv(nu / 2.0, at) / nu) for nu in counts}
    adjusted = np.empty_like(found)
    for place, p in enumerate(found):
        inside = np.ones_like(z)
        for nu, spread in spreads.items():
            limit = math.sqrt(2.0) * abs(float(special.stdtrit(nu, p / 2.0))) * spread
            chance = special.ndtr(limit[None, :] - z[:, None]) - special.ndtr(
                -limit[None, :] - z[:, None]
            )
            inside = inside * (chance @ weights) ** counts[nu]
        adjusted[place] = 1.0 - float(inside @ weights)
    return np.clip(np.maximum(adjusted, found), 0.0, 1.0)
