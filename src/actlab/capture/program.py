"""Running a whole program of the user's as Python would, and stopping at its backward passes.

The program is a script, a module or a notebook, as it is. It runs as `__main__` with its own
`sys.argv`; the torch calls that lead to a backward pass are recorded.
"""

import ast
import gc
import json
import linecache
import os
import re
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, TypeGuard, TypeVar
from weakref import WeakSet

import torch
from torch import Tensor, nn, overrides
from torch.overrides import TorchFunctionMode

from actlab.addresses import user_code
from actlab.capture.frames import caller
from actlab.capture.location import Location
from actlab.capture.module_source import Scope
from actlab.capture.recorder import EverythingKept, Recorder, recording
from actlab.capture.trace import Call, Trace, Value, tensors_in
from actlab.errors import AddressError, os_errors_as
from actlab.i18n import _

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class UserProgram:
    """A script, a module or a notebook by its name, with the arguments that are its own."""

    name: str
    arguments: tuple[str, ...] = ()
    is_module: bool = False

    @property
    def is_notebook(self) -> bool:
        """Return whether the program is a notebook, whose cells run in their order."""
        return not self.is_module and self.name.endswith(".ipynb")

    def started(self) -> "StartedProgram":
        """Read the program, and return what is ready to run.

        Raises AddressError where there is no such program, or where it is not Python.
        """
        if self.is_module:
            return self._module()
        path = Path(self.name)
        if not path.is_file():
            raise AddressError(_not_there(self.name))
        with os_errors_as(AddressError, _("{path} cannot be read: {reason}."), path=path):
            content = path.read_bytes()
        path = path.resolve()
        with user_code(self.name, AddressError):
            codes = _cells(path, content) if self.is_notebook else (_compiled(content, str(path)),)
        module = ModuleType("__main__")
        if not self.is_notebook:
            module.__file__ = str(path)
            module.__loader__ = SourceFileLoader("__main__", str(path))
        argv = (self.name, *self.arguments)
        return StartedProgram(self.name, codes, module, argv, path.parent, self.is_notebook)

    def _module(self) -> "StartedProgram":
        sys.path.insert(0, str(Path.cwd()))
        with user_code(_("The import of {place}").format(place=self.name), AddressError):
            try:
                found = runpy._get_module_details(self.name)  # type: ignore[attr-defined]
            except ImportError as error:
                raise AddressError(
                    _("There is no module {name} to run: {text}.").format(
                        name=self.name, text=str(error).rstrip(".")
                    )
                ) from None
            finally:
                sys.path.pop(0)
        _name, spec, code = found
        module = ModuleType("__main__")
        module.__spec__, module.__loader__ = spec, spec.loader
        module.__package__, module.__file__ = spec.parent, spec.origin
        argv = (spec.origin, *self.arguments)
        return StartedProgram(self.name, (code,), module, argv, Path.cwd())


