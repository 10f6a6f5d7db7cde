"""Two activations in a row."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from actlab.capture import ops
from actlab.capture.trace import Call
from actlab.checker.analysis.origins import is_gate, origins

if TYPE_CHECKING:
    from actlab.checker.analysis.step import Subject

_IDEMPOTENT = frozenset({"relu", "relu6", "hardtanh", "threshold", "log_softmax"})
_LEFT_TO_LOSS_RULES = frozenset({"softmax", "softmin", "log_softmax", "gumbel_softmax"})


@dataclass(frozen=True, eq=False)
class Stack:
    """An activation right behind another; `redundant` if one of them changes nothing."""

    first: Call
    second: Call
    redundant: bool


def stacks(subject: "Subject") -> Iterator[Stack]:
    """Yield every activation whose input is another activation's output, gates left out.

    A softmax behind an elementwise activation is left out, too: in an attention (GAT) it is meant,
    in front of a loss ACT103 and ACT108 have it.
    """
    for second in subject.trace.calls:
        if second.op not in ops.ACTIVATIONS or second.function is None or not second.inputs:
            continue
        if subject.border is not None and second.index >= subject.border:
            continue  # the loss's own arithmetic; ACT112 has what is wrong there
        ends = origins(second.inputs[0], ops.VIEWS | ops.DROPOUTS, nudges=False)
        if len(ends) != 1 or ends[0].call is None or ends[0].op not in ops.ACTIVATIONS:
            continue
        first = ends[0].call
        if second.op == "gumbel_softmax":
            continue  # ACT111 has it
        softmax_behind = second.op in _LEFT_TO_LOSS_RULES and first.op not in _LEFT_TO_LOSS_RULES
        if softmax_behind or is_gate(subject.trace, second.output):
            continue
        yield Stack(first, second, _is_redundant(first, second))


def _is_redundant(first: Call, second: Call) -> bool:
    if first.op == second.op and second.op in _IDEMPOTENT:
        return True
    given, result = second.inputs[0], second.output
    readable = given.intact and result.intact and given is not result
    if readable and second.op in ops.RECTIFIERS and torch.equal(given.tensor, result.tensor):
        return True
    if second.op == "relu" and first.inputs[0].intact and result.intact:
        bare = first.inputs[0].tensor.clamp(min=0)
        return bare.shape == result.shape and torch.equal(bare, result.tensor)
    return False
