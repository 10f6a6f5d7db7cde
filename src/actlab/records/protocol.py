"""How one network is trained and scored."""

from dataclasses import dataclass
from typing import Literal

Head = Literal["softmax", "logits", "sigmoid", "relu"]
"""What a network ends in: an activation, or none (logits)."""

ProtocolName = Literal["published", "corrected"]


@dataclass(frozen=True)
class Protocol:
    """How one network is trained and scored.

    In a study the head is `softmax` (the published one: cross entropy then applies softmax a
    second time) or `logits`, and the loss is cross entropy; a run of tasks has the head that its
    output layer asks for. The optimiser is AdamW.
    """

    name: ProtocolName
    head: Head
    batch_size: int = 32
    weight_decay: float = 0.01
    patience: int = 5
    max_epochs: int | None = None
