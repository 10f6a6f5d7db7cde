"""Mixtures of densities in a loss: what their weights are, and whether these sum to one."""

from collections.abc import Iterator
from dataclasses import dataclass

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.losses import lowers_the_loss
from actlab.checker.analysis.origins import HANDED_ON, ancestors, origins
from actlab.checker.analysis.step import Step

_DENSITIES = frozenset({"pow", "square", "abs", "softplus", "logsigmoid"})
"""What the logarithm of a density is written with: a squared distance, or its like."""

_DEEP = 6


@dataclass(frozen=True, eq=False)
class Mixture:
    """A log-sum-exp `call` of log-weights plus log-densities, along dimension `dim` of both."""

    call: Call
    weights: Value
    dim: int


def mixtures(step: Step) -> Iterator[Mixture]:
    """Yield each -logsumexp(weights + log-densities) whose weights a layer or a parameter made."""
    for call in step.trace.calls:
        if call.op != "logsumexp" or not call.inputs or not step.is_live(call.inputs[0]):
            continue
        given, dim = call.inputs[0], call.argument("dim", 1)
        dim = dim[0] if isinstance(dim, (tuple, list)) and len(dim) == 1 else dim
        if not isinstance(dim, int) or given.tensor.ndim < 2:
            continue
        parts = list(_summands(given))
        weights = [part for part in parts if _is_raw(step, part)]
        densities = [part for part in parts if _is_density(step, part)]
        if len(weights) != 1 or not densities or weights[0].shape != given.shape:
            continue
        if lowers_the_loss(call.output, step.trace, step.live):
            yield Mixture(call, weights[0], dim % given.tensor.ndim)


def _summands(value: Value, depth: int = 0) -> Iterator[Value]:
    """Yield the tensors whose sum a value is."""
    call = value.call
    if call is None or call.op != "add" or depth > _DEEP:
        yield value
        return
    for part in call.inputs:
        yield from _summands(part, depth + 1)


def _is_raw(step: Step, value: Value) -> bool:
    """Return whether a value is what a layer or a parameter says, or a log-softmax of it."""
    ends = origins(value, HANDED_ON)
    return bool(ends) and all(
        end.op in ops.AFFINE | {"log_softmax"} or (end.call is None and step.is_live(end.value))
        for end in ends
    )


def _is_density(step: Step, value: Value) -> bool:
    if not step.is_live(value) or _is_raw(step, value):
        return False
    return any(
        call.op in _DENSITIES or "torch/distributions/" in call.origin.replace("\\", "/")
        for call in ancestors(value, stop=ops.AFFINE | ops.ACTIVATIONS)
    )
