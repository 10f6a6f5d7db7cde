"""Where a value came from: walking back over the recorded calls.

What a walk passes is chosen by the caller: views only hand elements on; joins put several tensors
together; dropout, clamping and a small constant added change numbers a little, and mean nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from actlab.capture import ops
from actlab.capture.trace import Call, Trace, Value

_LIMIT = 4000
"""How many values one walk may visit: on a huge graph it ends unanswered, not in minutes."""

_MIXING = ops.PRODUCTS | {
    "mul", "add", "sub", "rsub", "sum", "mean", "lerp", "div", "rdiv", "reciprocal", "addcmul",
}  # fmt: skip
"""Operations by which several predictions are mixed, and by which activations are written out."""

_SCALING = frozenset({"mul", "div", "add", "sub", "rsub", "neg", "mean", "sum"})
"""Operations that, with a tensor and numbers, stretch and shift it, or average over it."""

_REORDERING = frozenset({
    "movedim", "reshape", "reshape_as", "view", "view_as", "as_strided", "rot90", "gather", "take",
    "unfold",
})  # fmt: skip
"""Views after which a dimension need not be what it was, though there are as many."""

_NEAR = 60
"""How many calls a walk through sums and gates may visit: what it looks for is near the loss."""

HANDED_ON = ops.VIEWS | ops.JOINS | ops.DROPOUTS
"""Operations after which a tensor is still what it was, elsewhere or with parts missing."""

_ONE_TENSOR = ops.VIEWS | ops.DROPOUTS | ops.NORMS
"""Operations whose output has the elements of their first input; the others are parameters."""

_TINY = 1e-2

_ALREADY_CONFINED = (
    ops.BOUNDED | ops.NORMALISERS | {"exp", "div", "cosine_similarity", "rsub", "sub"}
)
"""Operations behind which a clamp guards against rounding, and is no activation of its own."""


@dataclass(frozen=True, eq=False)
class Origin:
    """An end of a walk: the value, and the calls that were passed to reach it, the last one first.

    The value was made by `value.call`, or the step was given it (`call` is None).
    """

    value: Value
    passed: tuple[Call, ...] = ()

    @property
    def call(self) -> Call | None:
        """Return the call that made the value."""
        return self.value.call

    @property
    def op(self) -> str:
        """Return the name of that operation, "" for what the step was given."""
        return self.value.call.op if self.value.call is not None else ""


def origins(
    value: Value, passing: frozenset[str] = HANDED_ON, nudges: bool = True
) -> tuple[Origin, ...]:
    """Return the values that `value` was made of by passing on, each once.

    The walk goes through the operations in `passing` and, with `nudges`, through a tiny constant
    that is added, a clamp that guards against rounding, and a multiplication with one.
    """
    found: list[Origin] = []
    seen: set[int] = set()
    pending: list[tuple[Value, tuple[Call, ...]]] = [(value, ())]
    while pending and len(seen) < _LIMIT:
        current, path = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        call = current.call
        if call is None or not (call.op in passing or (nudges and is_nudge(call))):
            found.append(Origin(current, path))
            continue
        parts = data_inputs(call, current.position)
        if not parts:
            found.append(Origin(current, path))
        pending.extend((part, (*path, call)) for part in reversed(parts))
    return tuple(found)


def data_inputs(call: Call, position: int = 0) -> tuple[Value, ...]:
    """Return the inputs whose elements are in an output, leaving out indices and masks."""
    if call.op in ("broadcast_tensors", "meshgrid"):
        return call.inputs[position : position + 1]
    if call.op in _ONE_TENSOR or is_nudge(call):
        return call.inputs[:1]
    if call.op == "setitem":
        parts = (call.args[0], call.args[-1])
        return tuple(part for part in parts if isinstance(part, Value))
    floating = [value for value in call.inputs if value.tensor.is_floating_point()]
    return tuple(floating) or call.inputs[:1]


def is_nudge(call: Call) -> bool:
    """Return whether a call changes its input by next to nothing: clamping, or adding epsilon."""
    if call.op == "clamp":
        source = call.inputs[0].call
        return source is not None and source.op in _ALREADY_CONFINED
    if call.op in ("add", "sub") and len(call.inputs) == 1:
        other = call.argument("other", 1)
        return isinstance(other, (int, float)) and abs(other) < _TINY
    return is_identity(call)


def is_identity(call: Call) -> bool:
    """Return whether a call hands on what it is given: times one, or a leaky ReLU of slope one."""
    if call.op in ("mul", "div") and len(call.inputs) == 1:
        return bool(call.argument("other", 1) == 1)
    return call.op == "leaky_relu" and call.argument("negative_slope", 1, 0.01) == 1


def is_written_relu(call: Call) -> bool:
    """Return whether a call is a clamp at zero from below that is an activation of its own."""
    if call.op != "clamp" or not call.inputs or is_nudge(call):
        return False
    one_sided = getattr(call.function, "__name__", "").startswith("clamp_max")
    return not one_sided and call.argument("min", 1) == 0 and call.argument("max", 2) is None


def axis_before(dim: int, passed: Sequence[Call]) -> int | None:
    """Return which dimension of an origin is dimension `dim` behind the calls that were passed.

    `passed` are the calls from the value back to the origin, as `Origin.passed` has them. None
    where a view does not keep dimensions apart.
    """
    for call in passed:
        known = _axis_before(dim, call)
        if known is None:
            return None
        dim = known
    return dim


def _axis_before(dim: int, call: Call) -> int | None:
    before, after = call.inputs[0].shape, call.output.shape
    numbers = [item for item in (*call.args[1:], *call.kwargs.values()) if isinstance(item, int)]
    if call.op in ("transpose", "t", "T"):
        first, second = numbers if len(numbers) == 2 else (-2, -1)
        pair = (first % len(after), second % len(after))
        return pair[1] if dim == pair[0] else pair[0] if dim == pair[1] else dim
    if call.op == "permute":
        given = (*call.args, *call.kwargs.values())
        order = next((item for item in given if isinstance(item, tuple)), tuple(numbers))
        return int(order[dim]) % len(after) if len(order) == len(after) else None
    if call.op in ("squeeze", "unsqueeze"):
        axis = call.argument("dim", 1)
        if not isinstance(axis, int):
            return dim if before == after else None
        if call.op == "unsqueeze":
            axis %= len(after)
            return None if dim == axis else dim - (dim > axis)
        axis %= len(before)
        return dim if before == after else dim + (dim >= axis)
    if call.op in ops.JOINS and any(
        part.tensor.ndim not in (0, len(after)) for part in data_inputs(call)
    ):
        return None  # a row that is written into a table
    if call.op == "getitem" and _inserts(call.argument("index", 1, ...)):
        return None
    return dim if len(before) == len(after) and call.op not in _REORDERING else None


def _inserts(index: Any) -> bool:
    """Return whether an index puts new dimensions between the others: None, or a table of rows."""
    items = index if isinstance(index, tuple) else (index,)
    return any(item is None or (isinstance(item, Value) and item.tensor.ndim > 1) for item in items)


def unscaled(origin: Origin) -> Origin:
    """Return where an origin came from before it was multiplied with numbers and shifted by them.

    What takes every value still does so afterwards.
    """
    for _step in range(_NEAR):
        call = origin.call
        if call is None or call.op not in _SCALING or len(call.inputs) != 1:
            break
        ends = origins(call.inputs[0])
        if len(ends) != 1:
            break
        origin = Origin(ends[0].value, (*origin.passed, call, *ends[0].passed))
    return origin


def nudged(origin: Origin) -> bool:
    """Return whether an epsilon or a clamp lies between the origin and the value."""
    return any(is_nudge(call) for call in origin.passed)


def makers(value: Value) -> list[Call]:
    """Return the calls that made what `value` hands on."""
    return [origin.call for origin in origins(value) if origin.call is not None]


def ancestors(value: Value, stop: frozenset[str] = frozenset()) -> Iterator[Call]:
    """Yield every call that `value` depends on, the nearest first, not beyond those in `stop`."""
    seen: set[int] = set()
    pending = [value]
    while pending and len(seen) < 50 * _LIMIT:
        call = pending.pop(0).call
        if call is None or id(call) in seen:
            continue
        seen.add(id(call))
        yield call
        if call.op not in stop:
            pending.extend(call.inputs)


def made_with(value: Value, wanted: frozenset[str], size: int | None = None) -> Call | None:
    """Return a call of `wanted` that reaches `value` through sums, gates and passing on only.

    So the mixture of several experts' probabilities is still made with "softmax". Of several calls
    one whose last dimension has `size` elements comes first: the experts, not their gates.
    """
    passing = HANDED_ON | _MIXING
    found: list[Call] = []
    pending = [value]
    seen: set[int] = set()
    while pending and len(seen) < _NEAR:
        call = pending.pop(0).call
        if call is None or id(call) in seen:
            continue
        seen.add(id(call))
        if call.op in wanted:
            found.append(call)
        elif call.op in passing or is_nudge(call):
            pending.extend(call.inputs)
    fitting = [c for c in found if c.output.tensor.ndim and c.output.shape[-1] == size]
    return next(iter((*fitting, *found)), None)


def is_gate(trace: Trace, value: Value) -> bool:
    """Return whether `value` is only ever multiplied with another tensor."""
    found = list(uses(trace, value))
    return bool(found) and all(_is_product_with_other(call, given) for call, given in found)


def uses(trace: Trace, value: Value, depth: int = 0) -> Iterator[tuple[Call, Value]]:
    """Yield the calls that read `value`, looking through what only hands it on."""
    for call in trace.users_of(value):
        if (call.op in HANDED_ON or is_identity(call)) and depth < 20:
            for output in call.outputs:
                yield from uses(trace, output, depth + 1)
        elif call.op in ("rsub", "sub") and len(call.inputs) == 1 and depth < 20:
            yield from uses(trace, call.output, depth + 1)  # 1 - z, the other half of a gate
        else:
            yield call, value


def _is_product_with_other(call: Call, given: Value) -> bool:
    if call.op in ("mul", "addcmul", "lerp", *ops.PRODUCTS):
        return any(other is not given for other in call.inputs)
    return call.op in ops.ATTENTION


def unit_dim(call: Call) -> int:
    """Return the dimension of an activation's output that counts units: channels, or features."""
    ndim = call.output.tensor.ndim
    if ndim <= 2:
        return ndim - 1
    norms = ops.NORMS - {"batch_norm"}
    passing = ops.DROPOUTS | norms | ops.POOLS | {"alias", "contiguous", "clone"}
    source = origins(call.inputs[0], passing)
    if any(origin.op in ("conv", "conv_transpose", "batch_norm") for origin in source):
        return 1
    return 1 if ndim >= 4 and not any(origin.op == "linear" for origin in source) else ndim - 1


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
        labels = _ElementOrigins(numbers).of(value)
    except Exception:  # a chain that cannot be run again: all origins stay possible
        return found
    present = set(torch.unique(labels).tolist())
    kept = tuple(o for number, o in enumerate(found) if float(number) in present)
    return kept or found


class _ElementOrigins:
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
