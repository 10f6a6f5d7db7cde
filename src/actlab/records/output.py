"""An output layer: what a network predicts, through which head, by which loss."""

from dataclasses import dataclass
from typing import Literal

from actlab.records.protocol import Head, ProtocolName

TaskName = Literal["regression", "probability", "binary", "multiclass", "multilabel"]
OutputHead = Literal["none", "relu", "sigmoid", "softmax", "sigmoid_transformed"]
LossName = Literal["mse", "bce", "ce"]
TargetForm = Literal["raw", "standardised"]

_PART_OF_THE_LOSS = {("softmax", "ce"), ("sigmoid", "bce")}
"""Heads that PyTorch's losses on logits have inside."""


@dataclass(frozen=True)
class OutputLayer:
    """A task, the activation of the last layer, the loss, and the form of a regression's target.

    `sigmoid_transformed` is a sigmoid head whose target is the sigmoid of the (raw or
    standardised) target; its prediction is taken back by the logit. `target` is None unless the
    task is regression.
    """

    task: TaskName
    head: OutputHead
    loss: LossName
    target: TargetForm | None = None

    def ending(self, protocol: ProtocolName) -> Head:
        """Return what the network ends in under a protocol.

        `published` has the head in the network and its loss behind that: softmax, then cross
        entropy, which applies softmax again. `corrected` leaves a head that is part of the loss to
        the loss; any other head is kept, since there the head is the fault, not the arithmetic.

        >>> layer = OutputLayer("multiclass", "softmax", "ce")
        >>> layer.ending("published"), layer.ending("corrected")
        ('softmax', 'logits')
        """
        if self.head == "none":
            return "logits"
        if self.head == "sigmoid_transformed":
            return "sigmoid"
        if protocol == "corrected" and (self.head, self.loss) in _PART_OF_THE_LOSS:
            return "logits"
        return self.head


@dataclass(frozen=True)
class OutputSetting:
    """An output layer to be trained under a protocol, behind a hidden linear layer's activation.

    `published` where the author of the published study trained it.
    """

    output: OutputLayer
    protocol: ProtocolName
    fc_activation: str
    published: bool


@dataclass(frozen=True)
class OutputPlan:
    """What a run of tasks trains: every setting on the same `seeds` replicates."""

    settings: tuple[OutputSetting, ...]
    seeds: int


@dataclass(frozen=True)
class TargetScale:
    """How a regression's target is changed for training, and a prediction changed back.

    y' = (y - mean) / deviation, then sigmoid(y') where `sigmoid`; mean and deviation are those of
    the training rows, or 0 and 1 for a raw target.
    """

    mean: float = 0.0
    deviation: float = 1.0
    sigmoid: bool = False
