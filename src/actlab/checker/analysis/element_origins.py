"""Which of several origins the elements of a value really come from.

A tensor that was put together with `cat` and then sliced has several origins to a walk that does
not count elements. Here the same views and joins are run again on labels, one number for each
origin, and the labels that arrive are the answer.
"""

from typing import Any

import torch
from torch import Tensor

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.origins import Origin, data_inputs, is_nudge, origins

_SELECTING = frozenset({
    "getitem", "select", "index_select", "gather", "narrow", "chunk", "split", "tensor_split",
    "split_with_sizes", "unbind", "masked_select", "take", "take_along_dim", "unsafe_split",
    "hsplit", "vsplit", "dsplit", "diagonal", "unsafe_chunk", "setitem",
})  # fmt: skip
"""Operations that may leave some of the elements behind."""

_KEPT = frozenset({
    "detach", "to", "type", "type_as", "float", "double", "half", "bfloat16", "cpu", "cuda",
    "requires_grad_", "alias", "contiguous", "clone", "masked_fill",
})  # fmt: skip
_ELEMENTS = 1 << 22


def selects(call: Call) -> bool:
    """Return whether a call may leave some of the elements behind."""
    return call.op in _SELECTING


def true_origins(value: Value) -> tuple[Origin, ...]:
    """Return the origins of a value, without those whose elements were all left behind."""
    found = origins(value)
    if len(found) < 2 or not any(call.op in _SELECTING for o in found for call in o.passed):
        return found
    numbers = {id(origin.value): float(number) for number, origin in enumerate(found)}
    try:
        labels = _Replay(numbers).of(value)
    except Exception:  # a chain that cannot be run again: all origins stay possible
        return found
    present = set(torch.unique(labels).tolist())
    kept = tuple(o for number, o in enumerate(found) if float(number) in present)
    return kept or found


class _Replay:
    def __init__(self, numbers: dict[int, float]) -> None:
        self._numbers = numbers
        self._done: dict[int, Tensor] = {}

    def of(self, value: Value) -> Tensor:
        known = self._done.get(id(value))
        if known is None:
            known = self._derive(value)
            self._done[id(value)] = known
        return known

    def _derive(self, value: Value) -> Tensor:
        number = self._numbers.get(id(value))
        if number is not None:
            if value.tensor.numel() > _ELEMENTS:
                raise ValueError("too large to run again")
            return torch.full(value.shape, number)
        call = value.call
        if call is None:
            raise ValueError("no origin")
        if call.op in _KEPT or call.op in ops.DROPOUTS or is_nudge(call):
            return self.of(call.inputs[0]).reshape(value.shape)
        if call.function is None:
            raise ValueError("the call was not seen")
        return self._run(call, value)

    def _run(self, call: Call, value: Value) -> Tensor:
        data = {id(part) for part in data_inputs(call, value.position)}

        def given(item: Any) -> Any:
            if isinstance(item, Value):
                if id(item) in data:
                    return self.of(item).clone()
                if item.tensor.is_floating_point():  # the other tensors of a broadcast
                    return torch.zeros(item.shape)
                return item.tensor.cpu()
            if isinstance(item, tuple):
                return tuple(given(part) for part in item)
            return item

        assert call.function is not None
        args = tuple(given(item) for item in call.args)
        kwargs = {key: given(item) for key, item in call.kwargs.items()}
        result = call.function(*args, **kwargs)
        if call.op == "setitem":
            result = args[0]
        if isinstance(result, (tuple, list)):
            result = result[value.position]
        if not isinstance(result, Tensor):
            raise TypeError("not a tensor")
        return result
