"""Two studies with the same seeds, activation by activation: what another protocol changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Literal

from actlab import verdicts
from actlab.records import Difference, Seeds, SlotName
from actlab.studies.confirm.replication import Replication, replicates_of, runs_of
from actlab.verdicts import Question

ByReplicate = Mapping[int, float | None]
"""Scores by the number of the replicate, None for a training that failed."""

Obstacle = Literal["no replicates", "other data", "other seeds"]
"""Why the seeds of two studies are not pairs."""


@dataclass(frozen=True)
class Change:
    """One activation in both studies, second - first, paired by seed.

    As in a verdict, a failed training has no score: the failures of either study are counted over
    the `seeds` that both have, and means and difference are of those on which both trained, in the
    unit of the metric. They are None where that are fewer than two. `p_adjusted` is Holm's over the
    activations of the slot.
    """

    activation: str
    seeds: int
    first_failures: int
    second_failures: int
    first_mean: float | None
    second_mean: float | None
    difference: Difference | None
    p_adjusted: float | None


@dataclass(frozen=True)
class ProtocolChange:
    """The changes per slot; where the two cannot be paired there are none, for the `obstacle`.

    Each study trained an activation at the setting that was best in it: a change is that of the
    whole recipe, learning rate and partner included.
    """

    slots: Mapping[SlotName, tuple[Change, ...]] = field(default_factory=dict)
    obstacle: Obstacle | None = None


def protocol_change(first: Replication, second: Replication) -> ProtocolChange:
    """Return second - first for every activation with two shared seeds or more.

    Raises VerdictError where the replicates of one study do not belong together.
    """
    obstacle = _obstacle(first, second)
    if obstacle is not None:
        return ProtocolChange(obstacle=obstacle)
    question = Question(
        margin=0.0,
        resolution=1 / min(first.evaluation_rows, second.evaluation_rows),
        reuse=max(_reuse(first), _reuse(second)),
    )
    return ProtocolChange(
        {
            slot: changes_between(_scores(first, slot), _scores(second, slot), question)
            for slot in first.chosen
            if slot in second.chosen
        }
    )


def _scores(replication: Replication, slot: SlotName) -> dict[str, ByReplicate]:
    return {runs.activation: runs.by_replicate for runs in runs_of(replication, slot)}


def _reuse(replication: Replication) -> float:
    share = replication.evaluation_rows / replication.train_rows
    return share if replication.rows_overlap else 0.0


def _obstacle(first: Replication, second: Replication) -> Obstacle | None:
    """Return why seeds of the two studies are not pairs; None where they are."""
    for replication in (first, second):
        if not any(record.stage == "confirm" for record in replication.records):
            return "no replicates"
    one, other = replicates_of(first), replicates_of(second)
    if one[0].fingerprint != other[0].fingerprint:
        return "other data"
    seeds, others = _seeds(first), _seeds(second)
    if any(seeds[number] != others[number] for number in seeds.keys() & others.keys()):
        return "other seeds"
    return None


def _seeds(replication: Replication) -> dict[int, Seeds]:
    return {record.replicate or 0: record.seeds for record in replicates_of(replication)}


def changes_between(
    first: Mapping[str, ByReplicate], second: Mapping[str, ByReplicate], question: Question
) -> tuple[Change, ...]:
    """Return second - first for every activation of a slot with two shared seeds or more.

    >>> before, after = {"relu": {0: 0.9, 1: 0.91, 2: None}}, {"relu": {0: 0.92, 1: 0.93, 2: 0.9}}
    >>> (found,) = changes_between(before, after, Question(margin=0.0))
    >>> found.seeds, found.first_failures, found.difference.n, round(found.difference.mean, 3)
    (3, 1, 2, 0.02)
    """
    found = [_change(name, first[name], second[name], question) for name in first if name in second]
    known = [change for change in found if change.seeds > 1]
    p_values = [change.difference.p_value for change in known if change.difference]
    adjusted = iter(verdicts.holm(p_values))
    return tuple(
        replace(change, p_adjusted=float(next(adjusted))) if change.difference else change
        for change in known
    )


def _change(name: str, before: ByReplicate, after: ByReplicate, question: Question) -> Change:
    shared = sorted(before.keys() & after.keys())
    pairs = [(before[number], after[number]) for number in shared]
    trained = [(one, two) for one, two in pairs if one is not None and two is not None]
    change = Change(
        activation=name,
        seeds=len(shared),
        first_failures=sum(one is None for one, _two in pairs),
        second_failures=sum(two is None for _one, two in pairs),
        first_mean=None,
        second_mean=None,
        difference=None,
        p_adjusted=None,
    )
    if len(trained) < 2:
        return change
    firsts, seconds = [one for one, _two in trained], [two for _one, two in trained]
    difference = verdicts.paired_difference(
        seconds, firsts, question.variance_factor(len(trained)), question.resolution
    )
    return replace(
        change, first_mean=fmean(firsts), second_mean=fmean(seconds), difference=difference
    )
