"""Two studies with the same seeds, activation by activation: what another protocol changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean

from actlab import verdicts
from actlab.i18n import _
from actlab.records import Difference, Seeds, SlotName
from actlab.studies.confirm.replication import Replication, replicates_of, runs_of
from actlab.verdicts import Question


@dataclass(frozen=True)
class Change:
    """One activation in both studies, second - first, paired by seed; failures at chance.

    `p_adjusted` is Holm's over the activations of the slot.
    """

    activation: str
    first_mean: float
    second_mean: float
    difference: Difference
    p_adjusted: float


@dataclass(frozen=True)
class ProtocolChange:
    """The changes per slot; where the two cannot be paired there are none, and `reason` says why.

    Each study trained an activation at the setting that was best in it: a change is that of the
    whole recipe, learning rate and partner included.
    """

    slots: Mapping[SlotName, tuple[Change, ...]] = field(default_factory=dict)
    reason: str | None = None


def protocol_change(first: Replication, second: Replication) -> ProtocolChange:
    """Return second - first for every activation with two shared seeds or more.

    Raises VerdictError where the replicates of one study do not belong together.
    """
    reason = _obstacle(first, second)
    if reason is not None:
        return ProtocolChange(reason=reason)
    question = Question(
        margin=0.0,
        resolution=1 / min(first.evaluation_rows, second.evaluation_rows),
        reuse=max(_reuse(first), _reuse(second)),
    )
    return ProtocolChange(
        {
            slot: _changes(_accuracies(first, slot), _accuracies(second, slot), question)
            for slot in first.chosen
            if slot in second.chosen
        }
    )


def _accuracies(replication: Replication, slot: SlotName) -> dict[str, dict[int, float]]:
    """Return accuracy by activation and replicate; a run without one counts at chance."""
    replicates = replicates_of(replication)
    return {
        runs.activation: {
            record.replicate or 0: replication.chance if record.score is None else record.score
            for record in replicates
            if record.setting == runs.setting
        }
        for runs in runs_of(replication, slot)
    }


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
    first: Mapping[str, Mapping[int, float]],
    second: Mapping[str, Mapping[int, float]],
    question: Question,
) -> tuple[Change, ...]:
    found = []
    for name in first:
        shared = sorted(first[name].keys() & second.get(name, {}).keys())
        if len(shared) < 2:
            continue
        before, after = ([rows[name][number] for number in shared] for rows in (first, second))
        difference = verdicts.paired_difference(
            after, before, question.variance_factor(len(shared)), question.resolution
        )
        found.append(Change(name, fmean(before), fmean(after), difference, 1.0))
    adjusted = verdicts.holm([change.difference.p_value for change in found])
    return tuple(
        replace(change, p_adjusted=float(p)) for change, p in zip(found, adjusted, strict=True)
    )
