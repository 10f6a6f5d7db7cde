"""One sampled forward pass: a skeleton of its calls, and what units do.

The values of a pass are not kept, since a training has no memory to spare: units are measured at
once, and of every tensor only shape and type remain, in a stand-in on torch's "meta" device. So the
walks of `origins` work on the skeleton as they do on a captured step.
"""

import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

from actlab.activations.modules.pointwise import Pointwise
from actlab.capture import ops
from actlab.capture.module_source import Scope
from actlab.capture.recorder import Recorder, Sink
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis.origins import unit_dim
from actlab.checker.analysis.tensor_tests import readable
from actlab.checker.statistics.units import MEASURED, UnitStatistics, known_as, measure, rows_of
from actlab.checker.watching.samplers import Stopwatch

_LOCATED = MEASURED | ops.LAYERS


@dataclass(frozen=True, eq=False)
class ActivationRun:
    """One run of an activation: its call in the skeleton, and its statistics."""

    call: Call
    statistics: UnitStatistics


@dataclass(frozen=True, eq=False)
class LayerRun:
    """One run of a layer with weights that are trained."""

    call: Call
    weight: Tensor


@dataclass(eq=False)
class ForwardSample:
    """What one forward pass showed.

    `totals` has the sum of each layer's and activation's output, which is finite if the output is;
    `slopes` are the weights that `prelu` was given. `unobservable_modules` are the paths of parts
    that ran no torch function, `unmeasured` those of activations that could not be run on a part of
    their input, or hold no numbers; `faults` are exceptions of the recording itself. `scaled` means
    that layers ran in float16, where trainings multiply the loss by an unknown factor.
    """

    trace: Trace = field(default_factory=Trace)
    runs: list[ActivationRun] = field(default_factory=list)
    layers: list[LayerRun] = field(default_factory=list)
    totals: list[tuple[Call, Tensor]] = field(default_factory=list)
    slopes: list[Tensor] = field(default_factory=list)
    unobservable_modules: set[str] = field(default_factory=set)
    unmeasured: set[str] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    scaled: bool = False


@contextmanager
def sampled_forward(
    model: nn.Module, flat_slope: float, stopwatch: Stopwatch
) -> Iterator[ForwardSample]:
    """Record what `model` does in the block, in this thread."""
    recorder = SampledForwardRecorder(model, flat_slope, stopwatch)
    with ExitStack() as stack:
        for module in model.modules():
            if module is model:  # its hooks are being called when the block begins and ends
                continue
            if not isinstance(module, torch.jit.ScriptModule):
                before = module.register_forward_pre_hook(recorder.entered)
                after = module.register_forward_hook(recorder.left, always_call=True)
                stack.callback(after.remove)
                stack.callback(before.remove)
            else:
                recorder.sample.unobservable_modules.add(recorder.path_of(module))
        stack.enter_context(recorder)
        yield recorder.sample


class SampledForwardRecorder(Recorder):
    """A recorder of one model, in one thread, that sees what modules say as a whole, too."""

    def __init__(self, model: nn.Module, flat_slope: float, stopwatch: Stopwatch) -> None:
        self._measuring = _Measuring(flat_slope, stopwatch)
        super().__init__(self._measuring)
        self.name_root(model)
        self.scopes = (Scope(model, ""),)
        self._entered: list[tuple[int, int]] = []
        self._thread = threading.get_ident()

    @property
    def sample(self) -> ForwardSample:
        """Return what was recorded so far."""
        return self._measuring.sample

    def entered(self, module: nn.Module, args: Any) -> None:  # noqa: ARG002  torch's signature
        """Note that the forward of a part starts."""
        if threading.get_ident() != self._thread or torch.compiler.is_compiling():
            return
        self.scopes = (*self.scopes, Scope(module, self.path_of(module)))
        self._entered.append((id(module), len(self.sample.trace.calls)))

    def left(self, module: nn.Module, args: Any, output: Any) -> None:
        """Note that the forward of a part ended."""
        if threading.get_ident() != self._thread or torch.compiler.is_compiling():
            return
        first = len(self.sample.trace.calls)
        while self._entered:
            entered, first = self._entered.pop()
            if entered == id(module):
                break
        with self.sink.looking():
            if isinstance(module, Pointwise):
                self._note_pointwise(module, args, output)
            elif first == len(self.sample.trace.calls):
                self._note_silence(module, output)
        self.scopes = self.scopes[: 1 + len(self._entered)]

    def _note_pointwise(self, module: Pointwise, args: Any, output: Any) -> None:
        source = args[0] if args else None
        if isinstance(source, Tensor) and isinstance(output, Tensor) and _is_measurable(source):
            op = type(module).__name__.lower()
            call = self.call(op, module.forward, (source,), {}, sys._getframe(1))
            self.keep(call, (output,))
            self._measuring.measure(call, module.forward, rows_of(source.detach(), 1), output)

    def _note_silence(self, module: nn.Module, output: Any) -> None:
        is_leaf = next(module.children(), None) is None
        if is_leaf and isinstance(output, Tensor) and not self._measuring.knows(output):
            self.sample.unobservable_modules.add(self.path_of(module))


