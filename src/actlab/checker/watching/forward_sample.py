"""Listening to one pass of a model as it runs: a skeleton of its calls, and what units do.

The values of a pass are not kept, since a training has no memory to spare: units are measured at
once, and of every tensor only shape and type remain, in a stand-in on torch's "meta" device. So the
walks of `provenance` work on the skeleton as they do on a captured step.
"""

import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

from actlab.activations.modules.pointwise import Pointwise
from actlab.capture import ops
from actlab.capture.frames import NOWHERE, trail
from actlab.capture.trace import Call, Scope, Trace, Value
from actlab.checker.analysis.origins import unit_dim
from actlab.checker.analysis.tensor_tests import readable
from actlab.checker.statistics.finiteness import LAYERS
from actlab.checker.statistics.units import MEASURED, UnitStatistics, known_as, measure, rows_of
from actlab.checker.watching.samplers import Stopwatch


@dataclass(frozen=True, eq=False)
class Run:
    """One run of an activation: its call in the skeleton, and its statistics."""

    call: Call
    statistics: UnitStatistics


@dataclass(frozen=True, eq=False)
class LayerRun:
    """One run of a layer with weights that are trained."""

    call: Call
    weight: Tensor


@dataclass(eq=False)
class Heard:
    """What was heard in one pass.

    `totals` has the sum of each layer's and activation's output, which is finite if the output is;
    `slopes` are the weights that `prelu` was given. `deaf` names parts that ran no torch function
    and so could not be heard, `unmeasured` activations that could not be run on a part of their
    input, or hold no numbers; `faults` what went wrong in listening itself. `scaled` means that
    layers ran in float16, where trainings multiply the loss by an unknown factor.
    """

    trace: Trace = field(default_factory=Trace)
    runs: list[Run] = field(default_factory=list)
    layers: list[LayerRun] = field(default_factory=list)
    totals: list[tuple[Call, Tensor]] = field(default_factory=list)
    slopes: list[Tensor] = field(default_factory=list)
    deaf: set[str] = field(default_factory=set)
    unmeasured: set[str] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    scaled: bool = False


@contextmanager
def listening(model: nn.Module, flat_slope: float, stopwatch: Stopwatch) -> Iterator[Heard]:
    """Listen to what `model` does in the block, in this thread."""
    ears = _Ears(model, flat_slope, stopwatch)
    with ExitStack() as stack:
        for module in model.modules():
            if module is model:  # its hooks are being called when listening begins and ends
                continue
            if not isinstance(module, torch.jit.ScriptModule):
                before = module.register_forward_pre_hook(ears.enter)
                after = module.register_forward_hook(ears.leave, always_call=True)
                stack.callback(after.remove)
                stack.callback(before.remove)
            else:
                ears.heard.deaf.add(ears.path_of(module))
        stack.enter_context(ears)
        yield ears.heard


def unseen() -> AbstractContextManager[None]:
    """Return a context in which torch functions are seen by no mode: neither ours nor others'."""
    context: AbstractContextManager[None] = torch._C.DisableTorchFunction()
    return context


