"""Finding the places of a network that take an activation.

A slot is named by the kind of layer before it: `conv` after a convolution, `fc` after a linear
layer; normalisation, pooling, dropout and sums in between change nothing. The network is run once
on an example under the recorder of torch calls, which sees modules and functional calls alike; what
is an activation is measured (each output depends on its own input, and not linearly), so that the
class it is of does not matter. What is multiplied into another signal is a `gate`; what comes after
the last layer shapes the `output`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import activation as torch_activations
from torch.nn.modules.conv import _ConvNd

from actlab.capture import ops
from actlab.capture.location import Location
from actlab.capture.module_source import Scope
from actlab.capture.recorder import recording
from actlab.capture.reruns import quiet
from actlab.capture.trace import Call, Trace, Value
from actlab.errors import ActlabError
from actlab.i18n import _
from actlab.records import Slot, SlotKind

_HOMES = (torch_activations.__name__, "actlab.activations.modules")
_NOT_ONE_TO_ONE = (
    nn.GLU,
    nn.LogSoftmax,
    nn.MultiheadAttention,
    nn.Softmax,
    nn.Softmax2d,
    nn.Softmin,
)
_LAYERS: dict[str, SlotKind] = {
    **dict.fromkeys(("conv", "conv_transpose"), "conv"),
    **dict.fromkeys(("linear", "bilinear", "addmm"), "fc"),
    **dict.fromkeys(ops.RECURRENT, "recurrent"),
    **dict.fromkeys(ops.ATTENTION, "attention"),
}
_ACTLAB = str(Path(__file__).resolve().parent.parent)

SWAPPED = "_actlab_activation"
"""The attribute of a module that was put in a slot."""

_PASSING = ops.VIEWS | ops.DROPOUTS
_SUMS = frozenset({"add", "sub", "rsub", "addcmul"})
_FACTORS = frozenset({"mul", "div", "rdiv"})
_SIMILARITIES = frozenset({"cdist", "pairwise_distance", "cosine_similarity", "dist"})
_ARITHMETIC = frozenset(
    {"add", "sub", "mul", "div", "neg", "pow", "rsub", "exp", "erf", "square", "clamp", "abs"}
)
_ELEMENTWISE = _ARITHMETIC | ops.ELEMENTWISE_ACTIVATIONS


ElementFunction = Callable[[Tensor], Tensor]


class SlotError(ActlabError):
    """A network without the slot that was asked for, or with one that cannot be swapped."""


@dataclass(frozen=True)
class Place:
    """A slot, and how what is in it is reached.

    `owner` is the path of the module whose forward makes the call. With `attribute` the activation
    is found there: a module, or a plain function. Otherwise it is a call of `function` at `site`
    (file, name, instruction). `order` lists, for every call of one pass through the owner there,
    which place it belongs to, `turn` is this one's number in it; `runner` is the path of the module
    whose passes these are. `argument` is the position of the input among the call's arguments,
    `split` the dimension that a gated linear unit halves. `around` are the linear layers before and
    after it, where the width between them is seen by nothing else.
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


@dataclass
class _ModuleCall:
    module: nn.Module
    path: str
    first: int
    given: tuple[Tensor, ...]
    last: int = -1
    output: Any = None


@dataclass
class _Found:
    """One call of an activation in the pass."""

    first: int
    last: int
    given: Value
    output: Value
    call: Call
    module: _ModuleCall | None = None
    argument: int = 0


