"""What a training minimises, and the figure that decides which epoch is the best."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from actlab.records import METRICS, Head, OutputLayer, StudyMetric, TargetScale


class Loss(Protocol):
    """A loss of outputs against targets: the mean over the rows, or with "sum" their sum."""

    def __call__(self, outputs: Tensor, targets: Tensor, /, *, reduction: str = "mean") -> Tensor:
        """Return the loss, a scalar."""


_KINDS = ("accuracy", "mse", "score")


@dataclass(frozen=True)
class Objective:
    """Loss and metric of a task.

    `loss` takes what the network puts out, `total` sums the metric over the rows of a batch.
    Targets are in their original units: where they are scaled for training, the loss does so.
    `head` turns what the network puts out into what its output layer says (shares, probabilities,
    predictions in the original units). A metric that no sum over rows gives has a `measure` of all
    that the output layer says and all targets; `measured` is its name and direction.
    """

    loss: Loss
    total: Callable[[Tensor, Tensor], float]
    metric: Literal["accuracy", "mse", "score"] = "accuracy"
    head: Callable[[Tensor], Tensor] = lambda outputs: outputs
    measure: Callable[[Tensor, Tensor], float] | None = None
    measured: StudyMetric = METRICS["accuracy"]

    def better(self, found: float, best: float) -> bool:
        """Return whether a metric is strictly better than another: higher, an error lower.

        >>> CLASSIFICATION.better(0.9, 0.9), CLASSIFICATION.better(0.91, 0.9)
        (False, True)
        """
        return found < best if self.metric == "mse" else self.measured.better(found, best)

    def figures(self, found: float) -> dict[str, float | None]:
        """Return a metric on validation images under the name that records give it.

        >>> CLASSIFICATION.figures(0.9)
        {'valid_accuracy': 0.9, 'valid_mse': None, 'valid_score': None}
        """
        return {f"valid_{name}": found if name == self.metric else None for name in _KINDS}


def objective_of(output: OutputLayer, ending: Head, scale: TargetScale) -> Objective:
    """Return the objective of an output layer in a network that ends in `ending`.

    Targets are classes, int64 of shape (N,), or numbers, float32 of shape (N, outputs). Binary
    cross entropy takes classes as one-hot rows, cross entropy takes rows of 0 and 1 as they are;
    accuracy over several yes or no is the share of all answers that are right. The error of a
    regression is in the original units: infinite where an output that float32 rounded to 0 or 1
    would have to be taken back by the logit.

    >>> layer = OutputLayer("regression", "none", "mse", "standardised")
    >>> found = objective_of(layer, "logits", TargetScale(mean=3.0, deviation=2.0))
    >>> found.total(torch.tensor([[0.5]]), torch.tensor([[6.0]]))
    4.0
    """
    if output.loss == "mse":
        back = _Original(scale)
        return Objective(_ScaledError(scale), _SquaredErrors(back), "mse", back)
    loss: Loss = F.cross_entropy
    if output.loss == "bce":
        loss = _binary_on_logits if ending == "logits" else _binary
    head = _completion(output, ending)
    if output.task in {"binary", "multiclass"}:
        return Objective(loss, right_classes, head=head)
    return Objective(loss, _RightAnswers(head), head=head)


def right_classes(outputs: Tensor, labels: Tensor) -> float:
    """Return the number of rows whose highest output is their label's.

    >>> right_classes(torch.eye(3), torch.tensor([0, 1, 0]))
    2.0
    """
    return float((outputs.argmax(dim=1) == labels).sum())


CLASSIFICATION = Objective(F.cross_entropy, right_classes)
"""Cross entropy of the outputs as they are, and accuracy: what a study trains by."""


def _completion(output: OutputLayer, ending: Head) -> Callable[[Tensor], Tensor]:
    """Return the head that the network leaves to the loss."""
    if ending != "logits":
        return _nothing
    return torch.sigmoid if output.head == "sigmoid" else _shares


def _nothing(outputs: Tensor) -> Tensor:
    return outputs


def _shares(outputs: Tensor) -> Tensor:
    return outputs.softmax(dim=1)


def _rows(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return targets as numbers of the shape of `outputs`: classes become one-hot rows."""
    if targets.dtype is torch.int64:
        return F.one_hot(targets, outputs.shape[1]).to(outputs.dtype)
    return targets


def _by_row(loss: Tensor, outputs: Tensor, reduction: str) -> Tensor:
    """Return a sum over all elements as the sum over rows of the mean over columns."""
    return loss / outputs.shape[1] if reduction == "sum" else loss


def _binary(outputs: Tensor, targets: Tensor, *, reduction: str = "mean") -> Tensor:
    rows = _rows(outputs, targets)
    loss = F.binary_cross_entropy(outputs, rows, reduction=reduction)
    return _by_row(loss, outputs, reduction)


def _binary_on_logits(outputs: Tensor, targets: Tensor, *, reduction: str = "mean") -> Tensor:
    rows = _rows(outputs, targets)
    loss = F.binary_cross_entropy_with_logits(outputs, rows, reduction=reduction)
    return _by_row(loss, outputs, reduction)


@dataclass(frozen=True)
class _ScaledError:
    """Mean squared error against the target as the network is trained on it."""

    scale: TargetScale

    def __call__(self, outputs: Tensor, targets: Tensor, *, reduction: str = "mean") -> Tensor:
        scaled = (targets - self.scale.mean) / self.scale.deviation
        if self.scale.sigmoid:
            scaled = scaled.sigmoid()
        return _by_row(F.mse_loss(outputs, scaled, reduction=reduction), outputs, reduction)


@dataclass(frozen=True)
class _Original:
    """Predictions in the original units, in float64."""

    scale: TargetScale

    def __call__(self, outputs: Tensor) -> Tensor:
        values = outputs.double()
        if self.scale.sigmoid:
            values = values.logit()
        return values * self.scale.deviation + self.scale.mean


@dataclass(frozen=True)
class _SquaredErrors:
    """Squared errors in the original units: the mean over the columns, summed over the rows."""

    back: _Original

    def __call__(self, outputs: Tensor, targets: Tensor) -> float:
        return float((self.back(outputs) - targets).square().mean(dim=1).sum())


@dataclass(frozen=True)
class _RightAnswers:
    """Rounded answers that match: the share over the columns, summed over the rows."""

    head: Callable[[Tensor], Tensor]

    def __call__(self, outputs: Tensor, targets: Tensor) -> float:
        matches = self.head(outputs).round() == targets.round()
        return float(matches.double().mean(dim=1).sum())
