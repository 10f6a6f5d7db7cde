"""The closed-form proofs that findings print."""

import math


def cross_entropy_floor(classes: int, width: float = 1.0) -> float:
    """Return the least cross entropy of scores that differ by at most `width`.

    ln(1 + (C - 1) exp(-width)): the right class at the top of the range, all others at its bottom.

    >>> round(cross_entropy_floor(10), 3)
    1.461
    """
    return math.log1p((classes - 1) * math.exp(-width))


def greatest_probability(classes: int, width: float = 1.0) -> float:
    """Return the greatest probability that softmax gives a class, scores at most `width` apart.

    >>> round(greatest_probability(10), 3)
    0.232
    """
    return 1.0 / (1.0 + (classes - 1) * math.exp(-width))


def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x)).

    >>> sigmoid(1.0) > 0.731
    True
    """
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))


def shown(x: float) -> str:
    """Return a number with three decimals, or as many digits as it needs not to read as zero.

    >>> shown(1.4612), shown(0.00012)
    ('1.461', '0.00012')
    """
    if math.isinf(x) or math.isnan(x):
        return str(x)
    return f"{x:.3f}" if abs(x) >= 0.001 or x == 0 else f"{x:.2g}"