@dataclass(frozen=True, eq=False)
class StartedProgram:
    """What is ready to run: code, the module that it runs in, its arguments and its folder."""

    name: str
    codes: tuple[CodeType, ...]
    module: ModuleType
    argv: tuple[str, ...]
    folder: Path
    is_notebook: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files that the code was compiled from."""
        return tuple(dict.fromkeys(code.co_filename for code in self.codes))

    def run(self) -> None:
        """Run to the end, as `__main__`; whatever the program raises passes."""
        main, path, arguments = sys.modules.get("__main__"), list(sys.path), sys.argv
        sys.modules["__main__"] = self.module
        sys.argv = list(self.argv)
        sys.path.insert(0, str(self.folder))
        if self.is_notebook:
            os.chdir(self.folder)
            self.module.__dict__.update(display=print, get_ipython=lambda: None)
        try:
            for code in self.codes:
                exec(code, self.module.__dict__)
        finally:
            sys.path[:], sys.argv = path, arguments
            if main is not None:
                sys.modules["__main__"] = main

    def backward_lines(self) -> int:
        """Return how many lines of the program take a backward pass."""
        lines: set[tuple[str, int]] = set()
        for file in self.files:
            try:
                tree = ast.parse("".join(linecache.getlines(file)))
            except (SyntaxError, ValueError):
                continue
            lines |= {
                (file, node.lineno)
                for node in ast.walk(tree)
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("backward", "manual_backward")
            }
        return len(lines)


def _not_there(name: str) -> str:
    text = _("There is no file {path}.").format(path=name)
    if name.endswith((".py", ".ipynb")):
        return text
    advice = _("A module is run with -m {name}; what a file defines is {name}.py:Net.")
    return f"{text} " + advice.format(name=name)


def _compiled(content: bytes | str, name: str) -> CodeType:
    return compile(content, name, "exec", dont_inherit=True)


_MAGIC = re.compile(r"^(\s*)(?:[%!?]|\w+\s*=\s*[%!]|.*\?\s*$)")


def _cells(path: Path, content: bytes) -> tuple[CodeType, ...]:
    """Compile the code cells of a notebook; cell 3 is the file `NOTEBOOK[3]`."""
    codes = []
    for number, cell in enumerate(json.loads(content)["cells"], start=1):
        if cell["cell_type"] != "code":
            continue
        text, name = _without_magics("".join(cell["source"])), f"{path}[{number}]"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        codes.append(_compiled(text, name))
    return tuple(codes)


def _without_magics(cell: str) -> str:
    """Return a cell with what is not Python but a notebook's own put into comments.

    Neither a shell command (`!pip install`) nor a magic (`%matplotlib`) runs; of `%%time` and its
    like the cell under it does.

    >>> _without_magics("%matplotlib inline\\nx = 1")
    'pass  # %matplotlib inline\\nx = 1'
    """
    try:
        ast.parse(cell)
    except (SyntaxError, ValueError):
        lines = cell.splitlines()
    else:
        return cell
    first = next(iter(lines), "")
    if first.startswith("%%") and not re.match(
        r"%%(time|timeit|capture|prun|actlab_check)\b", first
    ):
        return "\n".join(f"# {line}" for line in lines)
    return "\n".join(_MAGIC.sub(lambda m: f"{m[1]}pass  # {m[0][len(m[1]) :]}", ln) for ln in lines)


class FromFirstGradient(EverythingKept):
    """Keeps the calls from the first on that makes what takes a gradient.

    What came before (data, initial weights, an evaluation) is part of no step, nor is what runs in
    evaluation mode inside a module that an earlier step had in training mode.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits = True
        self.is_off = False
        self._trained: WeakSet[nn.Module] = WeakSet()

    @contextmanager
    def off(self) -> Iterator[None]:
        """Keep nothing of what runs in the block."""
        self.is_off = True
        try:
            yield
        finally:
            self.is_off = False
            self.restart()

    def restart(self) -> None:
        """Forget what was kept, and wait again."""
        for root in self.trace.roots:
            if root.module.training:
                self._trained.add(root.module)
        self.trace, self.waits = Trace(), True

    def passes_over(self, op: str, scopes: tuple[Scope, ...], given: Any) -> bool:
        """Return whether a call is part of no step: none has begun, or it is an evaluation's."""
        if self.is_off or self._evaluates(scopes):
            return True
        if not self.waits:
            return False
        if op in _NO_STEP or not torch.is_grad_enabled():
            return True
        return not any(tensor.requires_grad for tensor in tensors_in(given, 2))

    def _evaluates(self, scopes: tuple[Scope, ...]) -> bool:
        outermost = scopes[0].module if scopes else None
        if outermost is None or outermost.training:
            return False
        return outermost in self._trained

    def after(self, call: Call, *given: Any) -> None:
        """Let the step begin; start anew where so much came without a backward pass.

        What is given a gradient and makes none (an accuracy, `float(loss)`) begins no step.
        """
        if self.waits and not any(value.tensor.requires_grad for value in call.outputs):
            self.trace.calls.pop()
            for value in call.outputs:
                self.trace._current.pop(id(value.tensor), None)
            return
        self.waits = False
        super().after(call, *given)
        if len(self.trace.calls) > _MOST_CALLS:
            self.restart()


_NO_STEP = frozenset({
    "data", "detach", "requires_grad_", "to", "cpu", "cuda", "clone",
    "kaiming_uniform", "uniform", "normal", "constant", "trunc_normal",
})  # fmt: skip
"""What is done with parameters before any step."""
_MOST_CALLS = 50_000


OnPass = Callable[[Trace, Tensor, Location], None]


