"""What a confirmation will take and which gap it will show, told before it is paid for."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from actlab.pages.proportions import accuracy
from actlab.records import Plan, Record, Verdict
from actlab.verdicts import detectable_difference


@dataclass(frozen=True)
class Prospect:
    """`gap` is the smallest difference that so many seeds show with chance 80 %.

    It is a fraction of accuracy where `in_percent`, else in the units of the metric. None where
    nothing is known of the spread. `spread_is_assumed` says that no replicate tells it yet: then
    seeds are taken to differ as much as the choice of images alone makes them, which is the least.
    `seconds` are those of all trainings on the plan's workers, None where no training has ended.
    """

    seeds: int
    trainings: int
    seconds: float | None
    gap: float | None
    spread_is_assumed: bool
    in_percent: bool = True


def prospect(
    plan: Plan,
    records: Sequence[Record],
    verdict: Verdict | None,
    *,
    seeds: int,
    trainings: int,
    workers: int,
) -> Prospect:
    """Return what `trainings` on `seeds` seeds take, and what they show."""
    known = [r.seconds for r in records if math.isfinite(r.seconds) and r.valid_metric is not None]
    seconds = statistics.mean(known) * trainings / max(workers, 1) if known else None
    spread = _spread(plan, records, verdict)
    names = max(map(len, plan.space.by_slot.values()), default=0)
    comparisons = max(names * (names - 1) // 2, 1)
    return Prospect(
        seeds=seeds,
        trainings=trainings,
        seconds=seconds if trainings else None,
        gap=None if spread is None else detectable_difference(seeds, spread, comparisons),
        spread_is_assumed=verdict is None,
        in_percent=plan.training.measured.in_percent,
    )


def _spread(plan: Plan, records: Sequence[Record], verdict: Verdict | None) -> float | None:
    """Return the standard deviation of a paired difference, from replicates or from images."""
    if verdict is not None:
        spreads = [
            pair.difference.standard_deviation for slot in verdict.slots for pair in slot.pairs
        ]
        return statistics.median(spreads) if spreads else None
    best = max((record.valid_accuracy or 0.0 for record in records), default=0.0)
    if not 0.0 < best < 1.0:
        return None
    return math.sqrt(2.0) * accuracy(best, plan.data.splits.valid_trial).standard_error
