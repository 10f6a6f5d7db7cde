"""Finding the places of a network that take an activation.

A slot is named by the kind of layer before it: `conv` after a convolution, `fc` after a linear
layer; normalisation, pooling, dropout and sums in between change nothing. The network is run once
on an example under the recorder of torch calls, which sees modules and functional calls alike; what
is an activation is measured (each output depends on its own input, and not linearly), so that the
class it is of does not matter. What is multiplied into another signal is a `gate`; what comes after
the last layer shapes the `output`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from actlab.capture import ops
from actlab.capture.location import Location
from actlab.capture.module_source import Scope
from actlab.capture.trace import Call, Trace, Value
from actlab.errors import SlotError
from actlab.i18n import _
from actlab.networks.activation_calls import (
    FoundCall,
    ModuleCall,
    activation_calls,
    record_pass,
    recurrent_calls,
)
from actlab.networks.activation_names import name_of_call, name_of_module
from actlab.networks.elementwise import is_activation, module_kind
from actlab.networks.signal_graph import SignalGraph, kind_of_layer, path_of_layer
from actlab.networks.symbolic_calls import is_named_often, kinds_called
from actlab.records import Slot, SlotKind

_ACTLAB = str(Path(__file__).resolve().parent.parent)
ElementFunction = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Place:
    """A slot, and how what is in it is reached.

    `owner` is the path of the module whose forward makes the call. With `attribute` the activation
    is found there: a module, or a plain function. Otherwise it is a call of `function` at `site`
    (file, name, instruction). `order` lists, for every call of one pass through the owner there,
    which place it belongs to, `turn` is this one's number in it; `runner` is the path of the module
    whose passes these are. `argument` is the position of the input among the call's arguments,
    `split` the dimension that a gated linear unit halves. `around` are the linear layers before and
    after it, where the width between them is seen by nothing else. `unclear` says why the kind may
    be another, where the network was not run.
    """

    slot: Slot
    owner: str
    attribute: str | None = None
    function: str = ""
    site: tuple[str, str, int] | None = None
    order: tuple[int, ...] = (0,)
    turn: int = 0
    argument: int = 0
    runner: str = ""
    split: int | None = None
    around: tuple[str, str] | None = None
    unclear: str = ""


def slots(model: nn.Module, example: Any = None) -> tuple[Slot, ...]:
    """Return the slots of `model`, in the order of the calls in one forward pass on `example`.

    An `example` is what the model takes: a tensor, a tuple for `*example`, a dictionary for
    `**example`. One module that is called in two places is two slots. Without an example only
    modules can be seen, in the order in which they were registered, of the kinds that the code of
    forward shows where it can be followed; functional calls are not.

    Raises SlotError where the model does not run on the example, or cannot be looked into.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2), nn.Sigmoid())
    >>> [(slot.path, slot.kind, slot.name) for slot in slots(network, torch.zeros(1, 4))]
    [('1', 'fc', 'relu'), ('3', 'output', 'sigmoid')]
    """
    return tuple(place.slot for place in places(model, example))


def places(model: nn.Module, example: Any = None) -> tuple[Place, ...]:
    """Return the slots of `model` as `slots` does, each with how it is reached."""
    if isinstance(model, torch.jit.ScriptModule):
        message = _(
            "A scripted model cannot be looked into: its calls are not Python's. Pass the module "
            "that it was scripted from."
        )
        raise SlotError(message)
    model = getattr(model, "_orig_mod", model)
    if example is None:
        return tuple(_registered(model))
    return tuple(_in_one_pass(model, example))


def slot_functions(model: nn.Module, example: Any) -> tuple[tuple[Slot, ElementFunction], ...]:
    """Return the slots of `model` in one pass on `example`, each with what is computed there.

    What was a functional call, or a formula of several, is computed again from what it was given; a
    tanh between a number and a number, as logits are capped, with both. Raises SlotError where the
    model does not run on the example.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> ((slot, function),) = slot_functions(network, torch.zeros(1, 4))
    >>> function(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    found: list[tuple[Slot, ElementFunction]] = []
    trace, _modules, described = _observed(getattr(model, "_orig_mod", model), example)
    for one, place in described:
        if one.call.op == "glu":
            continue
        made = one.module.module if one.module is not None else _computed_again(_capped(trace, one))
        found.append((place.slot, made))
    return tuple(found)


def _capped(trace: Trace, found: FoundCall) -> FoundCall:
    """Return b tanh(a x) as one, where a tanh is called between two products with numbers."""
    before, after = found.given.call, trace.users_of(found.output)
    if found.call.op != "tanh" or before is None or len(after) != 1:
        return found
    scales = (before, after[0])
    if any(call.op not in ("mul", "div") or len(call.inputs) != 1 for call in scales):
        return found
    return replace(found, given=before.inputs[0], output=after[0].output)


def _computed_again(found: FoundCall) -> ElementFunction:
    """Return the calls from what an activation was given to what it returned, as one function."""

    def apply(x: Tensor) -> Tensor:
        known = {id(found.given): x}

        def value_of(item: Any) -> Any:
            if not isinstance(item, Value):
                return item
            if id(item) not in known:
                call = item.call
                if call is None or call.function is None:
                    return item.tensor
                args = [value_of(given) for given in call.args]
                kwargs = {name: value_of(given) for name, given in call.kwargs.items()}
                kwargs.pop("inplace", None)
                known[id(item)] = call.function(*args, **kwargs)
            return known[id(item)]

        result: Tensor = value_of(found.output)
        return result

    return apply


def _registered(model: nn.Module) -> Iterator[Place]:
    """Yield the slots among modules as registered, leaving out those that shape the output."""
    found: list[Place] = []
    settled, before = 0, ""
    kind: SlotKind | None = None
    # Duplicates are kept: one activation object in two places of a Sequential is two slots.
    for path, module in model.named_modules(remove_duplicate=False):
        layer = module_kind(module)
        if isinstance(module, nn.RNNBase | nn.RNNCellBase):
            layer = "recurrent"
            found.append(_recurrent(path, _nonlinearity(module), None))
        if layer is not None:
            kind, settled, before = layer, len(found), path
        elif kind is not None and is_activation(module):
            owner, _dot, attribute = path.rpartition(".")
            slot = Slot(path, kind, before, name_of_module(module))
            found.append(Place(slot, owner, attribute))
        elif "Pool" in type(module).__name__ and found[settled:]:
            last = found[-1]
            settled += len(found) == settled + 1 and _rectifies(model, last.slot.path)
    yield from _as_called(model, found[:settled])


def _rectifies(model: nn.Module, path: str) -> bool:
    """Return whether a module's outputs have a bound below and none above."""
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            low, high = model.get_submodule(path)(torch.tensor([[-60.0], [60.0]])).flatten()
    except Exception:  # it takes channels, say
        return False
    return bool(low > -2) and bool(high > 10)


def _as_called(model: nn.Module, found: Sequence[Place]) -> Iterator[Place]:
    """Yield registered places with the kinds of the places that call them, where code shows them.

    A module under several names is several places already.
    """
    names = Counter(id(part) for _path, part in model.named_modules(remove_duplicate=False))
    once = {
        place.slot.path: place
        for place in found
        if place.slot.kind != "recurrent" and names[id(model.get_submodule(place.slot.path))] == 1
    }
    called = kinds_called(model, once) if once else {}
    for place in found:
        path, slot = place.slot.path, place.slot
        kinds = (called or {}).get(path, ())
        if path not in once:
            yield place
        elif len(kinds) > 1:
            message = _("{path} is called after layers of several kinds ({kinds}).")
            yield replace(place, unclear=message.format(path=path, kinds=", ".join(kinds)))
        elif kinds:
            yield replace(place, slot=replace(slot, kind=kinds[0]))
        elif called is None and slot.name in ("sigmoid", "hardsigmoid"):
            unclear = _("{path} ({name}) may be a gate, which is left alone.")
            yield replace(place, unclear=unclear.format(path=path, name=slot.name))
        elif called is None and _is_shared(model, place):
            unclear = _("{path} may be called after layers of several kinds.")
            yield replace(place, unclear=unclear.format(path=path))
        else:
            yield place


def _is_shared(model: nn.Module, place: Place) -> bool:
    """Return whether an activation's owner has layers of several kinds, and calls it repeatedly."""
    owner = model.get_submodule(place.owner)
    kinds = {module_kind(part) for part in owner.modules()} - {None}
    return len(kinds) > 1 and is_named_often(owner, place.attribute or "")


def _in_one_pass(model: nn.Module, example: Any) -> Iterator[Place]:
    trace, modules, described = _observed(model, example)
    described += [(f, place) for f in recurrent_calls(trace) for place in [_of_recurrent(f)]]
    described.sort(key=lambda pair: pair[0].first)
    yield from _merged(described, modules)


def _observed(
    model: nn.Module, example: Any
) -> tuple[Trace, list[ModuleCall], list[tuple[FoundCall, Place]]]:
    """Return what one pass called, and the place of each activation in it."""
    trace, modules, output = record_pass(model, example)
    found = activation_calls(trace, modules, output)
    graph = SignalGraph(trace, output, example, [(one.first, one.last) for one in found])
    return trace, modules, [(one, _described(model, one, graph)) for one in found]


def _described(model: nn.Module, found: FoundCall, graph: SignalGraph) -> Place:
    layer, norm = graph.layer_before(found.given)
    kind: SlotKind = "norm"
    if layer is not None:
        kind = kind_of_layer(layer)
    elif not norm:
        kind = "fc" if found.given.tensor.ndim == 2 else "conv"
    rectifies = found.module is None and found.call.op in ops.RECTIFIERS
    if found.module is not None:
        rectifies = bool((found.output.tensor.min() > -2).item()) and not _is_bounded(found)
    if not graph.layer_follows(found.output) and graph.shapes_the_output(found.output, rectifies):
        kind = "output"
    elif found.call.op == "glu" or graph.is_multiplied(found.output):
        kind = "gate"
    width = _width(kind, found.given.tensor)
    layer_path = path_of_layer(layer) if layer is not None else ""
    place = _of_module(found) if found.module is not None else _of_call(model, found)
    slot = replace(place.slot, kind=kind, layer=layer_path, width=width)
    if kind == "output":
        reason = _("It makes what the network returns; it is left alone.")
        slot = replace(slot, swappable=False, reason=reason)
    around = graph.linear_around(found.given, found.output, found.first, found.last)
    return replace(place, slot=slot, around=around)


def _is_bounded(found: FoundCall) -> bool:
    """Return whether a module's outputs stay bounded for large inputs."""
    assert found.module is not None
    probe = torch.full_like(found.module.given[0], 60.0)
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            return bool((found.module.module(probe).abs().max() < 10).item())
    except Exception:  # it was measured before, on other numbers
        return False


def _width(kind: SlotKind, given: Tensor) -> int | None:
    if given.ndim < 2:
        return None
    return int(given.shape[1] if kind == "conv" and given.ndim > 2 else given.shape[-1])


def _of_module(found: FoundCall) -> Place:
    assert found.module is not None
    path = found.module.path
    owner, _dot, attribute = path.rpartition(".")
    line = found.call.location
    name = name_of_module(found.module.module)
    slot = Slot(path, "fc", "", name, 1, _shown(line))
    return Place(slot, owner, attribute)


def _shown(line: Location) -> str | None:
    """Return the line that makes a call; one of actlab itself, which runs the network, is none."""
    if not line.file or str(line.file).startswith(_ACTLAB):
        return None
    return f"{line.file}:{line.line}"


def _of_call(model: nn.Module, found: FoundCall) -> Place:
    """Return the place of a functional call: an attribute of its owner, or a line of code."""
    call = found.call
    owner = _owner(model, call)
    line = call.ran_at
    location = _shown(line)
    name = {"clamp": "relu"}.get(call.op, call.op)
    shown = name_of_call(call)
    if found.first != found.last:
        name = shown = {"sigmoid": "silu", "tanh": "mish"}.get(_gate_of(call), "gelu")
    path = f"{owner.path}.{name}" if owner and owner.path else name
    slot = Slot(path, "fc", "", shown, 1, location)
    if owner is None:
        reason = _("It is called by something that is no part of the model; make that a module.")
        return Place(replace(slot, swappable=False, reason=reason), "")
    if isinstance(owner.module, nn.GLU):
        above, _dot, attribute = owner.path.rpartition(".")
        return Place(replace(slot, path=owner.path), above, attribute, split=owner.module.dim)
    for attribute, value in vars(owner.module).items():
        if found.first == found.last and value is call.function:
            path = f"{owner.path}.{attribute}" if owner.path else attribute
            return Place(replace(slot, path=path), owner.path, attribute)
    lines = call.trail.lines
    if not lines or not call.is_located or call.function is None:
        reason = _("Code of torch itself calls it, where nothing else can be put.")
        return Place(replace(slot, swappable=False, reason=reason), owner.path)
    if found.argument < 0:
        reason = _(
            "It is written out as a formula over several lines of forward. Make it a function or a "
            "module of its own."
        )
        return Place(replace(slot, swappable=False, reason=reason), owner.path)
    site = (lines[0].code.co_filename, lines[0].code.co_qualname, lines[0].instruction)
    return Place(
        slot,
        owner.path,
        function=getattr(call.function, "__name__", ""),
        site=site,
        argument=found.argument,
        split=call.argument("dim", 1, -1) if call.op == "glu" else None,
    )


def _gate_of(product: Call) -> str:
    made = [value.call.op for value in product.inputs if value.call is not None]
    return next((op for op in made if op in ops.ELEMENTWISE_ACTIVATIONS), "")


def _owner(model: nn.Module, call: Call) -> Scope | None:
    """Return the module of the model whose forward makes a call, itself or by a module of torch's.

    Such a module is made where it is called, as in `nn.ReLU()(x)`.
    """
    inner = call.scopes[-1:]
    if inner and type(inner[0].module).__module__.startswith("torch.nn"):
        inner = call.scopes[-2:]
    return next((one for one in reversed(inner) if _is_part(model, one.module, one.path)), None)


def _is_part(model: nn.Module, module: nn.Module, path: str) -> bool:
    try:
        return model.get_submodule(path) is module
    except AttributeError:
        return False


def _of_recurrent(found: FoundCall) -> Place:
    word = None
    if found.call.op.startswith("rnn"):
        word = "relu" if "relu" in found.call.op else "tanh"
    return _recurrent(path_of_layer(found.call), word, _shown(found.call.location))


def _nonlinearity(layer: nn.Module) -> str | None:
    """Return the word for a recurrent layer's activation, None where it takes no other."""
    plain = isinstance(layer, nn.RNN | nn.RNNCell)
    return str(layer.nonlinearity) if plain else None


def _recurrent(path: str, word: str | None, location: str | None) -> Place:
    """Return the place in a recurrent layer; without a `word` it is fixed in torch's own code."""
    reason = None
    if word is None:
        reason = _(
            "tanh and sigmoid are part of the layer in torch's own code. Write the cell in Python "
            "to compare others, or use nn.RNN, which takes tanh or relu."
        )
    plain = word is not None
    slot = Slot(path, "recurrent", path, word or "tanh", 1, location, plain, reason)
    return Place(slot, path, "nonlinearity")


def _merged(described: list[tuple[FoundCall, Place]], modules: list[ModuleCall]) -> Iterator[Place]:
    """Join the calls of one place, and number the places of what is called in several."""
    groups: dict[Any, list[Place]] = {}
    for _one, place in described:
        groups.setdefault((place.owner, place.attribute, place.site, place.slot.path), []).append(
            place
        )
    joined: dict[int, Place] = {}
    for group in groups.values():
        runner = group[0].owner
        while runner and not any(one.path == runner for one in modules):
            runner = runner.rpartition(".")[0]
        passes = max(1, sum(1 for one in modules if one.path == runner))
        # Where the owner itself runs several times, each of its passes makes the same calls.
        per_pass = group[: -(-len(group) // passes)]
        keys = [(place.slot.kind, place.slot.layer) for place in per_pass]
        distinct = list(dict.fromkeys(keys))
        order = tuple(distinct.index(key) for key in keys)
        for turn, key in enumerate(distinct):
            first = per_pass[keys.index(key)]
            calls = keys.count(key) * (len(group) // len(per_pass))
            slot = replace(first.slot, calls=calls)
            joined[id(first)] = replace(first, slot=slot, order=order, turn=turn, runner=runner)
    yield from (joined[id(place)] for _one, place in described if id(place) in joined)
