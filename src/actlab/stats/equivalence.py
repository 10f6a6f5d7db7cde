"""Showing that two candidates are close, which a large p-value does not."""

from dataclasses import dataclass

from actlab.stats.checks import ArrayLike, fraction, not_negative
from actlab.stats.differences import differences


@dataclass(frozen=True)
class Equivalence:
    """The 1 - 2 alpha interval of the mean of first - second, and whether it is inside the margin.

    `p_value` is the larger of the two one-sided ones: `equivalent` where it is below alpha.
    """

    lower: float
    upper: float
    p_value: float
    equivalent: bool


def equivalence(
    first: ArrayLike,
    second: ArrayLike,
    margin: float,
    alpha: float = 0.05,
    variance_factor: float | None = None,
    resolution: float | None = None,
) -> Equivalence:
    """Test whether the mean of first - second lies inside +- `margin`, by two one-sided tests.

    mean +- t(n - 1; 1 - alpha) s sqrt(f) must lie inside (-margin, margin); at alpha = 0.05 that
    is the 90 % interval, and the chance to call two candidates equivalent that are a margin or
    more apart is at most 5 %. `variance_factor` and `resolution` as in `paired_difference`.

    Assumes what the paired t test assumes, and a margin that was chosen before the data were
    seen. It misleads where the margin is picked afterwards, and through low power: with few seeds
    nothing is equivalent, which does not mean different. Each pair is one test; calling many pairs
    equivalent needs no adjustment for each single claim, but for "all of these" it does.

    One pair: the whole line, p = 1, not equivalent.

    Source: Schuirmann (1987), A comparison of the two one-sided tests procedure and the power
    approach for assessing the equivalence of average bioavailability, Journal of Pharmacokinetics
    and Biopharmaceutics 15, 657-680.

    >>> equivalence([0.98, 0.97, 0.99], [0.98, 0.971, 0.989], margin=0.005).equivalent
    True
    """
    found = differences(first, second, variance_factor, resolution)
    level = fraction("alpha", alpha)
    limit = not_negative("margin", margin)
    lower, upper = found.end(level), found.end(1.0 - level)
    p_value = max(found.below(limit), found.above(-limit))
    return Equivalence(lower, upper, p_value, -limit < lower and upper < limit)


def upper_bound(
    first: ArrayLike,
    second: ArrayLike,
    alpha: float = 0.05,
    variance_factor: float | None = None,
    resolution: float | None = None,
) -> float:
    """Return the value that the true mean of first - second stays below, at level 1 - alpha.

    mean + t(n - 1; 1 - alpha) s sqrt(f): the upper end of the 1 - 2 alpha interval. With the best
    candidate first, a bound below the margin says that the other one loses less than the margin;
    the bound is the smallest margin at which that holds.

    Assumes and misleads as `equivalence` does. Where `first` was picked as the best of the same
    data, its mean is a little too high, which makes the bound a little too large: the safe side.
    One pair: inf.

    Source: Schuirmann (1987), one of his two tests; also known as a non-inferiority test.

    >>> round(upper_bound([0.98, 0.97, 0.99], [0.98, 0.971, 0.989]), 4)
    0.0017
    """
    found = differences(first, second, variance_factor, resolution)
    return found.end(1.0 - fraction("alpha", alpha))
