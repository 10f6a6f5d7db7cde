"""Recording a program's torch calls as it runs: every call with its tensors, line and module.

A `Recorder` is a `TorchFunctionMode`: it is shown every torch function that Python calls,
functional ones, those under no_grad and the loss included, and sees nothing of what one such
function does inside; so `F.cross_entropy` is one call, and attention is one call. What is kept of a
call is up to its `Sink`: `recording()` keeps everything, as a `Trace`; `actlab.watch` keeps a
skeleton and measures.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks
from torch.overrides import TorchFunctionMode

from actlab.capture import ops
from actlab.capture.frames import NOWHERE, trail
from actlab.capture.module_source import Scope
from actlab.capture.trace import Call, RootCall, Trace, Value, tensors_in, version_of

_NO_RECORD = frozenset({
    "shape", "size", "dim", "ndim", "ndimension", "dtype", "device", "is_cuda", "numel", "nelement",
    "requires_grad", "grad_fn", "grad", "is_leaf", "layout", "is_sparse", "is_nested", "is_mps",
    "stride", "data_ptr", "storage", "untyped_storage", "is_contiguous", "is_floating_point",
    "is_complex", "names", "_version", "set_grad_enabled", "backward", "item",
    "__len__", "__bool__", "__format__", "__repr__", "__hash__", "is_quantized", "output_nr",
    "_base", "register_hook", "is_meta", "is_cpu", "is_inference", "element_size", "get_device",
})  # fmt: skip


class Sink:
    """Takes the calls that a `Recorder` sees, into `trace`. A subclass says what is kept."""

    def __init__(self) -> None:
        self.trace = Trace()

    def passes_over(self, op: str, scopes: tuple[Scope, ...], given: Any) -> bool:
        """Return whether a call in the innermost module, `given` these arguments, is left out."""
        del op, scopes, given
        return False

    def locates(self, op: str) -> bool:  # noqa: ARG002  for subclasses
        """Return whether the lines that led to a call are worth their time."""
        return True

    def looking(self) -> AbstractContextManager[None]:
        """Return a context for the sink's work on a call."""
        return nullcontext()

    def before(
        self, op: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Be told of a call before it runs: what it is given may be overwritten by it."""

    def value_of(self, tensor: Tensor) -> Value:
        """Return the value that a tensor holds, which a call is given."""
        raise NotImplementedError

    def made(self, tensor: Tensor, call: Call, position: int) -> Value:
        """Return the value of an output."""
        raise NotImplementedError

    def failed(self, call: Call, error: Exception) -> None:
        """Be told that a call raised."""

    def after(
        self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: tuple[Tensor, ...]
    ) -> None:
        """Be told of a call that ran, which is in the trace now."""


class Recorder(TorchFunctionMode):
    """Hands the torch calls of a block to a sink, with the modules that they ran in."""

    def __init__(self, sink: Sink, files: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.sink = sink
        self.scopes: tuple[Scope, ...] = ()
        self._files = files
        self._names: dict[int, str] = {}
        self._roots: set[int] = set()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        op = ops.name_of(func)
        sink = self.sink
        if op == "backward":
            sink.trace.ran_backward = True
        if op in _NO_RECORD or sink.passes_over(op, self.scopes, (args, kwargs)):
            return func(*args, **kwargs)
        call: Call | None = None
        with sink.looking():
            sink.before(op, func, args, kwargs)
            call = self.call(op, func, args, kwargs, sys._getframe(1))
        try:
            result = func(*args, **kwargs)
        except Exception as error:  # noted for the report, then the user's again
            if call is not None:
                sink.failed(call, error)
            raise
        with sink.looking():
            outputs = (args[0],) if op == "setitem" else tuple(tensors_in(result, 2))
            if outputs and call is not None:
                self.keep(call, outputs)
                sink.after(call, args, kwargs, outputs)
            elif call is not None and op in ops.LEAVING:
                sink.trace.left.append(call)
        return result

    def call(
        self, op: str, func: Callable[..., Any], args: Any, kwargs: dict[str, Any], frame: Any
    ) -> Call:
        """Return a call that is about to run, with a value in the place of each tensor."""
        inputs: list[Value] = []
        return Call(
            index=len(self.sink.trace.calls),
            op=op,
            function=func,
            args=tuple(self._with_values(item, inputs) for item in args),
            kwargs={key: self._with_values(item, inputs) for key, item in kwargs.items()},
            inputs=tuple(inputs),
            trail=trail(frame) if self.sink.locates(op) else NOWHERE,
            scopes=self.scopes,
            files=self._files,
            grad_enabled=torch.is_grad_enabled(),
        )

    def keep(self, call: Call, outputs: tuple[Tensor, ...]) -> None:
        """Put a call that ran into the trace."""
        call.index = len(self.sink.trace.calls)
        call.outputs = tuple(self.sink.made(tensor, call, i) for i, tensor in enumerate(outputs))
        self.sink.trace.calls.append(call)

    def _with_values(self, item: Any, found: list[Value], depth: int = 0) -> Any:
        if isinstance(item, Tensor):
            value = self.sink.value_of(item)
            found.append(value)
            return value
        if depth < 3:
            if type(item) in (list, tuple) or isinstance(item, torch.Size):
                return tuple(self._with_values(part, found, depth + 1) for part in item)
            if isinstance(item, dict):
                return {k: self._with_values(v, found, depth + 1) for k, v in item.items()}
            if hasattr(item, "_fields"):  # a packed sequence is a named tuple of tensors
                return tuple(self._with_values(part, found, depth + 1) for part in item)
        return item

    def enter(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        """Note that the forward of `module` starts."""
        if not self.scopes:
            self.name_root(module)
            calls = self.sink.trace.calls
            self.sink.trace.roots.append(RootCall(module, args, kwargs, len(calls)))
        self.scopes = (*self.scopes, Scope(module, self.path_of(module)))

    def leave(self, module: nn.Module, output: Any) -> None:
        """Note that the forward of `module` ended."""
        while self.scopes:
            last = self.scopes[-1].module
            self.scopes = self.scopes[:-1]
            if last is module:
                break
        if not self.scopes and self.sink.trace.roots:
            root = self.sink.trace.roots[-1]
            root.output, root.last = output, len(self.sink.trace.calls)

    @property
    def is_named(self) -> bool:
        """Return whether a module has been named from which paths begin."""
        return bool(self._roots)

    def path_of(self, module: nn.Module) -> str:
        """Return the dotted path of a module; of one that is no part of a root, with its class."""
        path = self._names.get(id(module))
        if path is None:
            above = self.scopes[-1].path if self.scopes else ""
            path = ".".join(part for part in (above, type(module).__name__) if part)
        return path

    def name_root(self, module: nn.Module) -> None:
        """Name the parts of a module that is called from outside any other."""
        if id(module) in self._roots:
            return
        prefix = "" if not self._roots or id(module) in self._names else type(module).__name__
        self._roots.add(id(module))
        for name, part in module.named_modules():
            path = ".".join(piece for piece in (prefix, name) if piece)
            path = path.replace("_orig_mod.", "").replace("_orig_mod", "")
            self._names.setdefault(id(part), path)


class EverythingKept(Sink):
    """Keeps every tensor; one that is changed in place is a new `Value` each time."""

    def value_of(self, tensor: Tensor) -> Value:
        """Return the value of a tensor, a new one where it was changed in place."""
        known = self.trace._current.get(id(tensor))
        if known is None:
            known = Value(tensor, version_of(tensor))
            self.trace._current[id(tensor)] = known
            self.trace.sources.append(known)
        elif known.version != (now := version_of(tensor)):
            known = self._changed_through_alias(tensor, known, now)
        return known

    def _changed_through_alias(self, tensor: Tensor, before: Value, version: int) -> Value:
        base = tensor._base if tensor._base is not None else tensor
        latest = self.trace._current.get(id(base), before)
        call = Call(len(self.trace.calls), "alias", None, (latest, before), {}, (latest, before))
        after = Value(tensor, version, call)
        call.outputs = (after,)
        self.trace.calls.append(call)
        self.trace._current[id(tensor)] = after
        return after

    def made(self, tensor: Tensor, call: Call, position: int) -> Value:
        """Return the value of an output, which replaces what the tensor held."""
        value = Value(tensor, version_of(tensor), call, position)
        self.trace._current[id(tensor)] = value
        return value

    def failed(self, call: Call, error: Exception) -> None:
        """Keep the call that raised."""
        call.error = error
        self.trace.failed = call

    def after(self, call: Call, *_given: Any) -> None:
        """Note that a view which was changed in place changed its base."""
        for value in call.outputs:
            base = value.tensor._base
            old = self.trace._current.get(id(base)) if base is not None else None
            if old is None or base is None or value.tensor is not call.inputs[0].tensor:
                continue
            inputs = (value, old)
            write = Call(len(self.trace.calls), "setitem", None, inputs, {}, inputs)
            write.scopes, write.trail = call.scopes, call.trail
            write.outputs = (Value(base, version_of(base), write),)
            self.trace.calls.append(write)
            self.trace._current[id(base)] = write.outputs[0]


@contextmanager
def recording(
    on_module: Callable[[nn.Module], object] = id,
    names_of: nn.Module | None = None,
    files: tuple[str, ...] = (),
    sink: EverythingKept | None = None,
) -> Iterator[Trace]:
    """Record every torch call of the block, in the modules they ran in.

    `on_module` is shown each module before its forward runs. Paths are named from `names_of`, or
    from the first module that is called. `files` are where modules may have been written down.
    `sink` says what is kept, where that is not everything.

    >>> with recording() as trace:
    ...     _ = torch.relu(torch.ones(2))
    >>> [call.op for call in trace.calls]
    ['ones', 'relu']
    """
    recorder = Recorder(EverythingKept() if sink is None else sink, files)
    if names_of is not None:
        recorder.name_root(names_of)

    def before(module: nn.Module, args: Any) -> None:
        on_module(module)
        recorder.enter(module, args, {} if recorder.scopes else _keywords_of_caller())

    def after(module: nn.Module, args: Any, output: Any) -> None:  # noqa: ARG001  torch's signature
        recorder.leave(module, output)

    handles = (
        module_hooks.register_module_forward_pre_hook(before),
        module_hooks.register_module_forward_hook(after, always_call=True),
    )
    try:
        with recorder:
            yield recorder.sink.trace
    finally:
        for handle in handles:
            handle.remove()


def _keywords_of_caller() -> dict[str, Any]:
    """Return the keyword arguments of the module call that runs this hook: hooks get none."""
    frame = sys._getframe(2)
    keywords = frame.f_locals.get("kwargs")
    return dict(keywords) if isinstance(keywords, dict) else {}
