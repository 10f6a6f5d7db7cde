"""Watching one step as it runs: every call with its tensors, its line and its module.

`recording()` puts a `TorchFunctionMode` around a program. The mode is shown every torch function
that Python calls, functional ones, those under no_grad and the loss included, and sees nothing of
what one such function does inside; so `F.cross_entropy` is one call, and attention is one call.
A tensor that is changed in place is a new `Value` each time.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks
from torch.overrides import TorchFunctionMode

from actlab.checker import ops
from actlab.checker.declared import declaration
from actlab.checker.findings import Location
from actlab.checker.frames import NOWHERE, Trail, is_library, trail

_NO_RECORD = frozenset({
    "shape", "size", "dim", "ndim", "ndimension", "dtype", "device", "is_cuda", "numel", "nelement",
    "requires_grad", "grad_fn", "grad", "is_leaf", "layout", "is_sparse", "is_nested", "is_mps",
    "stride", "data_ptr", "storage", "untyped_storage", "is_contiguous", "is_floating_point",
    "is_complex", "names", "_version", "set_grad_enabled", "backward", "item", "tolist", "numpy",
    "__len__", "__bool__", "__format__", "__repr__", "__hash__", "is_quantized", "output_nr",
    "_base", "register_hook", "is_meta", "is_cpu", "is_inference", "element_size", "get_device",
})  # fmt: skip


@dataclass(eq=False, slots=True)
class Value:
    """A tensor at one moment of the step.

    `call` made it, as the output number `position`; None for what the step was given: parameters,
    inputs, targets, constants.
    """

    tensor: Tensor
    version: int
    call: "Call | None" = None
    position: int = 0

    @property
    def shape(self) -> torch.Size:
        """Return the shape of the tensor."""
        return self.tensor.shape

    @property
    def intact(self) -> bool:
        """Return whether the tensor still holds what it held then."""
        return _version(self.tensor) == self.version


@dataclass(frozen=True, slots=True)
class Scope:
    """A module whose forward is running; `path` is dotted, from the root that was called."""

    module: nn.Module
    path: str


@dataclass(eq=False, slots=True)
class Call:
    """One call of a torch function.

    `op` is its name in the vocabulary of `ops`; `args` and `kwargs` are what it was given, with a
    `Value` in the place of each tensor; `inputs` are these values in order. `trail` has the
    lines that led to it, `files` are where a module may have been written down. `error` is the
    exception that the call raised.
    """

    index: int
    op: str
    function: Callable[..., Any] | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...] = ()
    trail: Trail = NOWHERE
    files: tuple[str, ...] = ()
    scopes: tuple[Scope, ...] = ()
    grad_enabled: bool = True
    error: BaseException | None = None

    @property
    def output(self) -> Value:
        """Return the first output."""
        return self.outputs[0]

    @property
    def module(self) -> str | None:
        """Return the path of the innermost module, None outside any module."""
        return self.scopes[-1].path if self.scopes else None

    @property
    def origin(self) -> str:
        """Return the file that made the call: torch's own, where a module or distribution did."""
        return self.trail.origin

    @property
    def location(self) -> Location:
        """Return where the user wrote the module of a container, else the line that ran the call.

        The line is a library's where no line of the user's led here.
        """
        ran = self.ran_at
        written = declaration(self.scopes, self._files) if self._is_of_module else None
        return ran if written is None else replace(written, called_from=ran)

    @property
    def ran_at(self) -> Location:
        """Return the line that ran the call."""
        lines = self.trail.lines
        inner = lines[: self.trail.inner]
        own = [line for line in inner if not is_library(line.code.co_filename)]
        asked = () if self.files else lines
        line = next(iter((*own, *inner, *asked)), None)
        return line.location(self.module) if line else Location(module=self.module)

    @property
    def _is_of_module(self) -> bool:
        """Return whether a module of torch's made the call, on behalf of whoever built it."""
        return bool(self.scopes) and type(self.scopes[-1].module).__module__.startswith("torch.nn")

    @property
    def _files(self) -> tuple[str, ...]:
        """Return the files to search: those given, and that of the user's innermost line."""
        lines = self.trail.lines[self.trail.inner - 1 if self.trail.inner else 0 :]
        return (*self.files, *(line.code.co_filename for line in lines[:1]))

    @property
    def is_located(self) -> bool:
        """Return whether a line of the captured program itself made the call."""
        return self.trail.inner > 0

    def argument(self, name: str, position: int, default: Any = None) -> Any:
        """Return an argument by name or position, `default` where it was not given."""
        if name in self.kwargs:
            return self.kwargs[name]
        return self.args[position] if position < len(self.args) else default


@dataclass
class Trace:
    """All calls of one run, in order, with what became of each tensor.

    `sources` are the values that no recorded call made, `roots` the calls of modules from outside
    any other, `failed` the call that raised, `witnessed` the sources that autograd explained.
    """

    calls: list[Call] = field(default_factory=list)
    sources: list[Value] = field(default_factory=list)
    failed: Call | None = None
    roots: list["RootCall"] = field(default_factory=list)
    witnessed: tuple[Value, ...] = ()
    _current: dict[int, Value] = field(default_factory=dict)
    _users: dict[int, list[Call]] | None = None

    def value_of(self, tensor: Tensor) -> Value | None:
        """Return the latest value of a tensor object, None where the step never met it."""
        return self._current.get(id(tensor))

    def adopt(self, value: Value) -> None:
        """Take in a value that no recorded call made, and that was not given to any."""
        self._current[id(value.tensor)] = value
        self.sources.append(value)

    def users_of(self, value: Value) -> list[Call]:
        """Return the calls that were given `value`."""
        if self._users is None:
            self._users = {}
            for call in self.calls:
                for given in call.inputs:
                    self._users.setdefault(id(given), []).append(call)
        return self._users.get(id(value), [])


@dataclass(eq=False)
class RootCall:
    """A call of a module from outside any other: what went in, what came out, the calls inside."""

    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    first: int
    last: int = -1
    output: Any = None


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
        except Exception as error:
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
            known = Value(tensor, _version(tensor))
            self.trace._current[id(tensor)] = known
            self.trace.sources.append(known)
        elif known.version != (now := _version(tensor)):
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
        value = Value(tensor, _version(tensor), call, position)
        self.trace._current[id(tensor)] = value
        changed = call.inputs and tensor is call.inputs[0].tensor
        if changed and tensor._base is not None:
            base = tensor._base
            old = self.trace._current.get(id(base))
            if old is not None:
                inputs = (value, old)
                write = Call(len(self.trace.calls), "setitem", None, inputs, {}, inputs)
                write.scopes, write.trail = call.scopes, call.trail
                write.outputs = (Value(base, _version(base), write),)
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


def _version(tensor: Tensor) -> int:
    try:
        return tensor._version
    except RuntimeError:  # tensors of inference mode count no versions
        return 0
