"""Finding where a module of a container was written down: `nn.Softmax(dim=1)` in a Sequential.

The line that ran it only says `self.net(x)`. The source of the class that owns the container (or
of the file that asked for the check) is searched for the call that made the module; if there is
exactly one that fits, that is the place to show and to mend.
"""

import ast
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from torch import nn

from actlab.capture.frames import is_user
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

    `files` are searched where no class of the user's owns the module.
    """
    if not scopes or not in_container(scopes):
        return None
    module, path = scopes[-1].module, scopes[-1].path
    name = type(module).__name__
    for node, file in _regions(scopes, files):
        calls = [call for call in _calls(node) if _name(call.func) == name]
        fitting = calls if len(calls) == 1 else _by_position(node, path, name)
        if len(fitting) == 1:
            return _location(fitting[0], file, path)
    return None


def _regions(scopes: Sequence[Scope], files: Sequence[str]) -> Iterator[tuple[ast.AST, str]]:
    for scope in reversed(scopes[:-1]):
        region = _class_source(type(scope.module))
        if region is not None:
            yield region
    for file in files:
        tree = _parsed(file)
        if tree is not None:
            yield tree, file


def _class_source(kind: type) -> tuple[ast.AST, str] | None:
    try:
        file = inspect.getsourcefile(kind)
    except (TypeError, OSError):
        return None
    tree = _parsed(file) if is_user(file) and file is not None else None
    if tree is None or file is None:
        return None
    name = kind.__name__
    found = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == name]
    return (found[0], file) if len(found) == 1 else None


@cache
def _parsed(file: str) -> ast.AST | None:
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


def _by_position(node: ast.AST, path: str, name: str) -> list[ast.Call]:
    """Return the calls of `name` that stand at the right place of a Sequential."""
    parts = path.split(".")
    if not parts[-1].isdigit():
        return []
    position = int(parts[-1])
    found = []
    for container in _calls(node):
        if _name(container.func) != "Sequential" or position >= len(container.args):
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
