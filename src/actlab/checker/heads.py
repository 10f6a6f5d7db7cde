"""What kind of activation a head is, and what it makes of logits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actlab.checker import ops
from actlab.checker.provenance import HANDED_ON, Origin, origins
from actlab.checker.trace import Call, Value

if TYPE_CHECKING:
    from actlab.checker.subject import Subject

POOLING = HANDED_ON | {"avg_pool", "mean", "max_pool", "amax"}

_RECTIFYING = frozenset({"clamp", "maximum", "abs", "exp", "max"})
"""Plain operations that act as a rectifier where they are the last of the model."""

_SLIGHT_SLOPE = 0.1


@dataclass(frozen=True, eq=False)
class Head:
    """An activation that was applied last: its call, and the way from there to the loss."""

    call: Call
    passed: tuple[Call, ...]

    @property
    def name(self) -> str:
        """Return the activation's name; a clamp at zero is a "relu", a two-sided one "hardtanh"."""
        if self.call.op in ("clamp", "maximum", "max"):
            both = self.call.argument("min", 1) is not None and self.call.argument("max", 2)
            return "hardtanh" if both else "relu"
        return self.call.op

    @property
    def pooled(self) -> bool:
        """Return whether several positions are pooled into one between activation and loss."""
        return any(
            call.op in ("avg_pool", "mean", "max_pool", "amax")
            and call.inputs[0].tensor.numel() > call.output.tensor.numel()
            for call in self.passed
        )


def heads_of(subject: "Subject", value: Value, pooling: bool = False) -> tuple[Head, ...]:
    """Return the activations that a prediction ends in; empty unless all of it ends in one."""
    ends: tuple[Origin, ...] = subject.origins(value)
    if pooling:
        ends = origins(value, POOLING)
    live = [end for end in ends if subject.is_live(end.value)]
    if not live or not all(end.call is not None and is_activation(end.call) for end in live):
        return ()
    return tuple(Head(end.call, end.passed) for end in live if end.call is not None)


def is_activation(call: Call) -> bool:
    """Return whether a call is an activation, or a plain operation that acts as one."""
    if call.op in ("clamp", "maximum", "max"):
        return _acts_as_rectifier(call)
    return call.op in ops.ACTIVATIONS or call.op in _RECTIFYING


def _acts_as_rectifier(call: Call) -> bool:
    if call.op == "clamp":
        low = call.argument("min", 1)
        return getattr(call.function, "__name__", "") != "clamp_max" and low is not None
    if len(call.inputs) != 2:
        return False
    constants = [v for v in call.inputs if v.call is None or v.call.op.startswith("zeros")]
    return any(not v.tensor.requires_grad and v.tensor.numel() == 1 for v in constants) or any(
        v.call is not None for v in constants
    )


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
    return head.name in ops.RECTIFIERS or head.name in ("abs", "exp")


def all_heads(subject: "Subject") -> Iterator[Call]:
    """Yield the calls that made what the losses received, or what the model returned."""
    seen: set[int] = set()
    ends = [loss.input for loss in subject.loss_calls] + subject.outputs
    for value in ends:
        for origin in origins(value, HANDED_ON | {"log"}):
            if origin.call is not None and id(origin.call) not in seen:
                seen.add(id(origin.call))
                yield origin.call
