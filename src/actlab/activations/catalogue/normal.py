"""The standard normal distribution, for facts that have a closed form in it."""

from math import erfc, exp, pi, sqrt


def normal_density(x: float) -> float:
    """Return phi(x) = exp(-x^2 / 2) / sqrt(2 pi)."""
    return exp(-x * x / 2) / sqrt(2 * pi)


def normal_tail(x: float) -> float:
    """Return P(z > x).

    >>> normal_tail(0.0)
    0.5
    """
    return erfc(x * sqrt(0.5)) / 2


def normal_cdf(x: float) -> float:
    """Return Phi(x) = P(z < x)."""
    return normal_tail(-x)
