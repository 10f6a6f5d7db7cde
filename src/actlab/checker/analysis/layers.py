"""Chains of layers with weights: what lies between one and the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.origins import Origin, origins, uses

if TYPE_CHECKING:
    from actlab.checker.analysis.step import Subject

_AVERAGING = frozenset({"batch_norm", "avg_pool", "interpolate", "mean"})
_BETWEEN = ops.VIEWS | ops.DROPOUTS | {"cat", "stack"} | _AVERAGING
"""Operations that are affine themselves, or nearly: nothing that would part two layers."""


@dataclass(frozen=True, eq=False)
class Weighted:
    """One run of a layer with weights, with its numbers of input and output features."""

    call: Call
    weight: Value
    data: Value
    inputs: int
    outputs: int
    depthwise: bool


@dataclass(frozen=True, eq=False)
class Pair:
    """A layer whose input comes from others without a nonlinearity in between."""

    before: tuple[Weighted, ...]
    after: Weighted
    passed: tuple[Call, ...]


def weighted(call: Call) -> Weighted | None:
    """Return a call as a layer with weights; None where it is none.

    A product counts if exactly one operand is a parameter.
    """
    if call.function is None or not call.outputs:
        return None
    if call.op in ("linear", "conv", "conv_transpose") and len(call.inputs) >= 2:
        return _of_layer(call)
    if call.op == "addmm" and len(call.inputs) == 3:
        return _of_product(call, call.inputs[1], call.inputs[2])
    if call.op in ("matmul", "rmatmul") and len(call.inputs) == 2:
        return _of_product(call, *call.inputs)
    if call.op == "einsum" and len(call.inputs) == 2:
        return _of_product(call, *call.inputs)
    return None


def _of_layer(call: Call) -> Weighted:
    data, weight = call.inputs[0], call.inputs[1]
    shape = weight.shape
    groups = 1
    if call.op != "linear":
        given = call.argument("groups", 6, 1)
        groups = given if isinstance(given, int) else 1
    if call.op == "conv_transpose":
        inputs, outputs = shape[0], shape[1] * groups
    else:
        inputs, outputs = (shape[1] if len(shape) > 1 else 1) * groups, shape[0]
    return Weighted(call, weight, data, inputs, outputs, groups > 1 and groups == inputs)


def _of_product(call: Call, first: Value, second: Value) -> Weighted | None:
    learnt = [is_parameter(first), is_parameter(second)]
    if sum(learnt) != 1:
        return None
    weight, data = (first, second) if learnt[0] else (second, first)
    if weight.tensor.ndim < 2 or data.tensor.ndim < 1:
        return None
    inputs = data.shape[-1]
    return Weighted(call, weight, data, inputs, call.output.shape[-1], depthwise=False)


def is_parameter(value: Value) -> bool:
    """Return whether a value is a learnable tensor as it is, or a view of one."""
    ends = origins(value, ops.VIEWS, nudges=False)
    return len(ends) == 1 and ends[0].call is None and ends[0].value.tensor.requires_grad


def pairs(subject: "Subject") -> Iterator[Pair]:
    """Yield every layer that follows other layers, all of its input, with nothing in between."""
    known = {id(layer.call): layer for call in subject.trace.calls if (layer := weighted(call))}
    for layer in known.values():
        ends = [end for end in origins(layer.data, _BETWEEN) if subject.is_live(end.value)]
        before = [known.get(id(end.call)) for end in ends]
        if not ends or any(b is None or b is layer for b in before):
            continue
        if any(is_source(end) for end in origins(layer.data, _BETWEEN)):
            continue
        if all(_only_feeds_layers(subject, end.value, known) for end in ends):
            passed = tuple(call for end in ends for call in end.passed)
            yield Pair(tuple(b for b in before if b is not None), layer, passed)


def is_source(end: Origin) -> bool:
    """Return whether a walk ended at something that the step was given, or at an input."""
    return end.call is None


def _only_feeds_layers(
    subject: "Subject", value: Value, known: dict[int, Weighted], depth: int = 0
) -> bool:
    """Return whether a layer's output is used by other layers alone: by no skip, by no gate."""
    for call, _given in uses(subject.trace, value):
        if id(call) in known:
            continue
        passes = call.op in _AVERAGING and depth < 10
        if not passes or not _only_feeds_layers(subject, call.output, known, depth + 1):
            return False
    return True
