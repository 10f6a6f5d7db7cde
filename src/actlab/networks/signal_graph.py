"""What the values of one forward pass come from, and what becomes of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from actlab.capture import ops
from actlab.capture.trace import Call, Trace, Value
from actlab.records import SlotKind

LAYERS: dict[str, SlotKind] = {
    **dict.fromkeys(("conv", "conv_transpose"), "conv"),
    **dict.fromkeys(("linear", "bilinear", "addmm"), "fc"),
    **dict.fromkeys(ops.RECURRENT, "recurrent"),
    **dict.fromkeys(ops.ATTENTION, "attention"),
}
_PASSING = ops.VIEWS | ops.DROPOUTS
_OF_ITS_SHAPE = frozenset({"expand_as", "view_as", "reshape_as", "type_as"})
_SUMS = frozenset({"add", "sub", "rsub", "addcmul"})
_FACTORS = frozenset({"mul", "div", "rdiv"})
_SIMILARITIES = frozenset({"cdist", "pairwise_distance", "cosine_similarity", "dist"})


class SignalGraph:
    """What a value comes from, and what becomes of it."""

    def __init__(
        self, trace: Trace, output: Any, example: Any, activations: Sequence[tuple[int, int]]
    ) -> None:
        """Look at a pass; `activations` has the first and last call of each activation in it."""
        self.trace = trace
        self.activations = activations
        self._inputs = {id(tensor) for tensor in _tensors(example)}
        self._layers_after = self._ancestors(
            value for call in trace.calls if is_layer(call) for value in call.inputs
        )
        self.returned = returned_values(trace, output)
        self._of_the_first = self._ancestors(self.returned[:1])
        self._of_all = self._ancestors(self.returned)

    def is_returned(self, value: Value) -> bool:
        """Return whether the network returns `value` itself."""
        return any(value is one for one in self.returned)

    @staticmethod
    def _ancestors(values: Any) -> set[int]:
        found: set[int] = set()
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            if id(value) in found:
                continue
            found.add(id(value))
            if value.call is not None:
                waiting.extend(signals(value.call))
        return found

    def _users(self, value: Value) -> list[Call]:
        """Return the calls that compute with a value, not with its shape alone."""
        return [user for user in self.trace.users_of(value) if value in signals(user)]

    def layer_before(self, value: Value) -> tuple[Call | None, bool]:
        """Return the latest layer that a value comes from, and whether a norm lies between."""
        best: Call | None = None
        norm = False
        seen: set[int] = set()
        waiting = [value]
        while waiting:
            call = waiting.pop().call
            if call is None or call.index in seen:
                continue
            seen.add(call.index)
            if is_layer(call):
                if best is None or call.index > best.index:
                    best = call
                continue
            norm = norm or call.op in ops.NORMS
            waiting.extend(signals(call))
        return best, norm

    def linear_around(
        self, given: Value, output: Value, first: int, last: int
    ) -> tuple[str, str] | None:
        """Return the linear layers before and after an activation, if nothing else sees the width.

        `first` and `last` are the calls that the activation is made of.
        """
        before = given.call
        if before is None or before.op != "linear":
            return None
        if any(not first <= user.index <= last for user in self.trace.users_of(given)):
            return None
        waiting, after = [output], set[str]()
        while waiting:
            for user in self.trace.users_of(waiting.pop()):
                if user.op in ops.DROPOUTS:
                    waiting.extend(user.outputs)
                elif user.op == "linear" and user.inputs:
                    after.add(path_of_layer(user))
                else:
                    return None
        paths = [path_of_layer(call) for call in self.trace.calls if call.op == "linear"]
        pair = (path_of_layer(before), *after)
        once = all(paths.count(path) == 1 for path in pair)
        return (pair[0], pair[1]) if len(pair) == 2 and once else None

    def layer_follows(self, value: Value) -> bool:
        """Return whether a later layer is given something made of `value`."""
        return id(value) in self._layers_after

    def shapes_the_output(self, value: Value, rectifies: bool) -> bool:
        """Return whether `value`, after the last layer, makes what the network returns.

        It does along views, joins, pools and arithmetic with constants. A rectifier before a last
        pooling does not, nor what is added to or multiplied with another layer's output, which
        nothing bounds, nor what goes through a norm, nor what makes a second result only.
        """
        if len(self.returned) > 1 and id(value) not in self._of_the_first:
            return False
        waiting, seen = [value], set[int]()
        while waiting:
            value = waiting.pop()
            if self.is_returned(value):
                return True
            for user in self._users(value):
                if user.index in seen or user.op in ops.NORMS | _SIMILARITIES:
                    continue
                seen.add(user.index)
                if user.op in ops.POOLS and rectifies:
                    return False
                others = [other for other in user.inputs if other is not value]
                if not any(self._sets_free(user, one, rectifies) for one in others):
                    waiting.extend(user.outputs)
        return False

    def _sets_free(self, user: Call, other: Value, rectifies: bool) -> bool:
        """Return whether the sum or product with `other` can be any number again."""
        if user.op not in _SUMS | _FACTORS:
            return False
        waiting, seen = [other], set[int]()
        while waiting:
            one = waiting.pop()
            call = one.call
            if call is None:
                if id(one.tensor) in self._inputs:
                    return True
                continue
            if call.index in seen:
                continue
            seen.add(call.index)
            bounded = call.op in ops.NORMALISERS or any(
                first <= call.index <= last for first, last in self.activations
            )
            if bounded and not (
                user.op in _SUMS and (rectifies or call.op in ops.RECTIFIERS - ops.BOUNDED)
            ):
                continue
            if is_layer(call):
                return True
            waiting.extend(signals(call))
        return False

    def is_multiplied(self, value: Value) -> bool:
        """Return whether `value` is multiplied with another signal of the network."""
        waiting = [value]
        while waiting:
            value = waiting.pop()
            for user in self._users(value):
                if user.op in _PASSING:
                    waiting.extend(user.outputs)
                elif user.op == "mul" and len(user.inputs) == 2:
                    other = user.inputs[1] if user.inputs[0] is value else user.inputs[0]
                    if other is value or other.call is None or self.layer_before(other)[0] is None:
                        continue
                    # Where the factor was made of the value itself, that one is the gate.
                    if id(value) not in self._ancestors([other]):
                        return True
        return False


def returned_values(trace: Trace, output: Any) -> list[Value]:
    """Return the values of a pass that a network returned, wherever in what it returned."""
    values = [trace.value_of(tensor) for tensor in _tensors(output)]
    return [value for value in values if value is not None]


def signals(call: Call) -> tuple[Value, ...]:
    """Return the inputs that a call computes with: of `x.expand_as(y)` only x."""
    return call.inputs[:1] if call.op in _OF_ITS_SHAPE else call.inputs


def is_layer(call: Call) -> bool:
    """Return whether a call is a layer; a product with what was given, an adjacency, is none."""
    if call.op not in ops.PRODUCTS:
        return call.op in LAYERS
    return has_weights(call) or all(value.call is not None for value in call.inputs)


def kind_of_layer(call: Call) -> SlotKind:
    """Return the kind of slot that comes after a layer."""
    if call.op in LAYERS:
        return LAYERS[call.op]
    return "fc" if has_weights(call) else "attention"


def has_weights(call: Call) -> bool:
    """Return whether a product has a parameter, or a view of one, for a factor."""
    return call.op in ops.PRODUCTS and any(_is_parameter(value) for value in call.inputs)


def _is_parameter(value: Value) -> bool:
    while value.call is not None and value.call.op in ops.VIEWS and value.call.inputs:
        value = value.call.inputs[0]
    return isinstance(value.tensor, nn.Parameter)


def path_of_layer(call: Call) -> str:
    """Return the path of the module that ran a layer: the innermost one that has weights."""
    for scope in reversed(call.scopes):
        if any(True for _parameter in scope.module.parameters(recurse=False)):
            return scope.path
    return call.module or ""


def _tensors(item: Any, depth: int = 0) -> Iterator[Tensor]:
    if isinstance(item, Tensor):
        yield item
    elif depth < 4:
        if isinstance(item, Mapping):
            parts = list(item.values())
        elif isinstance(item, tuple | list):
            parts = list(item)
        else:
            parts = list(vars(item).values()) if hasattr(item, "__dataclass_fields__") else []
        for part in parts:
            yield from _tensors(part, depth + 1)