def slots(model: nn.Module, example: Any = None) -> tuple[Slot, ...]:
    """Return the slots of `model`, in the order of the calls in one forward pass on `example`.

    An `example` is what the model takes: a tensor, a tuple for `*example`, a dictionary for
    `**example`. One module that is called in two places is two slots. Without an example only
    modules can be seen, in the order in which they were registered; functional calls are not.

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
    trace, modules, output = _recorded(getattr(model, "_orig_mod", model), example)
    graph = _Graph(trace, output, example)
    for one in _taken(trace, modules, graph):
        place = _described(model, one, graph)
        if one.call.op == "glu":
            continue
        made = one.module.module if one.module is not None else _computed_again(_capped(trace, one))
        found.append((place.slot, made))
    return tuple(found)


def _capped(trace: Trace, found: _Found) -> _Found:
    """Return b tanh(a x) as one, where a tanh is called between two products with numbers."""
    before, after = found.given.call, trace.users_of(found.output)
    if found.call.op != "tanh" or before is None or len(after) != 1:
        return found
    scales = (before, after[0])
    if any(call.op not in ("mul", "div") or len(call.inputs) != 1 for call in scales):
        return found
    return replace(found, given=before.inputs[0], output=after[0].output)


def _computed_again(found: _Found) -> ElementFunction:
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


def run_on(model: nn.Module, example: Any) -> Any:
    """Return what `model` gives for an example: a tensor, a tuple, or a dictionary of keywords."""
    if isinstance(example, Mapping):
        return model(**example)
    return model(*(example if isinstance(example, tuple) else (example,)))


# Without an example


def _registered(model: nn.Module) -> Iterator[Place]:
    """Yield the slots among modules as registered, leaving out those after the last layer."""
    found: list[Place] = []
    settled, before = 0, ""
    kind: SlotKind | None = None
    # Duplicates are kept: one activation object in two places of a Sequential is two slots.
    for path, module in model.named_modules(remove_duplicate=False):
        layer = _kind_of(module)
        if layer is not None:
            kind, settled, before = layer, len(found), path
        elif kind is not None and _is_activation(module):
            owner, _dot, attribute = path.rpartition(".")
            slot = Slot(path, kind, before, _name_of_module(module))
            found.append(Place(slot, owner, attribute))
    yield from found[:settled]


def _kind_of(module: nn.Module) -> SlotKind | None:
    if isinstance(module, _ConvNd):
        return "conv"
    if isinstance(module, nn.Linear | nn.Bilinear) or type(module).__name__ == "Conv1D":
        return "fc"
    return None


def _is_activation(module: nn.Module) -> bool:
    if isinstance(module, _NOT_ONE_TO_ONE):
        return False
    if type(module).__module__.startswith(_HOMES):
        return True
    leaf = not any(True for _part in (*module.children(), *module.buffers()))
    return leaf and is_elementwise(module, (4, 8))


def activation_parameters(model: nn.Module) -> frozenset[str]:
    """Return the names of the parameters of activations: slopes and shapes, no layer's weights.

    >>> sorted(activation_parameters(nn.Sequential(nn.Linear(2, 3), nn.PReLU())))
    ['1.weight']
    """
    found = [
        path
        for path, module in model.named_modules()
        if (_kind_of(module) is None and any(True for _p in module.parameters(recurse=False)))
        and (getattr(module, SWAPPED, False) or _is_activation(module))
    ]
    swapped = [path for path, module in model.named_modules() if getattr(module, SWAPPED, False)]
    return frozenset(
        name
        for name, _value in model.named_parameters()
        if any(name.startswith(f"{path}.") for path in (*found, *swapped))
    )


def is_elementwise(module: nn.Module, shape: tuple[int, ...]) -> bool:
    """Return whether each output depends on its own input alone, and not linearly; measured.

    >>> is_elementwise(nn.GELU(), (2, 8)), is_elementwise(nn.Softmax(dim=1), (2, 8))
    (True, False)
    """
    generator = torch.Generator().manual_seed(20261129)
    first, second = (5 * torch.randn(shape, generator=generator) for _number in range(2))
    kept = torch.rand(shape, generator=generator) < 0.5
    mixed = torch.where(kept, first, second)
    training = {part: part.training for part in module.modules()}
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            module.eval()
            # A copy each, since some change their input in place.
            outputs = [module(x.clone()) for x in (first, mixed, (first + second) / 2, second)]
    except Exception:  # it takes something else: no activation of single values
        return False
    finally:
        for part, was in training.items():
            part.training = was
    if not all(isinstance(y, Tensor) and y.shape == first.shape for y in outputs):
        return False
    at_first, at_mixed, at_middle, at_second = outputs
    if not torch.allclose(at_first[kept], at_mixed[kept], rtol=1e-4, atol=1e-5):
        return False
    middle = (at_first + at_second) / 2
    return not torch.allclose(at_middle, middle, rtol=1e-3, atol=1e-4)


# With an example


def _in_one_pass(model: nn.Module, example: Any) -> Iterator[Place]:
    trace, modules, output = _recorded(model, example)
    graph = _Graph(trace, output, example)
    taken = _taken(trace, modules, graph)
    described = [(f, _described(model, f, graph)) for f in taken]
    described += [(f, place) for f in _recurrent(trace) for place in [_of_recurrent(f)]]
    described.sort(key=lambda pair: pair[0].first)
    yield from _merged(described, modules)


def _taken(trace: Trace, modules: list[_ModuleCall], graph: "_Graph") -> list[_Found]:
    """Return the calls of activations, the outermost ones, in their order, and tell the graph."""
    found = sorted((*_modules_found(trace, modules), *_calls_found(trace)), key=lambda f: f.first)
    # What nothing is made of, such as the sigmoid of an x * sigmoid(x) that was swapped, is none.
    found = [f for f in found if trace.users_of(f.output) or graph.is_returned(f.output)]
    inside = [(f.first, f.last) for f in found if f.module is not None]
    found = [
        f
        for f in found
        if f.module is not None or not any(a <= f.first and f.last <= b for a, b in inside)
    ]
    graph.activations = [(f.first, f.last) for f in found]
    return found


def _recorded(model: nn.Module, example: Any) -> tuple[Trace, list[_ModuleCall], Any]:
    modules: list[_ModuleCall] = []
    running: list[_ModuleCall] = []
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
        running.append(_ModuleCall(module, path, len(trace.calls), given))
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
        except Exception as error:  # the user's program, told in one line
            message = _("The network must run on the example; it raised {kind}: {text}")
            raise SlotError(
                message.format(kind=type(error).__name__, text=str(error).split("\n")[0])
            ) from None
        finally:
            for handle in handles:
                handle.remove()
    return trace, modules, output


def _modules_found(trace: Trace, modules: list[_ModuleCall]) -> list[_Found]:
    """Return the calls of modules that map single values, the outermost that do so."""
    known: dict[tuple[int, tuple[int, ...]], bool] = {}
    found: list[_Found] = []

    def elementwise(one: _ModuleCall) -> bool:
        if one.last < one.first or not isinstance(one.output, Tensor) or len(one.given) != 1:
            return False
        given = one.given[0]
        if given.shape != one.output.shape or not one.output.is_floating_point():
            return False
        inner = trace.calls[one.first : one.last + 1]
        if any(call.op in _LAYERS or call.op in ops.NORMS or _weighs(call) for call in inner):
            return False
        if isinstance(one.module, _NOT_ONE_TO_ONE):
            return False
        key = (id(one.module), tuple(given.shape))
        if key not in known:
            home = type(one.module).__module__.startswith(_HOMES)
            known[key] = home or is_elementwise(one.module, tuple(given.shape))
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
        found.append(_Found(one.first, one.last, given[0], made[-1], inside[0], one))
        end = one.last
    return found


def _same(first: Any, second: Tensor) -> bool:
    if not isinstance(first, Tensor) or first.shape != second.shape:
        return False
    return first is second or bool(torch.equal(first, second))


def _calls_found(trace: Trace) -> list[_Found]:
    """Return the functional calls that are activations; a product x * g(x) is one with its g."""
    found: dict[int, _Found] = {}
    for call in trace.calls:
        if not _is_activation_call(call):
            continue
        product = _self_gated(trace, call)
        if product is not None:
            last, source, argument = product
            one = _Found(call.index, last.index, source, last.output, last, argument=argument)
        elif call.op == "erf":
            continue
        else:
            one = _Found(call.index, call.index, call.inputs[0], call.output, call)
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


def _weighs(call: Call) -> bool:
    """Return whether a product has a parameter, or a view of one, for a factor."""
    return call.op in ops.PRODUCTS and any(_is_parameter(value) for value in call.inputs)


def _is_parameter(value: Value) -> bool:
    while value.call is not None and value.call.op in ops.VIEWS and value.call.inputs:
        value = value.call.inputs[0]
    return isinstance(value.tensor, nn.Parameter)


class _Graph:
    """What a value comes from, and what becomes of it."""

    def __init__(self, trace: Trace, output: Any, example: Any = None) -> None:
        self.trace = trace
        self.activations: list[tuple[int, int]] = []
        self._inputs = {id(tensor) for tensor in _tensors(example)}
        self._before: dict[int, tuple[Call | None, bool]] = {}
        self._layers_after = self._ancestors(
            value for call in trace.calls if _is_layer(call) for value in call.inputs
        )
        returned = list(_tensors(output))
        values = [trace.value_of(tensor) for tensor in returned]
        self.returned = [value for value in values if value is not None]
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
                waiting.extend(value.call.inputs)
        return found

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
            if _is_layer(call):
                if best is None or call.index > best.index:
                    best = call
                continue
            norm = norm or call.op in ops.NORMS
            waiting.extend(call.inputs)
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
                    after.add(_path_of(user))
                else:
                    return None
        paths = [_path_of(call) for call in self.trace.calls if call.op == "linear"]
        pair = (_path_of(before), *after)
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
            for user in self.trace.users_of(value):
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
            if _is_layer(call):
                return True
            waiting.extend(call.inputs)
        return False

    def is_multiplied(self, value: Value) -> bool:
        """Return whether `value` is multiplied with another signal of the network."""
        waiting = [value]
        while waiting:
            value = waiting.pop()
            for user in self.trace.users_of(value):
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


def _is_layer(call: Call) -> bool:
    """Return whether a call is a layer; a product with what was given, an adjacency, is none."""
    if call.op not in ops.PRODUCTS:
        return call.op in _LAYERS
    return _weighs(call) or all(value.call is not None for value in call.inputs)


def _kind_of_layer(call: Call) -> SlotKind:
    if call.op in _LAYERS:
        return _LAYERS[call.op]
    return "fc" if _weighs(call) else "attention"


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


def _described(model: nn.Module, found: _Found, graph: _Graph) -> Place:
    layer, norm = graph.layer_before(found.given)
    kind: SlotKind = "norm"
    if layer is not None:
        kind = _kind_of_layer(layer)
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
    layer_path = _path_of(layer) if layer is not None else ""
    place = _of_module(found) if found.module is not None else _of_call(model, found)
    slot = replace(place.slot, kind=kind, layer=layer_path, width=width)
    if kind == "output":
        reason = _("It makes what the network returns; it is left alone.")
        slot = replace(slot, swappable=False, reason=reason)
    around = graph.linear_around(found.given, found.output, found.first, found.last)
    return replace(place, slot=slot, around=around)


def _is_bounded(found: _Found) -> bool:
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


def _path_of(call: Call) -> str:
    """Return the path of the module that ran a layer: the innermost one that has weights."""
    for scope in reversed(call.scopes):
        if any(True for _parameter in scope.module.parameters(recurse=False)):
            return scope.path
    return call.module or ""


def _of_module(found: _Found) -> Place:
    assert found.module is not None
    path = found.module.path
    owner, _dot, attribute = path.rpartition(".")
    line = found.call.location
    name = _name_of_module(found.module.module)
    slot = Slot(path, "fc", "", name, 1, _shown(line))
    return Place(slot, owner, attribute)


def _shown(line: Location) -> str | None:
    """Return the line that makes a call; one of actlab itself, which runs the network, is none."""
    if not line.file or str(line.file).startswith(_ACTLAB):
        return None
    return f"{line.file}:{line.line}"


def _name_of_module(module: nn.Module) -> str:
    """Return the catalogue's name of a module where its class has one, else its class's.

    Parameters that are not the usual ones are part of it.

    >>> _name_of_module(nn.LeakyReLU(0.2)), _name_of_module(nn.GELU("tanh"))
    ('leaky_relu(negative_slope=0.2)', 'gelu_tanh')
    """
    from actlab import activations
    from actlab.errors import UnknownNameError

    if not any(True for _parameter in module.parameters()):
        try:
            function = activations.get(module)
        except (UnknownNameError, activations.ParameterError):
            pass
        else:
            usual = activations.get(function.name).values
            changed = [f"{k}={v:g}" for k, v in function.values.items() if usual[k] != v]
            return f"{function.name}({', '.join(changed)})" if changed else function.name
    kind = type(module).__name__
    for name in (kind, kind.removesuffix("Activation")):
        try:
            return activations.get(name).name
        except UnknownNameError:
            continue
    return kind


_SHAPES = {"leaky_relu": ("negative_slope", 0.01), "elu": ("alpha", 1.0), "celu": ("alpha", 1.0)}
"""Functions with a parameter: its name, and what it usually is."""


def _name_of_call(call: Call) -> str:
    """Return the catalogue's name of a functional call, with a parameter that is not usual."""
    if call.op == "clamp":
        return "relu" if call.argument("max", 2) is None else "relu6"
    if call.op == "gelu":
        return "gelu_tanh" if call.argument("approximate", 1) == "tanh" else "gelu"
    parameter, usual = _SHAPES.get(call.op, ("", None))
    given = call.argument(parameter, 1, usual)
    if isinstance(given, int | float) and given != usual:
        return f"{call.op}({parameter}={given:g})"
    return call.op


