"""What counts as having learnt something."""

LEARNT = 0.1
"""The share of the way from chance to perfect below which a training learnt next to nothing."""


def near_chance(accuracy: float, chance: float) -> bool:
    """Return whether a training that ends with this accuracy learnt next to nothing.

    >>> near_chance(0.113, chance=0.1), near_chance(0.5, chance=0.1)
    (True, False)
    """
    return accuracy < chance + LEARNT * (1 - chance)
