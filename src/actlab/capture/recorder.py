"""Watching one step as it runs: every call with its tensors, its line and its module.

`recording()` puts a `TorchFunctionMode` around a program. The mode is shown every torch function
that Python calls, functional ones, those under no_grad and the loss included, and sees nothing of
what one such function does inside; so `F.cross_entropy` is one call, and attention is one call.
A tensor that is changed in place is a new `Value` each time.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks
from torch.overrides import TorchFunctionMode

from actlab.capture import ops
from actlab.capture.frames import trail
from actlab.capture.trace import Call, RootCall, Scope, Trace, Value, version_of

_NO_RECORD = frozenset({
    "shape", "size", "dim", "ndim", "ndimension", "dtype", "device", "is_cuda", "numel", "nelement",
    "requires_grad", "grad_fn", "grad", "is_leaf", "layout", "is_sparse", "is_nested", "is_mps",
    "stride", "data_ptr", "storage", "untyped_storage", "is_contiguous", "is_floating_point",
    "is_complex", "names", "_version", "set_grad_enabled", "backward", "item", "tolist", "numpy",
    "__len__", "__bool__", "__format__", "__repr__", "__hash__", "is_quantized", "output_nr",
    "_base", "register_hook", "is_meta", "is_cpu", "is_inference", "element_size", "get_device",
})  # fmt: skip


class _Recorder(TorchFunctionMode):
    def __init__(
        self, trace: Trace, on_module: Callable[[nn.Module], object], files: tuple[str, ...]
    ) -> None:
        super().__init__()
        self.files = files
        self.trace = trace
        self.on_module = on_module
        self.scopes: tuple[Scope, ...] = ()
        self.names: dict[int, str] = {}
        self.root_names: dict[int, str] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        op = ops.name_of(func)
        if op in _NO_RECORD:
            return func(*args, **kwargs)
        inputs: list[Value] = []
        seen_args = tuple(self._with_values(item, inputs) for item in args)
        seen_kwargs = {key: self._with_values(item, inputs) for key, item in kwargs.items()}
        call = Call(
            index=len(self.trace.calls),
            op=op,
            function=func,
            args=seen_args,
            kwargs=seen_kwargs,
            inputs=tuple(inputs),
            trail=trail(sys._getframe(1)),
            scopes=self.scopes,
            files=self.files,
            grad_enabled=torch.is_grad_enabled(),
        )
        try:
            result = func(*args, **kwargs)
        except Exception as error:  # noted for the report, then the user's own again
            call.error = error
            self.trace.failed = call
            raise
        outputs = (args[0],) if op == "setitem" else tuple(_tensors(result))
        if outputs:
            call.outputs = tuple(self._made(tensor, call, i) for i, tensor in enumerate(outputs))
            self.trace.calls.append(call)
        return result

    def _with_values(self, item: Any, found: list[Value], depth: int = 0) -> Any:
        if isinstance(item, Tensor):
            value = self._value(item)
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

    def _value(self, tensor: Tensor) -> Value:
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

    def _made(self, tensor: Tensor, call: Call, position: int) -> Value:
        value = Value(tensor, version_of(tensor), call, position)
        self.trace._current[id(tensor)] = value
        changed = call.inputs and tensor is call.inputs[0].tensor
        if changed and tensor._base is not None:
            base = tensor._base
            old = self.trace._current.get(id(base))
            if old is not None:
                inputs = (value, old)
                write = Call(len(self.trace.calls), "setitem", None, inputs, {}, inputs)
                write.scopes, write.trail = call.scopes, call.trail
                write.outputs = (Value(base, version_of(base), write),)
                self.trace.calls.append(write)
                self.trace._current[id(base)] = write.outputs[0]
        return value

    def enter(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        """Note that the forward of `module` starts."""
        self.on_module(module)
        if not self.scopes:
            self._name_root(module)
            self.trace.roots.append(RootCall(module, args, kwargs, len(self.trace.calls)))
        path = self.names.get(id(module))
        if path is None:
            above = self.scopes[-1].path if self.scopes else ""
            path = ".".join(part for part in (above, type(module).__name__) if part)
        self.scopes = (*self.scopes, Scope(module, path))

    def leave(self, module: nn.Module, output: Any) -> None:
        """Note that the forward of `module` ended."""
        while self.scopes:
            last = self.scopes[-1].module
            self.scopes = self.scopes[:-1]
            if last is module:
                break
        if not self.scopes and self.trace.roots:
            root = self.trace.roots[-1]
            root.output, root.last = output, len(self.trace.calls)

    def _name_root(self, module: nn.Module) -> None:
        if id(module) in self.root_names:
            return
        first = not self.root_names
        prefix = "" if first or id(module) in self.names else type(module).__name__
        self.root_names[id(module)] = prefix
        for name, part in module.named_modules():
            path = ".".join(piece for piece in (prefix, name) if piece)
            self.names.setdefault(id(part), path.replace("_orig_mod.", "").replace("_orig_mod", ""))


@contextmanager
def recording(
    on_module: Callable[[nn.Module], object] = id,
    names_of: nn.Module | None = None,
    files: tuple[str, ...] = (),
) -> Iterator[Trace]:
    """Record every torch call of the block, in the modules they ran in.

    `on_module` is shown each module before its forward runs. Paths are named from `names_of`, or
    from the first module that is called. `files` are where modules may have been written down.

    >>> with recording() as trace:
    ...     _ = torch.relu(torch.ones(2))
    >>> [call.op for call in trace.calls]
    ['ones', 'relu']
    """
    trace = Trace()
    recorder = _Recorder(trace, on_module, files)
    if names_of is not None:
        recorder._name_root(names_of)

    def before(module: nn.Module, args: Any) -> None:
        recorder.enter(module, args, {} if recorder.scopes else _keywords_of_caller())

    def after(module: nn.Module, args: Any, output: Any) -> None:  # noqa: ARG001  torch's signature
        recorder.leave(module, output)

    handles = (
        module_hooks.register_module_forward_pre_hook(before),
        module_hooks.register_module_forward_hook(after, always_call=True),
    )
    try:
        with recorder:
            yield trace
    finally:
        for handle in handles:
            handle.remove()


def _keywords_of_caller() -> dict[str, Any]:
    """Return the keyword arguments of the module call that runs this hook: hooks get none."""
    frame = sys._getframe(2)
    keywords = frame.f_locals.get("kwargs")
    return dict(keywords) if isinstance(keywords, dict) else {}


def _tensors(result: Any, depth: int = 0) -> Iterable[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, (tuple, list)) and depth < 2:
        for part in result:
            yield from _tensors(part, depth + 1)
