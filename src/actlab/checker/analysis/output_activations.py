"""What kind of activation a head is, and what it makes of logits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.origins import HANDED_ON, Origin, origins

if TYPE_CHECKING:
    from actlab.checker.analysis.step import Subject

POOLING = HANDED_ON | {"avg_pool", "mean", "max_pool", "amax"}

_RECTIFYING = frozenset({"abs", "exp", "square"})
"""Plain operations that act as a rectifier where they are the last of the model."""

_SQUARE = 2
_SLIGHT_SLOPE = 0.1


@dataclass(frozen=True, eq=False)
class Head:
    """An activation that was applied last: its call, and the way from there to the loss."""

    call: Call
    passed: tuple[Call, ...]

    @property
    def name(self) -> str:
        """Return the activation's name; a clamp at zero is a "relu", a two-sided one "hardtanh"."""
        if self.call.op == "clamp":
            both = self.call.argument("min", 1) is not None and self.call.argument("max", 2)
            return "hardtanh" if both else "relu"
        return "relu" if self.call.op in ("maximum", "max", "where", "mul") else self.call.op

    @property
    def pooled(self) -> bool:
        """Return whether several positions are pooled into one between activation and loss."""
        return any(
            call.op in ("avg_pool", "mean", "max_pool", "amax")
            and call.inputs[0].tensor.numel() > call.output.tensor.numel()
            and not _is_stack(call.inputs[0])
            for call in self.passed
        )


def _is_stack(value: Value) -> bool:
    """Return whether a value is several tensors put together: averaging them is an ensemble."""
    return value.call is not None and value.call.op in ("stack", "cat")


def heads_of(subject: "Subject", value: Value, pooling: bool = False) -> tuple[Head, ...]:
    """Return the activations that a prediction ends in; empty unless all of it ends in one."""
    ends: tuple[Origin, ...] = subject.origins(value)
    if pooling:
        ends = origins(value, POOLING)
    heads = [_head(subject, end) for end in ends if subject.is_live(end.value)]
    return () if None in heads else tuple(head for head in heads if head is not None)


def _head(subject: "Subject", end: Origin) -> Head | None:
    for number, call in enumerate(end.passed):
        if call.op == "where" and is_written_rectifier(subject, call):
            return Head(call, end.passed[:number])
    if end.call is not None and is_activation(subject, end.call):
        return Head(end.call, end.passed)
    return None


def is_activation(subject: "Subject", call: Call) -> bool:
    """Return whether a call is an activation, or a plain operation that acts as one."""
    if call.op == "clamp":
        return getattr(call.function, "__name__", "") != "clamp_max"
    if call.op in ("maximum", "max", "where", "mul"):
        return is_written_rectifier(subject, call)
    if call.op == "pow":
        return bool(call.argument("exponent", 1) == _SQUARE)
    return call.op in ops.ACTIVATIONS or call.op in _RECTIFYING


def is_written_rectifier(subject: "Subject", call: Call) -> bool:
    """Return whether a call is max(x, 0), where(x > 0, x, 0) or x * (x > 0)."""
    if call.op in ("maximum", "max"):
        return any(_is_zero(subject, value) for value in call.inputs) and len(call.inputs) == 2
    if call.op == "where" and len(call.inputs) >= 2:
        condition, kept = call.inputs[:2]
        otherwise = call.argument("other", 2)
        zero = _is_zero(subject, otherwise) if isinstance(otherwise, Value) else otherwise == 0
        return bool(zero) and _is_sign_of(condition, kept)
    if call.op == "mul" and len(call.inputs) == 2:
        first, second = call.inputs
        return _is_sign_of(second, first) or _is_sign_of(first, second)
    return False


def _is_zero(subject: "Subject", value: Value) -> bool:
    reach = subject.range_of(value)
    return reach.low == reach.high == 0.0


def _is_sign_of(condition: Value, value: Value) -> bool:
    """Return whether a value is the answer to `x > 0` for the other value x."""
    ends = origins(condition, HANDED_ON)
    call = ends[0].call if len(ends) == 1 else None
    if call is None or call.op not in ("gt", "ge") or not call.inputs:
        return False
    return call.inputs[0] is value and call.argument("other", 1) in (0, 0.0)


def slope_of(call: Call) -> float | None:
    """Return the slope that a leaky rectifier keeps for negative inputs, None for other kinds."""
    if call.op == "leaky_relu":
        return float(call.argument("negative_slope", 1, 0.01))
    if call.op == "prelu":
        weight = call.argument("weight", 1)
        return float(weight.tensor.detach().mean()) if isinstance(weight, Value) else 0.25
    return 0.23 if call.op == "rrelu" else None


def holds_back_negatives(head: Head) -> bool:
    """Return whether an activation lets next to nothing through below zero."""
    slope = slope_of(head.call)
    if slope is not None:
        return abs(slope) < _SLIGHT_SLOPE
    return head.name in ops.RECTIFIERS | _RECTIFYING | {"pow"}


def all_heads(subject: "Subject") -> Iterator[Call]:
    """Yield the calls that made what the losses received, or what the model returned."""
    seen: set[int] = set()
    for loss in subject.loss_calls:
        if loss.custom and loss.call.op in ("softmax", "log_softmax"):
            seen.add(id(loss.call))
            yield loss.call
    ends = [loss.input for loss in subject.loss_calls] + subject.outputs
    for value in ends:
        for origin in origins(value, HANDED_ON | {"log"}):
            if origin.call is not None and id(origin.call) not in seen:
                seen.add(id(origin.call))
                yield origin.call
