"""How many seeds a difference needs, and which difference some seeds can show."""

import math

from scipy import optimize, special, stats

from actlab.i18n import _
from actlab.stats.checks import StatisticsError, fraction, not_negative

_MOST_SEEDS = 1_000_000


def paired_t_power(
    n: int,
    difference: float,
    standard_deviation: float,
    comparisons: int = 1,
    alpha: float = 0.05,
    reuse: float = 0.0,
) -> float:
    """Return the chance that the paired t test at alpha / comparisons shows `difference`.

    P(|T| > t(n - 1; 1 - alpha / (2 comparisons))), T noncentral t on n - 1 degrees of freedom with
    noncentrality difference / (standard_deviation sqrt(1/n + reuse)); `standard_deviation` is of
    the paired differences, `reuse` is evaluation_rows / train_rows for replicates that reuse rows.

    Assumes normal differences. `comparisons` stands for Holm's first step (Bonferroni): Holm can
    only do better, so the chance is a lower bound. It misleads where difference and deviation
    were themselves estimated from few seeds: they may be off by half.

    Source: Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 2;
    Johnson, Kotz and Balakrishnan (1995), Continuous Univariate Distributions 2, chapter 31.

    >>> round(paired_t_power(10, difference=1.0, standard_deviation=1.0), 3)
    0.803
    """
    level = _check(comparisons, standard_deviation, alpha, reuse)
    if n < 2:
        return 0.0
    if difference == 0.0:
        return level
    if standard_deviation == 0.0:
        return 1.0
    shift = abs(difference) / (standard_deviation * math.sqrt(1.0 / n + reuse))
    return _power(n - 1, shift, level)


def seeds_to_separate(
    difference: float,
    standard_deviation: float,
    comparisons: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
    reuse: float = 0.0,
) -> int | None:
    """Return the smallest number of seeds at which `difference` shows with chance `power`.

    The smallest n >= 2 with paired_t_power(n, ...) >= power. None where there is none: no
    difference, more than a million seeds, or rows that are reused so much (`reuse` > 0) that no
    number of seeds is enough.

    Assumes and misleads as `paired_t_power` does; in particular an observed difference just
    short of significance asks for about twice the seeds, whatever the truth is.

    Source: as `paired_t_power`.

    >>> seeds_to_separate(difference=0.01, standard_deviation=0.01)
    10
    >>> seeds_to_separate(difference=0.01, standard_deviation=0.01, comparisons=28)
    21
    """
    _check(comparisons, standard_deviation, alpha, reuse)
    fraction("power", power)

    def enough(n: int) -> bool:
        chance = paired_t_power(n, difference, standard_deviation, comparisons, alpha, reuse)
        return chance >= power

    if difference == 0.0:
        return None
    high = 2
    while not enough(high):
        if high >= _MOST_SEEDS:
            return None
        high = min(2 * high, _MOST_SEEDS)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def detectable_difference(
    n: int,
    standard_deviation: float,
    comparisons: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
    reuse: float = 0.0,
) -> float:
    """Return the smallest difference that `n` seeds show with chance `power`.

    The difference at which paired_t_power(n, ...) = power; in the unit of `standard_deviation`
    (of the paired differences). Fewer than two seeds show nothing: inf.

    Assumes and misleads as `paired_t_power` does.

    Source: as `paired_t_power`.

    >>> round(detectable_difference(10, standard_deviation=0.35, comparisons=28), 2)
    0.6
    """
    level = _check(comparisons, standard_deviation, alpha, reuse)
    fraction("power", power)
    if n < 2:
        return math.inf
    if power <= level:
        return 0.0
    high = 1.0
    while _power(n - 1, high, level) < power:
        high *= 2.0
    shift = optimize.brentq(lambda at: _power(n - 1, at, level) - power, 0.0, high, xtol=1e-10)
    return float(shift) * standard_deviation * math.sqrt(1.0 / n + reuse)


def _check(comparisons: int, standard_deviation: float, alpha: float, reuse: float) -> float:
    if comparisons < 1:
        raise StatisticsError(
            _("comparisons must be at least 1; it is {given}.").format(given=comparisons)
        )
    not_negative("standard_deviation", standard_deviation)
    not_negative("reuse", reuse)
    fraction("alpha", alpha)
    return alpha / comparisons


def _power(degrees: int, shift: float, level: float) -> float:
    # T^2 is noncentral F: both tails at once. SciPy's lower tail of noncentral t itself is NaN in
    # places (1.17: degrees 1, shift 20).
    critical = float(special.stdtrit(degrees, 1.0 - level / 2.0))
    return float(stats.ncf.sf(critical**2, 1, degrees, shift**2))