class _Measuring(Sink):
    """Keeps stand-ins of the tensors, and measures activations and layers as they run."""

    def __init__(self, flat_slope: float, stopwatch: Stopwatch) -> None:
        super().__init__()
        self.sample = ForwardSample(self.trace)
        self._flat_slope = flat_slope
        self._stopwatch = stopwatch
        self._values: MutableMapping[Tensor, Value] = WeakIdKeyDictionary()
        self._rows: Tensor | None = None

    def knows(self, tensor: Tensor) -> bool:
        """Return whether a tensor was given to a call, or made by one."""
        return tensor in self._values

    def passes_over(self, op: str, scopes: tuple[Scope, ...], given: Any) -> bool:  # noqa: ARG002
        """Return True inside one of actlab's activations: one call, whatever computes it."""
        return isinstance(scopes[-1].module, Pointwise)

    def locates(self, op: str) -> bool:
        return op in _LOCATED

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look at the program unseen by any mode, and never raise into it."""
        try:
            with self._stopwatch, without_modes():
                yield
        except Exception as error:  # the program that is watched comes first
            self.sample.faults.add(f"{type(error).__name__}: {error}")

    def before(
        self, op: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._rows = None
        if op in MEASURED:
            self._rows = _rows_before(function, args[0] if args else kwargs.get("input"), kwargs)

    def value_of(self, tensor: Tensor) -> Value:
        value = self._values.get(tensor)
        if value is None:
            value = self._values[tensor] = Value(_stand_in(tensor), 0)
        return value

    def made(self, tensor: Tensor, call: Call, position: int) -> Value:
        value = self._values[tensor] = Value(_stand_in(tensor), 0, call, position)
        return value

    def after(
        self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: tuple[Tensor, ...]
    ) -> None:
        op, call.op = call.op, known_as(call)
        output, rows = outputs[0], self._rows
        if op in ops.AFFINE:
            self._note_layer(call, args, kwargs)
            self.sample.scaled |= _runs_in_half(output)
        if op == "prelu" and len(args) > 1:
            self.sample.slopes.append(args[1])
        if op in ops.LAYERS and output.is_floating_point() and readable(output):
            with torch.no_grad():
                total = output.detach().sum(dtype=torch.float32)
                self.sample.totals.append((call, total))
        if rows is not None:
            self.measure(call, _applied(call.function, args, kwargs), rows, output)
        elif op in MEASURED and output.numel():
            self.sample.unmeasured.add(call.module or op)

    def measure(
        self, call: Call, function: Callable[[Tensor], Tensor], rows: Tensor, output: Tensor
    ) -> None:
        """Measure the units of one run of an activation."""
        try:
            statistics = measure(function, rows, output, unit_dim(call), call.op, self._flat_slope)
        except RuntimeError:  # a function that cannot be run on a part of its input
            self.sample.unmeasured.add(call.module or call.op)
            return
        self.sample.runs.append(ActivationRun(call, statistics))

    def _note_layer(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        position = 2 if call.op == "addmm" else 1
        weight = args[position] if len(args) > position else kwargs.get("weight")
        if isinstance(weight, Tensor) and weight.requires_grad:
            self.sample.layers.append(LayerRun(call, weight))


def without_modes() -> AbstractContextManager[None]:
    """Return a context in which torch functions are seen by no mode: neither ours nor others'."""
    context: AbstractContextManager[None] = torch._C.DisableTorchFunction()
    return context


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


def _applied(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[Tensor], Any]:
    rest = tuple(_detached(item) for item in args[1:])
    keywords = {key: _detached(item) for key, item in kwargs.items() if key != "input"}
    return lambda x: func(x, *rest, **keywords)


def _detached(item: Any) -> Any:
    return item.detach() if isinstance(item, Tensor) else item


def _stand_in(tensor: Tensor) -> Tensor:
    shape = () if nn.parameter.is_lazy(tensor) else tensor.shape
    return torch.empty(shape, dtype=tensor.dtype, device="meta")