def _of_call(model: nn.Module, found: _Found) -> Place:
    """Return the place of a functional call: an attribute of its owner, or a line of code."""
    call = found.call
    owner = _owner(model, call)
    line = call.ran_at
    location = _shown(line)
    name = {"clamp": "relu"}.get(call.op, call.op)
    shown = _name_of_call(call)
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


def _recurrent(trace: Trace) -> list[_Found]:
    """Return the calls of recurrent layers, whose activations are their own."""
    return [
        _Found(call.index, call.index, call.inputs[0], call.output, call)
        for call in trace.calls
        if call.op in ops.RECURRENT and call.inputs and call.outputs
    ]


def _of_recurrent(found: _Found) -> Place:
    path = _path_of(found.call)
    plain = found.call.op.startswith("rnn")
    name = "relu" if "relu" in found.call.op else "tanh"
    reason = None
    if not plain:
        reason = _(
            "tanh and sigmoid are part of the layer in torch's own code. Write the cell in Python "
            "to compare others, or use nn.RNN, which takes tanh or relu."
        )
    line = found.call.location
    location = _shown(line)
    slot = Slot(path, "recurrent", path, name, 1, location, swappable=plain, reason=reason)
    return Place(slot, path, "nonlinearity")


def _merged(described: list[tuple[_Found, Place]], modules: list[_ModuleCall]) -> Iterator[Place]:
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
