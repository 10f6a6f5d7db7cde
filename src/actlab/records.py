"""The values that the layers hand each other: frozen, plain, without torch.

A plan is a study as a value, a trial is one setting trained once, a record is what came out of it.
Accuracies are fractions, times are seconds, a loss that was not a finite number is None.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

FORMAT_VERSION = 1
"""Version of the records and of the run folder. History: 1, the first (2026-11)."""

Head = Literal["softmax", "logits"]
ProtocolName = Literal["published", "corrected"]
Precision = Literal["fp32", "bf16"]


class Outcome(StrEnum):
    """How a trial ended; every outcome stays in the tables and in the denominator.

    `paused` is between two segments of a training: it is never written to a run folder.
    """

    COMPLETED = "completed"
    DIVERGED = "diverged"
    PRUNED = "pruned"
    FAILED = "failed"
    PAUSED = "paused"


@dataclass(frozen=True)
class SplitSizes:
    """Numbers of images in the named splits.

    `train`, `valid_epoch` and `valid_trial` are drawn without overlap from the training pool of a
    data set, `test` from its test pool.
    """

    train: int
    valid_epoch: int
    valid_trial: int
    test: int


@dataclass(frozen=True)
class DataPlan:
    """Which data set, from which folder (None: wherever it is found), in which splits."""

    name: str
    splits: SplitSizes
    directory: str | None = None


@dataclass(frozen=True)
class Space:
    """What a study chooses from: activations for two slots, a log-uniform learning rate."""

    conv_activation: tuple[str, ...]
    fc_activation: tuple[str, ...]
    learning_rate_low: float
    learning_rate_high: float


@dataclass(frozen=True)
class Protocol:
    """How one network is trained and scored.

    The head is what the network ends in: `softmax` (the published study: cross entropy then
    applies softmax a second time) or `logits`. The loss is cross entropy, the optimiser AdamW.
    """

    name: ProtocolName
    head: Head
    batch_size: int = 32
    weight_decay: float = 0.01
    patience: int = 5
    max_epochs: int | None = None


@dataclass(frozen=True)
class Sampler:
    """Every option of the search's sampler; nothing is left to a library's defaults.

    `start` is how the first trials are chosen: `random` (as published) or `each_candidate`, in
    which every activation of every slot has at least one trial.
    """

    name: Literal["tpe"] = "tpe"
    startup_trials: int = 10
    candidates: int = 24
    multivariate: bool = False
    constant_liar: bool = False
    start: Literal["random", "each_candidate"] = "random"


@dataclass(frozen=True)
class Execution:
    """Where and how trials run; none of it changes what a record means, except `precision`."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    workers: int | None = None
    trial_timeout: float = 3600.0


@dataclass(frozen=True)
class Plan:
    """A study as a value."""

    name: str
    data: DataPlan
    network: str
    space: Space
    protocol: Protocol
    trials: int
    seed: int
    sampler: Sampler = field(default_factory=Sampler)
    execution: Execution = field(default_factory=Execution)
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True)
class Setting:
    """One point of the space."""

    conv_activation: str
    fc_activation: str
    learning_rate: float


@dataclass(frozen=True)
class Seeds:
    """Where the randomness of one training comes from; never from the setting."""

    split: int
    weights: int
    order: int

    @classmethod
    def of_search(cls, plan_seed: int) -> "Seeds":
        """Return the seeds of every search trial: the plan's own."""
        return cls(split=plan_seed, weights=plan_seed, order=plan_seed)


@dataclass(frozen=True)
class Trial:
    """One setting to train once: everything that a worker needs to know."""

    number: int
    setting: Setting
    protocol: Protocol
    network: str
    data: DataPlan
    fingerprint: str
    seeds: Seeds
    precision: Precision
    device: Literal["cpu", "cuda"] = "cpu"
    replicate: int | None = None

    @property
    def identity(self) -> str:
        """Return the hash that a record of this trial carries: what was asked, not how it ran."""
        asked = {
            "setting": asdict(self.setting),
            "replicate": self.replicate,
            "protocol": asdict(self.protocol),
            "precision": self.precision,
            "fingerprint": self.fingerprint,
            "format_version": FORMAT_VERSION,
        }
        canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class Epoch:
    """One epoch of a training: mean training loss, then loss and accuracy on valid_epoch."""

    train_loss: float | None
    valid_loss: float | None
    valid_accuracy: float
    seconds: float


@dataclass(frozen=True)
class Record:
    """What came out of one trial.

    `epochs` counts those trained, `best_epoch` (from 1) is the one whose weights are the result
    (None where none was finished). `valid_accuracy` is on valid_trial, None unless the trial
    completed. `reason` is a sentence where the outcome is not `completed`.
    """

    identity: str
    number: int
    setting: Setting
    replicate: int | None
    seeds: Seeds
    protocol: Protocol
    precision: Precision
    fingerprint: str
    outcome: Outcome
    reason: str | None
    valid_accuracy: float | None
    epochs: int
    best_epoch: int | None
    curve: tuple[Epoch, ...]
    seconds: float
    code_version: str
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True)
class LayerRow:
    """One row of a network's layer table; multiply-adds are for the whole batch."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class NetworkSummary:
    """The layer table of a network, and its totals."""

    layers: tuple[LayerRow, ...]
    parameters: int
    multiply_adds: int
    batch_size: int


@dataclass(frozen=True)
class Environment:
    """Where a study ran: versions, machine, data and the command that started it."""

    versions: dict[str, str]
    machine: dict[str, Any]
    fingerprint: str
    class_counts: dict[str, tuple[int, ...]]
    network: NetworkSummary
    precision: Precision
    device: str
    command: str
    started: str
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True)
class FinalFigure:
    """The test accuracy of one trial's model, read once, after the choice was made."""

    number: int
    identity: str
    test_accuracy: float
    test_images: int
    format_version: int = FORMAT_VERSION


def best_record(records: tuple[Record, ...]) -> Record | None:
    """Return the completed record with the highest valid (trial) accuracy, the earliest of equals.

    >>> best_record(()) is None
    True
    """
    completed = [record for record in records if record.valid_accuracy is not None]
    if not completed:
        return None
    return min(completed, key=lambda record: (-(record.valid_accuracy or 0.0), record.number))
