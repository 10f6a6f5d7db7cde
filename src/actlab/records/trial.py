"""A trial: one setting, trained once."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from actlab.records.output import OutputLayer
from actlab.records.plan import FORMAT_VERSION, DataPlan, Precision
from actlab.records.protocol import Protocol
from actlab.records.slot import Init, NetworkHash, SlotName
from actlab.records.training_plan import USUAL_TRAINING, TrainingPlan

Stage = Literal["search", "choose", "confirm", "task"]
"""Why a trial is trained: to find settings, to choose among the found, to compare the chosen; or,
in a run of tasks, to compare output layers."""


@dataclass(frozen=True)
class Setting:
    """One point of the space; an activation is None where the study has no such slot.

    `slots` are the activations of further slots, by name.
    """

    conv_activation: str | None
    fc_activation: str | None
    learning_rate: float
    slots: tuple[tuple[SlotName, str], ...] = ()

    @classmethod
    def of(cls, activations: Mapping[SlotName, str], learning_rate: float) -> "Setting":
        """Return the setting with these activations by slot.

        >>> Setting.of({"fc": "relu", "head": "tanh"}, 0.001).slots
        (('head', 'tanh'),)
        """
        further = tuple((s, name) for s, name in activations.items() if s not in ("conv", "fc"))
        return cls(activations.get("conv"), activations.get("fc"), learning_rate, further)

    @property
    def activations(self) -> dict[SlotName, str]:
        """Return the activation in every slot of the study.

        >>> Setting(None, "tanh", 0.001).activations
        {'fc': 'tanh'}
        """
        usual = {"conv": self.conv_activation, "fc": self.fc_activation}
        return {slot: name for slot, name in usual.items() if name is not None} | dict(self.slots)

    def activation_in(self, slot: SlotName) -> str | None:
        """Return the activation in a slot, None where the study has no such slot.

        >>> Setting(None, "tanh", 0.001).activation_in("fc")
        'tanh'
        """
        if slot == "conv":
            return self.conv_activation
        if slot == "fc":
            return self.fc_activation
        return next((name for further, name in self.slots if further == slot), None)

    @property
    def parameters(self) -> dict[str, str | float]:
        """Return activations and rate as a search knows them: `fc_activation`, `learning_rate`.

        >>> Setting(None, "tanh", 0.001).parameters
        {'fc_activation': 'tanh', 'learning_rate': 0.001}
        """
        found: dict[str, str | float] = {
            f"{slot}_activation": name for slot, name in self.activations.items()
        }
        return found | {"learning_rate": self.learning_rate}

    def document(self) -> dict[str, Any]:
        """Return the values by name; further slots only where there are some."""
        found = asdict(self)
        del found["slots"]
        return found | {"slots": dict(self.slots)} if self.slots else found


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
    from an edited one. `training` is what is trained for, and with.
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
    training: TrainingPlan = USUAL_TRAINING

    @property
    def identity(self) -> str:
        """Return the hash that a record of this trial carries: what was asked, not how it ran."""
        asked = {
            "setting": self.setting.document(),
            "stage": self.stage,
            "replicate": self.replicate,
            "protocol": asdict(self.protocol),
            "precision": self.precision,
            "fingerprint": self.fingerprint,
            "format_version": FORMAT_VERSION,
        }
        if self.output is not None:
            asked["output"] = asdict(self.output)
        if self.training != USUAL_TRAINING:
            asked["training"] = asdict(self.training)
        if self.network_hash is not None:
            asked |= {"init": self.init, "network": asdict(self.network_hash)}
        elif self.init != "reset":
            asked["init"] = self.init
        canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
