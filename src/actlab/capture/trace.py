"""What was seen of one step: the calls in their order, and the values that they took and gave.

A tensor that is changed in place is a new `Value` each time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from actlab.capture.frames import NOWHERE, Line, Trail, is_library
from actlab.capture.location import Location
from actlab.capture.module_source import Scope, declaration


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
        return version_of(self.tensor) == self.version


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
        """Return the place of the line that ran the call."""
        line = self.line
        return line.location(self.module) if line else Location(module=self.module)

    @property
    def line(self) -> Line | None:
        """Return the line that ran the call: the user's, else a library's."""
        lines = self.trail.lines
        inner = lines[: self.trail.inner]
        own = [line for line in inner if not is_library(line.code.co_filename)]
        asked = () if self.files else lines
        return next(iter((*own, *inner, *asked)), None)

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
    any other, `failed` the call that raised, `reconstructed` the sources that autograd explained;
    `ran_backward` tells whether the step took a backward pass of its own; `left` are the calls that
    took numbers out of torch.
    """

    calls: list[Call] = field(default_factory=list)
    sources: list[Value] = field(default_factory=list)
    failed: Call | None = None
    roots: list["RootCall"] = field(default_factory=list)
    reconstructed: tuple[Value, ...] = ()
    ran_backward: bool = False
    left: list[Call] = field(default_factory=list)
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


def version_of(tensor: Tensor) -> int:
    """Return how often a tensor was changed in place."""
    try:
        return tensor._version
    except RuntimeError:  # tensors of inference mode count no versions
        return 0


def tensors_in(item: Any, depth: int = 4) -> Iterator[Tensor]:
    """Yield the tensors of nested tuples, lists and dictionaries, at most `depth` levels down.

    >>> [tensor.tolist() for tensor in tensors_in((torch.ones(1), {"a": [torch.zeros(1)]}))]
    [[1.0], [0.0]]
    """
    if isinstance(item, Tensor):
        yield item
    elif depth > 0 and isinstance(item, (tuple, list, dict)):
        for part in item.values() if isinstance(item, dict) else item:
            yield from tensors_in(part, depth - 1)
