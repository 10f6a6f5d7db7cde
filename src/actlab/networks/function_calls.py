"""Other activations in place of what a forward calls: one function at one line, or one module.

A functional call is met by a `TorchFunctionMode` that is on while its owner's forward runs, and is
told apart by the line that makes it; everything else passes unchanged. A module that is called in
several places counts the calls of a pass, so that each place has a module of its own. Both are
modules with hooks that copy and pickle with the network.
"""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from actlab.capture.frames import is_torch

Site = tuple[str, str, int]
"""A call in the source: file, qualified name of the code, and the instruction in it."""

CHILD = "functional_activations"
"""The name of the child that holds what stands in the place of an owner's functional calls."""


class FunctionCalls(nn.ModuleList):
    """The modules in the place of functional calls of one owner, by function and line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[tuple[str, Site], _Line] = {}
        self._running: list[_Replacing] = []

    def put(
        self,
        function: str,
        site: Site,
        order: Sequence[int],
        turn: int,
        module: nn.Module,
        argument: int = 0,
    ) -> int:
        """Let `module` be called at a place, and return its number in this list."""
        line = self.lines.setdefault((function, site), _Line(tuple(order), argument))
        self.append(module)
        line.numbers[turn] = len(self) - 1
        return len(self) - 1

    def enter(self, owner: nn.Module, _args: Any) -> None:
        """Begin a pass through the owner's forward: a forward pre-hook of it."""
        mode = _Replacing(self, owner)
        mode.__enter__()  # type: ignore[no-untyped-call]
        self._running.append(mode)

    def leave(self, _owner: nn.Module, _args: Any, _output: Any) -> None:
        """End the pass: a forward hook, called after an error too."""
        self._running.pop().__exit__(None, None, None)  # type: ignore[no-untyped-call]


class _Line:
    """One line that calls: whose turn each call of a pass is, and the module for that turn."""

    def __init__(self, order: tuple[int, ...], argument: int) -> None:
        self.order, self.argument = order, argument
        self.numbers: dict[int, int] = {}

    def number(self, count: int) -> int | None:
        """Return which module the call after `count` others is for, None for the original."""
        return self.numbers.get(self.order[min(count, len(self.order) - 1)])


class _Replacing(TorchFunctionMode):
    def __init__(self, calls: FunctionCalls, owner: nn.Module) -> None:
        super().__init__()
        self._calls, self._owner = calls, owner
        self._names = {function for function, _site in calls.lines}
        self._counts: Counter[tuple[str, Site]] = Counter()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in self._names:
            site = _site_of(sys._getframe(1), self._owner)
            line = self._calls.lines.get((name, site)) if site else None
            if line is not None and site is not None:
                count = self._counts[name, site]
                self._counts[name, site] += 1
                number = line.number(count)
                if number is not None:
                    return self._called(number, line.argument, name, args, kwargs)
        return func(*args, **kwargs)

    def _called(
        self, number: int, argument: int, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        given: Tensor = args[argument] if len(args) > argument else kwargs["input"]
        module = self._calls[number]
        if name.endswith("_"):
            # What the call changes in place may be read again under its old name.
            return given.copy_(module(given.clone()))
        return module(given)


def _site_of(frame: FrameType | None, owner: nn.Module) -> Site | None:
    """Return the line outside torch that makes a call, if the owner's own forward does."""
    while frame is not None and is_torch(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return None
    site = (frame.f_code.co_filename, frame.f_code.co_qualname, frame.f_lasti)
    while frame is not None and frame.f_code.co_name != "_call_impl":
        frame = frame.f_back
    return site if frame is not None and frame.f_locals.get("self") is owner else None


def function_calls_of(owner: nn.Module) -> FunctionCalls:
    """Return what replaces functional calls of `owner`, put there if there is none yet."""
    known = getattr(owner, CHILD, None)
    if isinstance(known, FunctionCalls):
        return known
    calls = FunctionCalls()
    owner.add_module(CHILD, calls)
    owner.register_forward_pre_hook(calls.enter)
    owner.register_forward_hook(calls.leave, always_call=True)
    return calls


class InTurn(nn.ModuleList):
    """A module for each place that one module was called in, taken in the order of the calls.

    `order` says for each call of a pass through `runner` which module it is for.
    """

    def __init__(self, modules: Sequence[nn.Module], order: Sequence[int]) -> None:
        super().__init__(modules)
        self.order = tuple(order)
        self._count = 0

    def begin(self, _runner: nn.Module, _args: Any) -> None:
        """Begin a pass: a forward pre-hook of the module that makes the calls."""
        self._count = 0

    def forward(self, values: Tensor) -> Tensor:
        """Apply the module whose turn it is to `values`."""
        turn = self.order[min(self._count, len(self.order) - 1)]
        self._count += 1
        output: Tensor = self[turn](values)
        return output


class OfFunction(nn.Module):
    """A function of single values as a module.

    >>> import torch
    >>> OfFunction(torch.tanh)(torch.zeros(2))
    tensor([0., 0.])
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, values: Tensor) -> Tensor:
        """Return f(values)."""
        return self.function(values)

    def extra_repr(self) -> str:
        """Return the name of the function."""
        return getattr(self.function, "__name__", repr(self.function))


class GatedUnit(nn.Module):
    """a * f(b) for the two halves a and b of a dimension: the gated linear unit of f.

    Source: Shazeer 2020, GLU Variants Improve Transformer, arXiv:2002.05202.
    """

    def __init__(self, gate: nn.Module, dim: int = -1) -> None:
        super().__init__()
        self.gate, self.dim = gate, dim

    def forward(self, values: Tensor) -> Tensor:
        """Return the gated half, of half the size in that dimension."""
        first, second = values.chunk(2, self.dim)
        gated: Tensor = first * self.gate(second)
        return gated
