"""A trial: one setting, trained once."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from actlab.records.output import OutputLayer
from actlab.records.plan import FORMAT_VERSION, DataPlan, Precision
from actlab.records.protocol import Protocol
from actlab.records.slot import Init, NetworkHash

Stage = Literal["search", "choose", "confirm", "task"]
"""Why a trial is trained: to find settings, to choose among the found, to compare the chosen; or,
in a run of tasks, to compare output layers."""


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
    """One setting to train once: everything that a worker needs to know.

    `avoided_split` is the seed of a split whose train, valid_epoch and valid_trial rows this trial
    must not touch: replicates avoid those of the search, where enough others are left. `output` is
    the output layer of a run of tasks; without one the network tells the classes apart.
    `init` is what becomes of the network's weights; `network_hash` tells a network of the user's
    from an edited one.
    """

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
    stage: Stage = "search"
    avoided_split: int | None = None
    output: OutputLayer | None = None
    init: Init = "reset"
    network_hash: NetworkHash | None = None

    @property
    def identity(self) -> str:
        """Return the hash that a record of this trial carries: what was asked, not how it ran."""
        asked = {
            "setting": asdict(self.setting),
            "stage": self.stage,
            "replicate": self.replicate,
            "protocol": asdict(self.protocol),
            "precision": self.precision,
            "fingerprint": self.fingerprint,
            "format_version": FORMAT_VERSION,
        }
        if self.output is not None:
            asked["output"] = asdict(self.output)
        if self.network_hash is not None:
            asked |= {"init": self.init, "network": asdict(self.network_hash)}
        elif self.init != "reset":
            asked["init"] = self.init
        canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
