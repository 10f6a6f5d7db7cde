"""What a verdict is made from: replicates, and who they stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from actlab.errors import VerdictError
from actlab.i18n import _
from actlab.records import Record, Setting, SlotName

Chosen = Mapping[SlotName, Mapping[str, Setting | None]]
"""Per slot and activation the setting that was trained again; None where there was none."""


@dataclass(frozen=True)
class Replication:
    """The records of a study, with what the replicates have in common.

    `chance` is the accuracy of guessing, 1 / classes. `train_rows` and `evaluation_rows` are
    those of one replicate; `rows_overlap` says that replicates share rows with each other or with
    the search for want of fresh ones. `test_accuracies` has final figures by the identity of a
    replicate. `stopped` names candidates that got fewer seeds because they were clearly behind.
    """

    records: tuple[Record, ...]
    chosen: Chosen
    chance: float
    train_rows: int
    evaluation_rows: int
    rows_overlap: bool = False
    test_accuracies: Mapping[str, float] = field(default_factory=dict)
    stopped: Mapping[SlotName, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Scores:
    """The replicates of one candidate: accuracy by replicate number, and how many failed."""

    activation: str
    setting: Setting | None
    by_replicate: Mapping[int, float]
    diverged: int
    test_accuracy: float | None = None

    def at(self, replicates: tuple[int, ...]) -> NDArray[np.float64]:
        """Return the accuracies of these replicates, in their order."""
        return np.array([self.by_replicate[number] for number in replicates], dtype=np.float64)


def replicates_of(replication: Replication) -> tuple[Record, ...]:
    """Return the records that count for the verdict: those of the confirmation.

    Raises VerdictError where there are none, or where they mix data, protocols or precisions.
    """
    records = tuple(
        record
        for record in replication.records
        if record.stage == "confirm" and record.replicate is not None
    )
    if not records:
        raise VerdictError(
            _(
                "A verdict needs settings that were trained again with other seeds; there are none "
                "yet. Train them with: actlab study confirm DIR --seeds 10"
            )
        )
    _refuse_mixtures(records)
    return records


def _refuse_mixtures(records: tuple[Record, ...]) -> None:
    kinds = {
        _("data sets (fingerprints)"): len({record.fingerprint for record in records}),
        _("protocols"): len({record.protocol for record in records}),
        _("precisions"): len({record.precision for record in records}),
    }
    mixed = [f"{count} {kind}" for kind, count in kinds.items() if count > 1]
    if mixed:
        message = _(
            "Replicates are compared only where they saw the same data under the same protocol; "
            "these come from {mixed}. Judge each of them in a run folder of its own."
        )
        raise VerdictError(message.format(mixed=", ".join(mixed)))


def scores_of(replication: Replication, slot: SlotName) -> tuple[Scores, ...]:
    """Return the replicates of every candidate of a slot, in the order of the space.

    A replicate without an accuracy (its training diverged or failed) counts at chance.
    """
    by_setting: dict[Setting, list[Record]] = {}
    for record in replicates_of(replication):
        by_setting.setdefault(record.setting, []).append(record)
    return tuple(
        _candidate(replication, name, setting, by_setting.get(setting, []) if setting else [])
        for name, setting in replication.chosen.get(slot, {}).items()
    )


def _candidate(
    replication: Replication, name: str, setting: Setting | None, records: list[Record]
) -> Scores:
    by_replicate: dict[int, float] = {}
    tests = []
    for record in records:
        if record.replicate is None:
            continue
        if record.replicate in by_replicate:
            message = _(
                "Each replicate of a candidate has one record; {name} has two of replicate "
                "{number}. The file of records has been altered."
            )
            raise VerdictError(message.format(name=name, number=record.replicate))
        accuracy = record.valid_accuracy
        by_replicate[record.replicate] = replication.chance if accuracy is None else accuracy
        if record.identity in replication.test_accuracies:
            tests.append(replication.test_accuracies[record.identity])
    return Scores(
        activation=name,
        setting=setting,
        by_replicate=by_replicate,
        diverged=sum(record.valid_accuracy is None for record in records),
        test_accuracy=tests[0] if tests else None,
    )


def common_replicates(scores: tuple[Scores, ...], stopped: frozenset[str]) -> tuple[int, ...]:
    """Return the replicates that all candidates have; those without any, or stopped, do not count.

    >>> both = Scores("relu", None, {0: 0.9, 1: 0.8}, 0), Scores("tanh", None, {1: 0.7}, 0)
    >>> common_replicates((*both, Scores("silu", None, {}, 0)), frozenset())
    (1,)
    """
    sets = [set(s.by_replicate) for s in scores if s.by_replicate and s.activation not in stopped]
    return tuple(sorted(set.intersection(*sets))) if sets else ()