class PassWatch:
    """Records what leads to a backward pass, and calls `on_pass` in the place of the pass.

    `on_pass(trace, loss, place)` may raise to stop the program; where it returns, the pass is taken
    and the next one is waited for, until `end` is called. While it is watched, torch.compile leaves
    a model as it is, or with `compiles` has it run as it is until the end.
    """

    def __init__(self, on_pass: OnPass, compiles: bool = False) -> None:
        self._on_pass = on_pass
        self._compiles = compiles
        self._sink = FromFirstGradient()
        self._stack = ExitStack()

    def __enter__(self) -> "PassWatch":
        self._stack.enter_context(recording(self._on_module, sink=self._sink))
        for holder in (Tensor, torch.autograd):
            in_place = self._in_place_of(holder.backward)
            self._stack.enter_context(_replaced(holder, "backward", in_place))
        compiled = _compiled_eagerly(torch.compile) if self._compiles else _not_compiled
        self._stack.enter_context(_replaced(torch, "compile", compiled))
        return self

    def __exit__(self, *raised: object) -> None:
        self.end()

    def end(self) -> None:
        """Stop to record; the program may go on as if nothing had been."""
        above: list[TorchFunctionMode] = []
        while self._recorder() is not None and not self._is_own(_modes()[-1]):
            above.append(_popped())
        self._stack.close()
        for mode in reversed(above):
            _push(mode)
        if self._compiles:
            _set_stance("default")

    def _in_place_of(self, plain: Callable[..., None]) -> Callable[..., None]:
        def backward(tensors: Any, *given: Any, **named: Any) -> None:
            if self._sink.is_off:
                plain(tensors, *given, **named)
                return
            losses = [tensors] if isinstance(tensors, Tensor) else list(tensors)
            trace = self._sink.trace
            self._sink.restart()
            with self._sink.off():
                self._on_pass(without_what_came_before(trace, losses[0]), losses[0], caller())
                plain(tensors, *given, **named)

        return backward

    def _on_module(self, module: nn.Module) -> None:
        recorder = self._recorder()
        if recorder is None:
            return
        if not recorder.scopes and self._sink.waits:
            self._sink.trace.roots.clear()
        if not recorder.is_named:
            recorder.name_root(_whole_of(module))

    def _recorder(self) -> Recorder | None:
        return next((mode for mode in _modes() if self._is_own(mode)), None)

    def _is_own(self, mode: object) -> TypeGuard[Recorder]:
        return isinstance(mode, Recorder) and mode.sink is self._sink


_modes: Callable[[], list[Any]] = overrides._get_current_function_mode_stack
_popped: Callable[[], TorchFunctionMode] = overrides._pop_mode
_push: Callable[[TorchFunctionMode], None] = overrides._push_mode


@contextmanager
def _replaced(holder: object, name: str, other: object) -> Iterator[None]:
    before = getattr(holder, name)
    setattr(holder, name, other)
    try:
        yield
    finally:
        setattr(holder, name, before)


def _not_compiled(model: Any = None, **_options: Any) -> Any:
    """Do what `torch.compile` does, but compile nothing."""
    return model if model is not None else lambda function: function


def _compiled_eagerly(compiling: Callable[..., Any]) -> Callable[..., Any]:
    """Return `torch.compile`, after which compiled code runs as it is written, for now."""

    def compiled(*given: Any, **named: Any) -> Any:
        result = compiling(*given, **named)
        _set_stance("force_eager")
        return result

    return compiled


def _set_stance(stance: str) -> None:
    """Say how compiled code runs; torch before 2.6 cannot."""
    if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
        torch.compiler.set_stance(stance)


def alive(kind: type[Kind]) -> list[Kind]:
    """Return the objects of a class that the program holds."""
    return [item for item in gc.get_objects() if issubclass(type(item), kind)]


def _whole_of(module: nn.Module) -> nn.Module:
    """Return the largest module that a module is a part of: a LightningModule has its networks."""
    holders = [
        holder for holder in alive(nn.Module) if any(part is module for part in holder.modules())
    ]
    return max(holders, key=lambda holder: sum(1 for _part in holder.modules()), default=module)


def without_what_came_before(trace: Trace, loss: Tensor) -> Trace:
    """Return a trace without the forward passes that ended before the first call behind `loss`.

    A program may have called its model before, to see a shape or to print a summary.
    """
    last = trace.value_of(loss)
    first = min((call.index for call in _behind(last)), default=0) if last is not None else 0
    before = [root for root in trace.roots if 0 <= root.last <= first]
    if not before:
        return trace
    cut = before[-1].last
    for number, call in enumerate(trace.calls):
        call.index = number - cut
    trace.calls = trace.calls[cut:]
    trace.roots = [root for root in trace.roots if root not in before]
    for root in trace.roots:
        root.first, root.last = root.first - cut, root.last - cut
    return trace


def _behind(value: Value) -> Iterator[Call]:
    """Yield, each once, the calls that a value was made by, back to what has no gradient."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        given = waiting.pop()
        call = given.call
        if call is not None and not given.tensor.is_leaf and id(call) not in seen:
            seen.add(id(call))
            waiting.extend(call.inputs)
            yield call
