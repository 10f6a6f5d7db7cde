"""What a verdict is made from: replicates, and who they stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from actlab.errors import VerdictError
from actlab.i18n import _
from actlab.records import METRICS, Record, Setting, SlotName, StudyMetric

Chosen = Mapping[SlotName, Mapping[str, Setting | None]]
"""Per slot and activation the setting that was trained again; None where there was none."""


@dataclass(frozen=True)
class Replication:
    """The records of a study, with what the replicates have in common.

    `chance` is what a constant prediction reaches (1 / classes), such that the higher is the
    better, by the metric that is `measured`. `train_rows` and `evaluation_rows` are
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
    measured: StudyMetric = METRICS["accuracy"]

    @property
    def perfect(self) -> float | None:
        """Return the best score there is, such that the higher is the better."""
        perfect = self.measured.perfect
        return None if perfect is None else self.measured.oriented(perfect)


LEARNT = 0.1
"""The share of the way from chance to perfect below which a training learnt next to nothing."""


def near_chance(score: float, chance: float, perfect: float | None = 1.0) -> bool:
    """Return whether a training that ends with this score learnt next to nothing.

    Both are such that the higher is the better; without a `perfect` score, next to nothing is what
    a constant prediction reaches.

    >>> near_chance(0.113, chance=0.1), near_chance(0.5, chance=0.1)
    (True, False)
    >>> near_chance(-9.5, chance=-10.0, perfect=0.0), near_chance(-5.0, -10.0, perfect=0.0)
    (True, False)
    """
    if perfect is None:
        return score <= chance
    return score < chance + LEARNT * (perfect - chance)


@dataclass(frozen=True)
class Runs:
    """The replicates of one candidate: accuracy by replicate number, None for one that failed.

    A training failed where it has no accuracy (it `diverged`), or learnt next to nothing.
    """

    activation: str
    setting: Setting | None
    by_replicate: Mapping[int, float | None]
    diverged: int
    test_accuracy: float | None = None


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


def runs_of(replication: Replication, slot: SlotName) -> tuple[Runs, ...]:
    """Return the replicates of every candidate of a slot, in the order of the space."""
    by_setting: dict[Setting, list[Record]] = {}
    for record in replicates_of(replication):
        by_setting.setdefault(record.setting, []).append(record)
    return tuple(
        _candidate(replication, name, setting, by_setting.get(setting, []) if setting else [])
        for name, setting in replication.chosen.get(slot, {}).items()
    )


def _candidate(
    replication: Replication, name: str, setting: Setting | None, records: list[Record]
) -> Runs:
    by_replicate: dict[int, float | None] = {}
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
        score = record.score
        failed = score is None or near_chance(score, replication.chance, replication.perfect)
        by_replicate[record.replicate] = None if failed else record.valid_metric
        if record.identity in replication.test_accuracies:
            tests.append(replication.test_accuracies[record.identity])
    return Runs(
        activation=name,
        setting=setting,
        by_replicate=by_replicate,
        diverged=sum(record.score is None for record in records),
        test_accuracy=tests[0] if tests else None,
    )


def shared_replicates(runs: tuple[Runs, ...], stopped: frozenset[str]) -> tuple[int, ...]:
    """Return the replicates that all candidates have; those without any, or stopped, do not count.

    >>> both = Runs("relu", None, {0: 0.9, 1: 0.8}, 0), Runs("tanh", None, {1: None}, 1)
    >>> shared_replicates((*both, Runs("silu", None, {}, 0)), frozenset())
    (1,)
    """
    sets = [set(r.by_replicate) for r in runs if r.by_replicate and r.activation not in stopped]
    return tuple(sorted(set.intersection(*sets))) if sets else ()
