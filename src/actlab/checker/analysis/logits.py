"""The class scores of a step: what softmax or sigmoid is applied to on the way into a loss."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from actlab.capture.trace import Call, Value
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.origins import HANDED_ON, origins

if TYPE_CHECKING:
    from actlab.checker.analysis.step import Subject

_WITH_LOG = HANDED_ON | {"log"}
_SOFTMAX_LOSSES = frozenset({"cross_entropy", "categorical_logits", "multi_margin_loss"})
_SIGMOID_LOSSES = frozenset({"bce_logits", "multilabel_soft_margin_loss", "soft_margin_loss"})
_READS_PROBABILITIES = frozenset(
    {"nll_loss", "kl_div", "bce", "categorical_probs", "ctc_loss", "cross_entropy"}
)


@dataclass(frozen=True, eq=False)
class Scores:
    """A value that is taken for scores: by `normaliser`, on behalf of the loss call `loss`.

    `consumer` is the call that applies softmax or sigmoid: the loss itself, or one on its way.
    """

    value: Value
    normaliser: Literal["softmax", "sigmoid"]
    loss: LossCall
    consumer: Call
    dim: int

    @property
    def classes(self) -> int:
        """Return the number of classes."""
        return self.value.shape[self.dim] if self.value.tensor.ndim else 1


def scores_of(subject: "Subject") -> Iterator[Scores]:
    """Yield the scores of every loss call, each value once for each consumer."""
    seen: set[tuple[int, int]] = set()
    for loss in subject.loss_calls:
        for scores in _of_loss(loss):
            key = (id(scores.value), id(scores.consumer))
            if key not in seen:
                seen.add(key)
                yield scores


def _of_loss(loss: LossCall) -> Iterator[Scores]:
    if loss.kind in _SOFTMAX_LOSSES:
        yield Scores(loss.input, "softmax", loss, loss.call, loss.class_dim)
    elif loss.kind in _SIGMOID_LOSSES:
        yield Scores(loss.input, "sigmoid", loss, loss.call, loss.class_dim)
    if loss.kind not in _READS_PROBABILITIES:
        return
    for origin in origins(loss.input, _WITH_LOG):
        call = origin.call
        if call is None or not call.inputs:
            continue
        given = written_sigmoid(call)
        if given is not None:
            yield Scores(given, "sigmoid", loss, call, max(given.tensor.ndim - 1, 0))
            continue
        given = call.inputs[0]
        if call.op in ("softmax", "log_softmax"):
            yield Scores(given, "softmax", loss, call, softmax_dim(call))
        elif call.op in ("sigmoid", "logsigmoid"):
            yield Scores(given, "sigmoid", loss, call, max(given.tensor.ndim - 1, 0))


def written_sigmoid(call: Call) -> Value | None:
    """Return x where a call is the last of 1 / (1 + exp(-x)), None for anything else."""
    below = call.inputs[-1].call if call.op in ("rdiv", "reciprocal", "div") else None
    if below is None or below.op != "add" or len(below.inputs) != 1:
        return None
    power = below.inputs[0].call
    if 1 not in (*below.args, *below.kwargs.values()) or power is None or power.op != "exp":
        return None
    negative = power.inputs[0].call
    if negative is None or negative.op != "neg":
        return None
    return negative.inputs[0] if _is_one_over(call) else None


def _is_one_over(call: Call) -> bool:
    if call.op == "reciprocal":
        return True
    return any(item == 1 for item in call.args if isinstance(item, (int, float)))


def softmax_dim(call: Call) -> int:
    """Return the dimension that a softmax normalises, counted from the front.

    Without `dim`, torch takes 0 for tensors of 0, 1 or 3 dimensions and 1 for others.
    """
    ndim = call.inputs[0].tensor.ndim
    position, default = (1, None) if call.op != "gumbel_softmax" else (4, -1)
    dim = call.argument("dim", position, default)
    if not isinstance(dim, int):
        dim = 0 if ndim in (0, 1, 3) else 1
    return dim % max(ndim, 1)
