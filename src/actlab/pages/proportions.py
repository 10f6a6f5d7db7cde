"""How exactly an accuracy on n images is known: a share of n independent yes-or-no answers."""

import math
from dataclasses import dataclass

Z95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution: half the error of 5 % on each side."""


@dataclass(frozen=True)
class Accuracy:
    """An accuracy with its standard error and its 95 % interval, all fractions.

    `correct` is the number of images that were classified right, None where the accuracy is not a
    whole number of `images`. The interval is about these images only: another split, another
    seed or another order of the batches moves the accuracy as well.
    """

    value: float
    images: int
    standard_error: float
    low: float
    high: float

    @property
    def correct(self) -> int | None:
        """Return how many images were right."""
        count = round(self.value * self.images)
        return count if math.isclose(count, self.value * self.images, abs_tol=1e-3) else None


def accuracy(value: float, images: int) -> Accuracy:
    """Return an accuracy p on n images with its standard error and Wilson's 95 % interval.

    The standard error is sqrt(p (1 - p) / n). Wilson's interval is used because the simple
    p +- 1.96 standard errors has no width at p = 1 and passes 1 near it. Source: E. B. Wilson,
    "Probable inference, the law of succession, and statistical inference", JASA 22 (1927),
    209-212.

    Raises ValueError where p is no fraction or n is not positive.

    >>> found = accuracy(0.9802, 10_000)
    >>> round(found.standard_error, 5), round(found.low, 4), round(found.high, 4)
    (0.00139, 0.9773, 0.9828)
    """
    if images < 1 or not 0.0 <= value <= 1.0:
        raise ValueError(f"an accuracy is a fraction of some images, not {value} of {images}")
    error = math.sqrt(value * (1.0 - value) / images)
    shrink = 1.0 + Z95**2 / images
    centre = (value + Z95**2 / (2 * images)) / shrink
    half = Z95 / shrink * math.sqrt(value * (1.0 - value) / images + Z95**2 / (4 * images**2))
    return Accuracy(value, images, error, max(0.0, centre - half), min(1.0, centre + half))
