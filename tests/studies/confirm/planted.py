"""Synthetic studies whose truth is known: records as a confirmation would leave them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from actlab.records import (
    BalancedSampler,
    DataPlan,
    Outcome,
    Plan,
    Protocol,
    Record,
    Seeds,
    Setting,
    SlotName,
    Space,
    SplitSizes,
    TpeSampler,
)
from actlab.records.trial import Stage
from actlab.studies.confirm.replication import Replication

NAMES = ("sigmoid", "relu", "leaky_relu_0.01", "leaky_relu_0.1", "prelu", "elu", "tanh", "silu")
PARTNER = "partner"
CORRECTED = Protocol("corrected", "logits")


def record(
    setting: Setting,
    replicate: int | None,
    accuracy: float | None,
    *,
    stage: Stage = "confirm",
    number: int = 0,
    protocol: Protocol = CORRECTED,
    fingerprint: str = "sha256:one",
    outcome: Outcome | None = None,
) -> Record:
    """A record with only what a verdict reads."""
    ended = outcome or (Outcome.COMPLETED if accuracy is not None else Outcome.DIVERGED)
    return Record(
        identity=f"{stage}-{setting}-{replicate}-{number}",
        number=number,
        setting=setting,
        replicate=replicate,
        seeds=Seeds(replicate or 0, replicate or 0, replicate or 0),
        protocol=protocol,
        precision="fp32",
        fingerprint=fingerprint,
        outcome=ended,
        reason=None if accuracy is not None else "the loss was not finite",
        valid_accuracy=accuracy,
        epochs=3,
        best_epoch=1,
        curve=(),
        seconds=1.0,
        code_version="test",
        stage=stage,
    )


def setting(slot: SlotName, name: str) -> Setting:
    """The chosen setting of a candidate; its partner has a name that no candidate has."""
    return Setting(name, PARTNER, 0.001) if slot == "conv" else Setting(PARTNER, name, 0.001)


def replicates(slot: SlotName, scores: Mapping[str, Sequence[float | None]]) -> tuple[Record, ...]:
    """The replicates of a slot's candidates: accuracy by seed, None where training diverged."""
    return tuple(
        record(setting(slot, name), seed, accuracy)
        for name, row in scores.items()
        for seed, accuracy in enumerate(row)
    )


def replication(
    conv: Mapping[str, Sequence[float | None]],
    fc: Mapping[str, Sequence[float | None]] | None = None,
    *,
    others: Sequence[Record] = (),
    overlap: bool = False,
    train_rows: int = 3000,
    evaluation_rows: int = 5000,
    classes: int = 10,
) -> Replication:
    """What a study with these scores hands to the verdict."""
    slots: dict[SlotName, Mapping[str, Sequence[float | None]]] = {"conv": conv}
    if fc is not None:
        slots["fc"] = fc
    return Replication(
        records=(
            *(r for slot, scores in slots.items() for r in replicates(slot, scores)),
            *others,
        ),
        chosen={
            slot: {name: setting(slot, name) if row else None for name, row in scores.items()}
            for slot, scores in slots.items()
        },
        chance=1 / classes,
        train_rows=train_rows,
        evaluation_rows=evaluation_rows,
        rows_overlap=overlap,
    )


def plan(*, data: str = "digits", balanced: bool = False, names: tuple[str, ...] = NAMES) -> Plan:
    """A plan with the published space; `data="mnist"` makes it the published study's."""
    return Plan(
        name="planted",
        data=DataPlan(data, SplitSizes(3000, 2000, 5000, 10_000)),
        network="published_cnn",
        space=Space(names, names, 0.0005, 0.01),
        protocol=CORRECTED,
        trials=128,
        seed=5,
        sampler=BalancedSampler() if balanced else TpeSampler(),
    )


def drawn(
    generator: np.random.Generator,
    means: Mapping[str, float],
    seeds: int,
    paired_spread: float,
    *,
    shared_spread: float = 0.002,
    rows: int | None = 5000,
) -> dict[str, list[float]]:
    """Draw accuracies: a part that a seed gives to all candidates, and a part of their own.

    `paired_spread` is the standard deviation of the difference of two candidates. Accuracies are
    rounded to whole images of `rows`.
    """
    shared = generator.normal(0.0, shared_spread, seeds)
    own = generator.normal(0.0, paired_spread / np.sqrt(2), (len(means), seeds))
    values: NDArray[np.float64] = np.array(list(means.values()))[:, None] + shared + own
    if rows is not None:
        values = np.round(values * rows) / rows
    return {name: row.tolist() for name, row in zip(means, values, strict=True)}
