"""The activations that one forward pass of a network calls: modules, functions and formulas."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from actlab.capture import ops
from actlab.capture.recorder import recording
from actlab.capture.reruns import quiet
from actlab.capture.trace import Call, Trace, Value
from actlab.errors import SlotError
from actlab.i18n import _
from actlab.networks.elementwise import maps_single_values
from actlab.networks.signal_graph import LAYERS, has_weights, returned_values

_ARITHMETIC = frozenset(
    {"add", "sub", "mul", "div", "neg", "pow", "rsub", "exp", "erf", "square", "clamp", "abs"}
)
_ELEMENTWISE = _ARITHMETIC | ops.ELEMENTWISE_ACTIVATIONS


@dataclass
class ModuleCall:
    """A run of a module in the pass, from its first torch call to its last."""

    module: nn.Module
    path: str
    first: int
    given: tuple[Tensor, ...]
    last: int = -1
    output: Any = None


@dataclass
class FoundCall:
    """One call of an activation in the pass."""

    first: int
    last: int
    given: Value
    output: Value
    call: Call
    module: ModuleCall | None = None
    argument: int = 0


def run_on(model: nn.Module, example: Any) -> Any:
    """Return what `model` gives for an example: a tensor, a tuple, or a dictionary of keywords."""
    if isinstance(example, Mapping):
        return model(**example)
    return model(*(example if isinstance(example, tuple) else (example,)))


def record_pass(model: nn.Module, example: Any) -> tuple[Trace, list[ModuleCall], Any]:
    """Return one forward pass: its torch calls, the modules that ran, and what was returned.

    Raises SlotError where the network does not run on the example.
    """
    modules: list[ModuleCall] = []
    running: list[ModuleCall] = []
    turns: dict[tuple[str, int], int] = {}

    def before(module: nn.Module, args: Any) -> None:
        given = tuple(item for item in args if isinstance(item, Tensor))
        above = running[-1].path if running else ""
        paths = named[id(module)]
        near = [path for path in paths if path.rpartition(".")[0] == above] or paths
        turn = 0
        if running and type(running[-1].module) is nn.Sequential:  # it calls its children in order
            turn = turns.get((above, id(module)), 0)
            turns[above, id(module)] = turn + 1
        path = near[turn % len(near)]
        running.append(ModuleCall(module, path, len(trace.calls), given))
        modules.append(running[-1])

    def after(module: nn.Module, _args: Any, output: Any) -> None:
        while running:
            ended = running.pop()
            if ended.module is module:
                ended.last, ended.output = len(trace.calls) - 1, output
                break

    named: dict[int, list[str]] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        named.setdefault(id(module), []).append(path)
    with quiet((model,)), torch.no_grad(), recording(names_of=model) as trace:
        handles = []
        for part in model.modules():
            handles.append(part.register_forward_pre_hook(before))
            handles.append(part.register_forward_hook(after))
        try:
            output = run_on(model, example)
        except Exception as error:  # the user's program, in one line
            message = _("The network must run on the example; it raised {kind}: {text}")
            raise SlotError(
                message.format(kind=type(error).__name__, text=str(error).split("\n")[0])
            ) from None
        finally:
            for handle in handles:
                handle.remove()
    return trace, modules, output


def activation_calls(trace: Trace, modules: list[ModuleCall], output: Any) -> list[FoundCall]:
    """Return the calls of activations, the outermost ones, in their order."""
    returned = returned_values(trace, output)
    found = sorted((*_modules_found(trace, modules), *_calls_found(trace)), key=lambda f: f.first)
    # What nothing is made of, such as the sigmoid of an x * sigmoid(x) that was swapped, is none.
    found = [
        f for f in found if trace.users_of(f.output) or any(f.output is one for one in returned)
    ]
    inside = [(f.first, f.last) for f in found if f.module is not None]
    return [
        f
        for f in found
        if f.module is not None or not any(a <= f.first and f.last <= b for a, b in inside)
    ]


def _modules_found(trace: Trace, modules: list[ModuleCall]) -> list[FoundCall]:
    """Return the calls of modules that map single values, the outermost that do so."""
    known: dict[tuple[int, tuple[int, ...]], bool] = {}
    found: list[FoundCall] = []

    def elementwise(one: ModuleCall) -> bool:
        if one.last < one.first or not isinstance(one.output, Tensor) or len(one.given) != 1:
            return False
        given = one.given[0]
        if given.shape != one.output.shape or not one.output.is_floating_point():
            return False
        inner = trace.calls[one.first : one.last + 1]
        if any(call.op in LAYERS or call.op in ops.NORMS or has_weights(call) for call in inner):
            return False
        key = (id(one.module), tuple(given.shape))
        if key not in known:
            known[key] = maps_single_values(one.module, key[1])
        return known[key]

    end = -1
    for place, one in enumerate(modules):
        if one.first <= end or not elementwise(one):
            continue
        inner = [m for m in modules[place + 1 :] if one.first <= m.first and m.last <= one.last]
        deeper = [m for m in inner if elementwise(m)]
        container = isinstance(one.module, nn.Sequential)
        if deeper and (container or any(_same(m.output, one.output) for m in deeper)):
            continue
        inside = trace.calls[one.first : one.last + 1]
        given = [v for call in inside for v in call.inputs if v.tensor is one.given[0]]
        made = [v for call in inside for v in call.outputs if v.tensor is one.output]
        if not given or not made:
            continue
        found.append(FoundCall(one.first, one.last, given[0], made[-1], inside[0], one))
        end = one.last
    return found


def _same(first: Any, second: Tensor) -> bool:
    if not isinstance(first, Tensor) or first.shape != second.shape:
        return False
    return first is second or bool(torch.equal(first, second))


def _calls_found(trace: Trace) -> list[FoundCall]:
    """Return the functional calls that are activations; a product x * g(x) is one with its g."""
    found: dict[int, FoundCall] = {}
    for call in trace.calls:
        if not _is_activation_call(call):
            continue
        product = _self_gated(trace, call)
        if product is not None:
            last, source, argument = product
            one = FoundCall(call.index, last.index, source, last.output, last, argument=argument)
        elif call.op == "erf":
            continue
        else:
            one = FoundCall(call.index, call.index, call.inputs[0], call.output, call)
        found.setdefault(one.last, one)
    ranges = [(one.first, one.last) for one in found.values()]
    return [
        one
        for one in found.values()
        if not any(first < one.first and one.last < last for first, last in ranges)
    ]


def _is_activation_call(call: Call) -> bool:
    if not call.inputs or not call.outputs or not call.output.tensor.is_floating_point():
        return False
    if call.op == "glu":
        return True
    if call.output.shape != call.inputs[0].shape:
        return False
    if call.op == "clamp":
        low, high = call.argument("min", 1), call.argument("max", 2)
        return low == 0 and high in (None, 6)
    return call.op in ops.ELEMENTWISE_ACTIVATIONS or call.op == "erf"


def _self_gated(trace: Trace, call: Call) -> tuple[Call, Value, int] | None:
    """Return the product, x and its position, where `call` is part of an x * g(x).

    The position is -1 where x itself is no factor of the product, but a multiple of it is.
    """
    given = call.inputs[0]
    indirect: tuple[Call, Value, int] | None = None
    waiting, seen = [(call.output, 0)], set()
    while waiting:
        value, depth = waiting.pop(0)
        for user in trace.users_of(value):
            if user.index in seen or user.op not in _ELEMENTWISE or not user.outputs:
                continue
            seen.add(user.index)
            if user.op == "mul" and len(user.inputs) == 2:
                position = 1 if user.inputs[0] is value else 0
                other = user.inputs[position]
                if other is not value and other.call is not None and _made_of(given, other):
                    return user, other, position
                source = _source(given)
                if other is not value and other.call is not None and _made_of(other, source):
                    indirect = user, source, -1
            if depth < 5:
                waiting.append((user.output, depth + 1))
    return indirect


def _made_of(value: Value, source: Value) -> bool:
    """Return whether `value` is computed element by element from `source` and constants alone."""
    waiting, met = [value], False
    for _step in range(40):
        if not waiting:
            return met
        one = waiting.pop()
        if one is source:
            met = True
        elif one.call is None:
            if one.tensor.numel() > 1:
                return False
        elif one.call.op in _ELEMENTWISE:
            waiting.extend(one.call.inputs)
        else:
            return False
    return False


def _source(value: Value) -> Value:
    """Return what `value` is computed from, element by element, where that is one value."""
    while value.call is not None and value.call.op in _ELEMENTWISE:
        inputs = value.call.inputs
        before = min(inputs, key=lambda v: -1 if v.call is None else v.call.index)
        others = [v for v in inputs if v is not before]
        if not all(_made_of(other, before) for other in others):
            return value
        value = before
    return value


def recurrent_calls(trace: Trace) -> list[FoundCall]:
    """Return the calls of recurrent layers, whose activations are their own."""
    return [
        FoundCall(call.index, call.index, call.inputs[0], call.output, call)
        for call in trace.calls
        if call.op in ops.RECURRENT and call.inputs and call.outputs
    ]
