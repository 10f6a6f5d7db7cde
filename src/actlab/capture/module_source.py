"""Finding where a module of a container was written down: `nn.Softmax(dim=1)` in a Sequential.

The line that ran it only says `self.net(x)`. The source of the class that owns the container (or
of the file that asked for the check) is searched for the call that made the module; if there is
exactly one that fits, that is the place to show and to mend.
"""

import ast
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from torch import nn

from actlab.addresses import is_user
from actlab.capture.location import Location

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@dataclass(frozen=True, slots=True)
class Scope:
    """A module whose forward is running; `path` is dotted, from the root that was called."""

    module: nn.Module
    path: str


def in_container(scopes: Sequence[Scope]) -> bool:
    """Return whether the innermost module was run by a container, or by the check itself."""
    return len(scopes) == 1 or (len(scopes) >= 2 and isinstance(scopes[-2].module, _CONTAINERS))


def declaration(scopes: Sequence[Scope], files: Sequence[str]) -> Location | None:
    """Return where the innermost module was written down; None unless there is one such place.

    `files` are searched where no class of the user's owns the module. A call whose literal
    arguments are not those of the module made another one.
    """
    if not scopes or not in_container(scopes):
        return None
    module, path = scopes[-1].module, scopes[-1].path
    above = scopes[-2].module if len(scopes) >= 2 else None
    owners = tuple(dict.fromkeys(type(scope.module) for scope in reversed(scopes[:-1])))
    items = len(above) if isinstance(above, nn.Sequential) else None
    call, file = _written(owners, tuple(files), type(module).__name__, path, items, _Facts(module))
    return None if call is None else _location(call, file, path)


class _Facts:
    """What a module was made with; two modules that print alike are alike."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._printed = f"{type(module).__qualname__}({module.extra_repr()})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Facts) and self._printed == other._printed

    def __hash__(self) -> int:
        return hash(self._printed)

    def agree_with(self, call: ast.Call) -> bool:
        """Return whether the literal arguments of a call are the module's attributes."""
        try:
            names = list(inspect.signature(type(self.module).__init__).parameters)[1:]
        except (TypeError, ValueError):
            return True
        given = [*zip(names, call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
        return all(self._has(name, value) for name, value in given if name is not None)

    def _has(self, name: str, value: ast.expr) -> bool:
        try:
            literal = ast.literal_eval(value)
        except ValueError:  # computed, so it says nothing
            return True
        actual = getattr(self.module, name, literal)
        if isinstance(actual, tuple) and isinstance(literal, int):
            return all(item == literal for item in actual)
        return not isinstance(actual, (int, float, str, tuple)) or actual == literal


@lru_cache(maxsize=4096)
def _written(
    owners: tuple[type, ...],
    files: tuple[str, ...],
    name: str,
    path: str,
    items: int | None,
    facts: _Facts,
) -> tuple[ast.Call | None, str]:
    """Return the one call that made a module, and its file; searched once for each module."""
    for node, file in _regions(owners, files):
        calls = [call for call in _calls(node) if _name(call.func) == name]
        fitting = calls if len(calls) == 1 else _by_position(node, path, name, items)
        fitting = [call for call in fitting if facts.agree_with(call)]
        if len(fitting) == 1:
            return fitting[0], file
    return None, ""


def _regions(owners: Sequence[type], files: Sequence[str]) -> Iterator[tuple[ast.AST, str]]:
    for owner in owners:
        region = _class_source(owner)
        if region is not None:
            yield region
    for file in files:
        tree = parsed(file)
        if tree is not None:
            yield tree, file


@cache
def _class_source(kind: type) -> tuple[ast.AST, str] | None:
    try:
        file = inspect.getsourcefile(kind)
    except (TypeError, OSError):
        return None
    tree = parsed(file) if is_user(file) and file is not None else None
    if tree is None or file is None:
        return None
    name = kind.__name__
    found = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == name]
    return (found[0], file) if len(found) == 1 else None


@cache
def parsed(file: str) -> ast.AST | None:
    """Return the syntax of a file, None where it cannot be read."""
    try:
        return ast.parse(Path(file).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None


@cache
def _calls(node: ast.AST) -> tuple[ast.Call, ...]:
    return tuple(part for part in ast.walk(node) if isinstance(part, ast.Call))


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _by_position(node: ast.AST, path: str, name: str, items: int | None) -> list[ast.Call]:
    """Return the calls of `name` that stand at the right place of a Sequential of `items` parts."""
    parts = path.split(".")
    if not parts[-1].isdigit():
        return []
    position = int(parts[-1])
    found = []
    for container in _calls(node):
        if _name(container.func) != "Sequential" or position >= len(container.args):
            continue
        starred = any(isinstance(item, ast.Starred) for item in container.args)
        if starred or (items is not None and items != len(container.args)):
            continue
        item = container.args[position]
        if isinstance(item, ast.Call) and _name(item.func) == name:
            found.append(item)
    return found


def _location(call: ast.Call, file: str, path: str) -> Location:
    one_line = call.lineno == call.end_lineno
    return Location(
        file=file,
        line=call.lineno,
        module=path,
        column=call.col_offset + 1,
        end_column=call.end_col_offset + 1 if one_line and call.end_col_offset else None,
    )
