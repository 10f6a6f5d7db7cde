"""Records -> verdict: the replicates of a study become tables of scores, which `verdicts` judges.

    verdict = judge(plan, Replication(records, chosen, chance=0.1, train_rows=3000, ...))

Pure arithmetic on records: no torch, no training.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from actlab import verdicts
from actlab.records import (
    Comparison,
    Conditions,
    Importance,
    Metric,
    Notice,
    Plan,
    SlotName,
    SlotVerdict,
    StudyMetric,
    Verdict,
)
from actlab.studies.confirm.layer_statistics import mechanisms, probe_rows
from actlab.studies.confirm.rate_curves import rate_curves
from actlab.studies.confirm.replication import (
    Replication,
    Runs,
    replicates_of,
    runs_of,
    shared_replicates,
)
from actlab.verdicts import Question, compare, scores_by_seed

DEFAULT_MARGIN = 0.005
"""Half a percentage point: a smaller difference of accuracy does not matter."""

_MECHANISMS = 2
"""Second word of the seed of what the mechanisms draw."""

FEW_SEEDS = 6
"""Below this many seeds a paired t-test over many pairs sees very large gaps only."""


@dataclass(frozen=True)
class ExtraInputs:
    """What is measured elsewhere and shown with a verdict: costs by activation, importance."""

    costs: Mapping[str, float] = field(default_factory=dict)
    importance: Sequence[Importance] = ()


def judge(
    plan: Plan,
    replication: Replication,
    *,
    margin: float = DEFAULT_MARGIN,
    extra: ExtraInputs | None = None,
) -> Verdict:
    """Return what the replicates of a study support.

    `margin` is the largest difference of accuracy that does not matter, as a fraction. The same
    arguments give the same verdict: what is drawn at random is drawn from the plan's seed.

    Raises VerdictError where there are no replicates, or where they do not belong together.
    """
    extra, measured = extra or ExtraInputs(), replication.measured
    replicates = replicates_of(replication)
    search = [record for record in replication.records if record.stage == "search"]
    balanced = search if plan.is_balanced else []
    slots = tuple(
        slot_verdict(replication, slot, margin, extra.costs, _drawing(plan.seed, n))
        for n, slot in enumerate(replication.chosen)
    )
    return Verdict(
        slots=slots,
        margin=margin,
        metric=Metric(
            "valid_trial_accuracy" if measured.in_percent else measured.name,
            measured.higher_is_better,
            margin,
            in_percent=measured.in_percent,
        ),
        seeds=max((row.n for found in slots for row in found.candidates), default=0),
        conditions=Conditions(
            replicates=len(replicates),
            evaluation_rows=replication.evaluation_rows,
            train_rows=replication.train_rows,
            chance=replication.measured.oriented(replication.chance),
            rows_overlap=replication.rows_overlap,
            stopped_early=any(replication.stopped.values()),
        ),
        rates=rate_curves(balanced, plan.space, replication.chance),
        importance=tuple(extra.importance),
        mechanisms=mechanisms(replication, np.random.default_rng((plan.seed, _MECHANISMS))),
        probes=probe_rows(replication),
    )


def _limits(measured: StudyMetric) -> tuple[float, float]:
    """Return between what scores lie, such that the higher is the better."""
    if measured.perfect is None:
        return -math.inf, math.inf
    if measured.name == "r2":
        return -math.inf, 1.0
    return (0.0, 1.0) if measured.higher_is_better else (-math.inf, -0.0)


def _drawing(seed: int, place: int) -> np.random.Generator:
    """Return what the secondary statistics of the slot at a place draw from."""
    return np.random.default_rng((seed, place if place < _MECHANISMS else place + 1))


def slot_verdict(
    replication: Replication,
    slot: SlotName,
    margin: float,
    costs: Mapping[str, float],
    generator: np.random.Generator | None,
) -> SlotVerdict:
    """Return groups and numbers for one slot; `costs` are relative costs by activation.

    Without a `generator` the secondary statistics are left out.
    """
    runs = {found.activation: found for found in runs_of(replication, slot)}
    shared = shared_replicates(tuple(runs.values()), replication.stopped.get(slot, frozenset()))
    table = scores_by_seed(
        {
            name: {r: found.by_replicate[r] for r in shared if r in found.by_replicate}
            for name, found in runs.items()
        }
    )
    reuse = replication.evaluation_rows / replication.train_rows
    measured = replication.measured
    question = Question(
        margin=margin,
        higher_is_better=measured.higher_is_better,
        resolution=1 / replication.evaluation_rows if measured.in_percent else None,
        reuse=reuse if replication.rows_overlap else 0.0,
        limits=_limits(measured),
    )
    found = compare(table, question, generator)
    candidates = tuple(
        replace(
            row,
            setting=runs[row.name].setting,
            diverged=runs[row.name].diverged,
            test_accuracy=runs[row.name].test_accuracy,
            cost=costs.get(row.name),
        )
        for row in found.candidates
    )
    return SlotVerdict(
        slot=slot,
        candidates=candidates,
        pairs=found.pairs,
        ranks=found.ranks,
        seeds=len(shared),
        notices=_notices(replication, tuple(runs.values()), shared, found, question.reuse),
    )


def _notices(
    replication: Replication,
    runs: tuple[Runs, ...],
    shared: tuple[int, ...],
    found: Comparison,
    reuse: float,
) -> tuple[Notice, ...]:
    notices = []
    n = len(shared)
    if 2 <= n < FEW_SEEDS and found.pairs:
        spread = median(pair.difference.standard_deviation for pair in found.pairs)
        smallest = verdicts.detectable_difference(n, spread, len(found.pairs), reuse=reuse)
        notices.append(Notice("few_seeds", {"n": n, "smallest": smallest}))
    if replication.rows_overlap:
        notices.append(Notice("rows_overlap"))
    failures = {row.name: row.failures for row in found.candidates if row.failures}
    if failures:
        notices.append(Notice("failures", counts=failures))
    left_out = sum(len(one.by_replicate.keys() - set(shared)) for one in runs)
    if left_out:
        notices.append(Notice("left_out", {"count": left_out}))
    fewer = [
        one.activation for one in runs if one.by_replicate and set(shared) - one.by_replicate.keys()
    ]
    if fewer:
        notices.append(Notice("stopped", names=tuple(fewer)))
    return tuple(notices)