class _Ears(TorchFunctionMode):
    def __init__(self, model: nn.Module, flat_slope: float, stopwatch: Stopwatch) -> None:
        super().__init__()
        self._stopwatch = stopwatch
        self.heard = Heard()
        self._flat_slope = flat_slope
        self._values: MutableMapping[Tensor, Value] = WeakIdKeyDictionary()
        self._names = {id(part): _cleaned(name) for name, part in model.named_modules()}
        self._scopes: tuple[Scope, ...] = (Scope(model, ""),)
        self._entered: list[tuple[int, int]] = []
        self._thread = threading.get_ident()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if isinstance(self._scopes[-1].module, Pointwise):
            return func(*args, **kwargs)  # one activation, whatever it is computed by
        op = ops.name_of(func)
        rows = None
        if op in MEASURED:
            with self._listening():
                rows = _rows_before(func, args[0] if args else kwargs.get("input"), kwargs)
        result = func(*args, **kwargs)
        with self._listening():
            outputs = tuple(_tensors(result))
            if outputs:
                call = self._note(op, args, kwargs, outputs)
                self._note_layers(call, args, kwargs, outputs[0])
                if rows is not None:
                    self._measure(call, _applied(func, args, kwargs), rows, outputs[0])
                elif op in MEASURED and outputs[0].numel():
                    self.heard.unmeasured.add(call.module or op)
        return result

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Look at the program unseen by any mode, and never raise into it."""
        try:
            with self._stopwatch, unseen():
                yield
        except Exception as error:  # the program that is heard comes first
            self.heard.faults.add(f"{type(error).__name__}: {error}")

    def _note_layers(
        self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor
    ) -> None:
        if call.op in ops.AFFINE:
            self._note_layer(call, args, kwargs)
            self.heard.scaled |= _runs_in_half(output)
        if call.op == "prelu" and len(args) > 1:
            self.heard.slopes.append(args[1])
        if call.op in LAYERS:
            self._note_finite(call, output)

    def _note(
        self, op: str, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: tuple[Tensor, ...]
    ) -> Call:
        inputs: list[Value] = []
        located = op in MEASURED or op in LAYERS
        call = Call(
            index=len(self.heard.trace.calls),
            op=op,
            function=None,
            args=tuple(self._described(item, inputs) for item in args),
            kwargs={key: self._described(item, inputs) for key, item in kwargs.items()},
            inputs=(),
            trail=trail(sys._getframe(2)) if located else NOWHERE,
            scopes=self._scopes,
        )
        call.op, call.inputs = known_as(call), tuple(inputs)
        call.outputs = tuple(self._made(tensor, call, at) for at, tensor in enumerate(outputs))
        self.heard.trace.calls.append(call)
        return call

    def _described(self, item: Any, found: list[Value], depth: int = 0) -> Any:
        if isinstance(item, Tensor) and not nn.parameter.is_lazy(item):
            value = self._values.get(item)
            if value is None:
                value = self._values[item] = Value(_stand_in(item), 0)
            found.append(value)
            return value
        if depth < 3 and type(item) in (list, tuple):
            return tuple(self._described(part, found, depth + 1) for part in item)
        return item

    def _made(self, tensor: Tensor, call: Call, position: int) -> Value:
        value = self._values[tensor] = Value(_stand_in(tensor), 0, call, position)
        return value

    def _measure(
        self, call: Call, function: Callable[[Tensor], Tensor], rows: Tensor, output: Tensor
    ) -> None:
        try:
            statistics = measure(function, rows, output, unit_dim(call), call.op, self._flat_slope)
        except RuntimeError:  # a function that cannot be run on a part of its input
            self.heard.unmeasured.add(call.module or call.op)
            return
        self.heard.runs.append(Run(call, statistics))

    def _note_layer(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        position = 2 if call.op == "addmm" else 1
        weight = args[position] if len(args) > position else kwargs.get("weight")
        if isinstance(weight, Tensor) and weight.requires_grad:
            self.heard.layers.append(LayerRun(call, weight))

    def _note_finite(self, call: Call, output: Tensor) -> None:
        if output.is_floating_point() and readable(output):
            with torch.no_grad():
                total = output.detach().sum(dtype=torch.float32)
                self.heard.totals.append((call, total))

    def enter(self, module: nn.Module, args: Any) -> None:  # noqa: ARG002  torch's signature
        """Note that the forward of a module starts."""
        if threading.get_ident() != self._thread or torch.compiler.is_compiling():
            return
        self._scopes = (*self._scopes, Scope(module, self.path_of(module)))
        self._entered.append((id(module), len(self.heard.trace.calls)))

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        """Note that the forward of a module ended."""
        if threading.get_ident() != self._thread or torch.compiler.is_compiling():
            return
        first = len(self.heard.trace.calls)
        while self._entered:
            entered, first = self._entered.pop()
            if entered == id(module):
                break
        with self._listening():
            if isinstance(module, Pointwise):
                self._note_pointwise(module, args, output)
            elif first == len(self.heard.trace.calls):
                self._note_silence(module, output)
        self._scopes = self._scopes[: 1 + len(self._entered)]

    def _note_pointwise(self, module: Pointwise, args: Any, output: Any) -> None:
        source = args[0] if args else None
        if isinstance(source, Tensor) and isinstance(output, Tensor) and _is_measurable(source):
            call = self._note(type(module).__name__.lower(), (source,), {}, (output,))
            self._measure(call, module.forward, rows_of(source.detach(), 1), output)

    def _note_silence(self, module: nn.Module, output: Any) -> None:
        is_leaf = next(module.children(), None) is None
        is_new = isinstance(output, Tensor) and output not in self._values
        if is_leaf and is_new:
            self.heard.deaf.add(self.path_of(module))

    def path_of(self, module: nn.Module) -> str:
        """Return the dotted path of a module, its class for one that is not part of the model."""
        return self._names.get(id(module), type(module).__name__)


def _runs_in_half(output: Tensor) -> bool:
    """Return whether autocast turned a layer's arithmetic into float16."""
    if output.dtype is not torch.float16 or output.is_meta:
        return False
    return torch.is_autocast_enabled(output.device.type)


def _is_measurable(tensor: Tensor) -> bool:
    return tensor.ndim > 0 and tensor.is_floating_point() and readable(tensor)


def _rows_before(func: Callable[..., Any], source: Any, kwargs: dict[str, Any]) -> Tensor | None:
    """Return some of the input, a copy where the function is about to overwrite it."""
    if not isinstance(source, Tensor) or not _is_measurable(source):
        return None
    rows = rows_of(source.detach(), 1)
    name = getattr(func, "__name__", "")
    in_place = kwargs.get("inplace") is True or (name.endswith("_") and not name.endswith("__"))
    return rows.clone() if in_place else rows


def _applied(
    func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Callable[[Tensor], Tensor]:
    rest = tuple(_detached(item) for item in args[1:])
    keywords = {key: _detached(item) for key, item in kwargs.items() if key != "input"}
    return lambda x: func(x, *rest, **keywords)


def _detached(item: Any) -> Any:
    return item.detach() if isinstance(item, Tensor) else item


def _stand_in(tensor: Tensor) -> Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


def _tensors(result: Any, depth: int = 0) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif type(result) in (tuple, list) and depth < 2:
        for part in result:
            yield from _tensors(part, depth + 1)


def _cleaned(path: str) -> str:
    return path.replace("_orig_mod.", "").replace("_orig_mod", "")
