"""Two studies with the same seeds, activation by activation: what another protocol changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from actlab import stats
from actlab.i18n import _
from actlab.records import Seeds, SlotName
from actlab.verdicts.pairs import Conditions, compare
from actlab.verdicts.replication import Replication, Scores, replicates_of, scores_of


@dataclass(frozen=True)
class Change:
    """One activation in both studies: second - first, paired by seed, accuracies as fractions.

    `p_adjusted` is Holm's over the activations of the slot.
    """

    activation: str
    n: int
    first_mean: float
    second_mean: float
    difference: float
    low: float
    high: float
    p_value: float
    p_adjusted: float


@dataclass(frozen=True)
class Across:
    """The changes per slot; where the two cannot be paired there are none, and `reason` says why.

    Each study trained an activation at the setting that was best in it: a change is that of the
    whole recipe, learning rate and partner included.
    """

    slots: Mapping[SlotName, tuple[Change, ...]] = field(default_factory=dict)
    reason: str | None = None


def across(first: Replication, second: Replication) -> Across:
    """Return second - first for every activation with two shared seeds or more.

    Raises VerdictError where the replicates of one study do not belong together.
    """
    reason = _obstacle(first, second)
    if reason is not None:
        return Across(reason=reason)
    conditions = Conditions(
        resolution=1 / min(first.evaluation_rows, second.evaluation_rows),
        reuse=max(_reuse(first), _reuse(second)),
    )
    return Across(
        {
            slot: _changes(scores_of(first, slot), scores_of(second, slot), conditions)
            for slot in first.chosen
            if slot in second.chosen
        }
    )


def _reuse(replication: Replication) -> float:
    share = replication.evaluation_rows / replication.train_rows
    return share if replication.rows_overlap else 0.0


def _obstacle(first: Replication, second: Replication) -> str | None:
    """Return in a sentence why seeds of the two studies are not pairs; None where they are."""
    for replication in (first, second):
        if not any(record.stage == "confirm" for record in replication.records):
            return _("Not both studies have replicates; train them with actlab study confirm.")
    one, other = replicates_of(first), replicates_of(second)
    if one[0].fingerprint != other[0].fingerprint:
        return _("The studies saw different data, so their replicates are no pairs.")
    seeds, others = _seeds(first), _seeds(second)
    if any(seeds[number] != others[number] for number in seeds.keys() & others.keys()):
        return _("The studies have different seeds, so their replicates are no pairs.")
    return None


def _seeds(replication: Replication) -> dict[int, Seeds]:
    return {record.replicate or 0: record.seeds for record in replicates_of(replication)}


def _changes(
    first: tuple[Scores, ...], second: tuple[Scores, ...], conditions: Conditions
) -> tuple[Change, ...]:
    others = {scores.activation: scores for scores in second}
    found = [
        _change(scores, others[scores.activation], conditions)
        for scores in first
        if scores.activation in others
        and len(scores.by_replicate.keys() & others[scores.activation].by_replicate.keys()) >= 2
    ]
    adjusted = stats.holm([change.p_value for change in found])
    return tuple(
        replace(change, p_adjusted=float(p)) for change, p in zip(found, adjusted, strict=True)
    )


def _change(first: Scores, second: Scores, conditions: Conditions) -> Change:
    shared = tuple(sorted(first.by_replicate.keys() & second.by_replicate.keys()))
    before, after = first.at(shared), second.at(shared)
    found = compare(after, before, conditions)
    return Change(
        activation=first.activation,
        n=found.n,
        first_mean=float(np.mean(before)),
        second_mean=float(np.mean(after)),
        difference=found.mean,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        p_adjusted=found.p_value,
    )
