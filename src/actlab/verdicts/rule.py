"""The one rule: which group a candidate of a slot is in.

d = mean(best) - mean(candidate), paired by seed.

* *best*: the largest mean.
* *worse*: the paired t-test between the two rejects after Holm over all pairs of the slot.
* *tied*: the upper end of the 90 % interval of d is below the margin.
* *unclear*: neither.

A difference can be both certain and smaller than the margin; then it is *worse*, because the rule
asks in this order. The candidate's numbers show that the difference is small.

The level holds per slot: with eight equal candidates, about 3 % of slots have a false *worse*. Two
slots are two questions, and one of them goes wrong about twice as often.
"""

from dataclasses import dataclass

from actlab.records import Group, Pair
from actlab.verdicts.pairs import ALPHA


@dataclass(frozen=True)
class Gap:
    """How far a candidate is behind the best: d with its intervals, and the adjusted p-value.

    `smallest_margin` is the upper end of the 90 % interval: any margin above it makes a tie.
    """

    difference: float
    low: float
    high: float
    smallest_margin: float
    p_value: float
    p_adjusted: float


def gap(best: str, candidate: str, pairs: tuple[Pair, ...]) -> Gap | None:
    """Return best - candidate from the pair of the two; None where there is no such pair.

    >>> pair = Pair("tanh", "relu", -0.02, -0.03, -0.01, 0.001, 0.003, 0.1, -0.028, -0.012)
    >>> gap("relu", "tanh", (pair,)).smallest_margin
    0.028
    """
    for pair in pairs:
        if (pair.first, pair.second) == (best, candidate):
            ends = pair.difference, pair.low, pair.high, pair.high_90
        elif (pair.first, pair.second) == (candidate, best):
            ends = -pair.difference, -pair.high, -pair.low, -pair.low_90
        else:
            continue
        return Gap(*ends, pair.p_value, pair.p_adjusted)
    return None


def group(found: Gap | None, margin: float) -> Group:
    """Return the group of a candidate that is not the best.

    >>> group(Gap(0.01, 0.008, 0.012, 0.0118, 0.0001, 0.001), margin=0.02)
    'worse'
    >>> group(Gap(0.001, -0.001, 0.003, 0.0028, 0.3, 1.0), margin=0.005)
    'tied'
    >>> group(None, margin=0.005)
    'unclear'
    """
    if found is None:
        return "unclear"
    if found.p_adjusted <= ALPHA and found.difference > 0:
        return "worse"
    return "tied" if found.smallest_margin < margin else "unclear"
