"""The class scores of a step: what softmax or sigmoid is applied to on the way into a loss."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.origins import HANDED_ON, origins, selects
from actlab.checker.analysis.step import Step
from actlab.checker.analysis.value_ranges import is_normalised

_WITH_LOG = HANDED_ON | {"log"}
_SOFTMAX_LOSSES = frozenset({"cross_entropy", "categorical_logits", "multi_margin_loss"})
_SIGMOID_LOSSES = frozenset({"bce_logits", "multilabel_soft_margin_loss", "soft_margin_loss"})
_READS_PROBABILITIES = frozenset(
    {"nll_loss", "kl_div", "bce", "categorical_probs", "ctc_loss", "cross_entropy", "likelihood"}
)


@dataclass(frozen=True, eq=False)
class Logits:
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


def logits_of(step: Step) -> Iterator[Logits]:
    """Yield the scores of every loss call, each value once for each consumer."""
    seen: set[tuple[int, int]] = set()
    for loss in step.loss_calls:
        for scores in _of_loss(loss):
            key = (id(scores.value), id(scores.consumer))
            if key not in seen:
                seen.add(key)
                yield scores


def _of_loss(loss: LossCall) -> Iterator[Logits]:
    if loss.kind in _SOFTMAX_LOSSES:
        yield Logits(loss.input, "softmax", loss, loss.call, loss.class_dim)
    elif loss.kind in _SIGMOID_LOSSES:
        yield Logits(loss.input, "sigmoid", loss, loss.call, loss.class_dim)
    if loss.kind not in _READS_PROBABILITIES:
        return
    for origin in origins(loss.input, _WITH_LOG):
        call = origin.call
        if call is None or not call.inputs:
            continue
        given = written_sigmoid(call)
        if given is not None:
            yield Logits(given, "sigmoid", loss, call, max(given.tensor.ndim - 1, 0))
            continue
        given = call.inputs[0]
        if call.op in ("softmax", "log_softmax"):
            yield Logits(given, "softmax", loss, call, softmax_dim(call))
        elif call.op in ("sigmoid", "logsigmoid"):
            yield Logits(given, "sigmoid", loss, call, max(given.tensor.ndim - 1, 0))


def written_sigmoid(call: Call) -> Value | None:
    """Return x where a call is the last of 1 / (1 + exp(-x)), None for anything else."""
    below = call.inputs[-1].call if call.op in ("rdiv", "reciprocal") else None
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


_SCALED = HANDED_ON | {"mul", "div", "add", "sub", "neg"}
_DISTANCES = frozenset({"cdist", "cosine_similarity", "pairwise_distance"})


def compares_samples(value: Value) -> bool:
    """Return whether a value is a square of products or distances between two sets of samples."""
    if value.tensor.ndim != 2 or value.shape[0] != value.shape[1]:
        return False
    return any(
        end.op == "cdist"
        or (
            end.op in ops.PRODUCTS
            and end.call is not None
            and all(_is_of_samples(part) for part in end.call.inputs)
        )
        for end in origins(value, _SCALED)
    )


def _is_of_samples(value: Value) -> bool:
    """Return whether a value was computed, or looked up, and is no matrix of weights in a view."""
    return value.call is not None and any(
        end.call is not None
        or not end.value.tensor.requires_grad
        or any(selects(call) for call in end.passed)
        for end in origins(value, ops.VIEWS, nudges=False)
    )


def is_similarity(value: Value) -> bool:
    """Return whether a value is distances, or products of samples or of normalised features.

    Their size is chosen by a temperature, not by the weights of a head.
    """
    if compares_samples(value):
        return True
    return any(
        end.op in _DISTANCES
        or (
            end.call is not None
            and end.op in ops.PRODUCTS | ops.AFFINE
            and any(is_normalised(part, scaled=True) for part in end.call.inputs[:2])
        )
        for end in origins(value, _SCALED | {"pow", "square", "clamp", "cos", "acos", "arccos"})
    )


def cross_entropy_floor(classes: int, width: float = 1.0) -> float:
    """Return the least cross entropy of scores that differ by at most `width`.

    ln(1 + (C - 1) exp(-width)): the right class at the top of the range, all others at its bottom.

    >>> round(cross_entropy_floor(10), 3)
    1.461
    """
    return math.log1p((classes - 1) * math.exp(-width))


def greatest_probability(classes: int, width: float = 1.0) -> float:
    """Return the greatest probability that softmax gives a class, scores at most `width` apart.

    >>> round(greatest_probability(10), 3)
    0.232
    """
    return 1.0 / (1.0 + (classes - 1) * math.exp(-width))


def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x)).

    >>> sigmoid(1.0) > 0.731
    True
    """
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))


def softplus(x: float) -> float:
    """Return ln(1 + exp(x)), the loss of a score -x for yes.

    >>> round(softplus(0.0), 3)
    0.693
    """
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
