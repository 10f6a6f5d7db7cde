"""How often trainings fail: a bound of the rate, and two rates compared exactly."""

from scipy import special, stats

from actlab.i18n import _
from actlab.stats.checks import StatisticsError, fraction


def failure_rate_low(failures: int, runs: int, confidence: float = 0.95) -> float:
    """Return the one-sided lower Clopper-Pearson bound of the rate of failures.

    The rate p at which `failures` or more of `runs` have the chance 1 - confidence: the quantile
    at 1 - confidence of Beta(failures, runs - failures + 1); 0 without a failure.

    Assumes independent runs with one rate. Exact, so conservative: with few runs it covers more
    than it says.

    Source: Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the
    case of the binomial, Biometrika 26, 404-413.

    >>> round(failure_rate_low(4, 10), 3), round(failure_rate_low(1, 10), 4)
    (0.15, 0.0051)
    """
    if not 0 <= failures <= runs or runs < 1:
        raise StatisticsError(
            _(
                "There must be runs, and no more failures than runs; given {failures} of {runs}."
            ).format(failures=failures, runs=runs)
        )
    if failures == 0:
        return 0.0
    tail = 1.0 - fraction("confidence", confidence)
    return float(special.betaincinv(failures, runs - failures + 1, tail))


def failure_rates_p(failures: tuple[int, int], runs: tuple[int, int]) -> float:
    """Return the two-sided p-value of Fisher's exact test that two rates of failure are equal.

    Assumes independent runs. Exact, so conservative; with few runs it rejects large gaps only (4 of
    10 against 0 of 10 gives 0.087).

    Source: Fisher (1934), Statistical Methods for Research Workers, 5th edition, section 21.02;
    computed by scipy.stats.fisher_exact.

    >>> round(failure_rates_p((4, 0), (10, 10)), 3)
    0.087
    """
    rows = [[k, n - k] for k, n in zip(failures, runs, strict=True)]
    return float(stats.fisher_exact(rows).pvalue)
