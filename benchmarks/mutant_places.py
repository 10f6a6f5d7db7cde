"""The small mistakes of mutation testing: where code can be another, and how a module becomes it.

A place is an operator, a comparison, a constant, a condition or a returned value. A mutant within a
function takes the place of the function's code in the modules that are imported already; any other
is in its place from the import on.
"""

import ast
import copy
import gc
import hashlib
import importlib.abc
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

_COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.Mod: ast.Mult, ast.FloorDiv: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


class Mutator(ast.NodeTransformer):
    """Changes the place of number `target`; without one it counts the places.

    Annotations, docstrings, decorators, assertions and errors that are raised are no places, nor is
    the assertion `strict=True` of a zip.
    """

    def __init__(self, target: int = -1) -> None:
        self.target, self.count, self.what = target, 0, ""
        self.lines = range(0)

    def visit(self, node: ast.AST) -> Any:
        """Visit a node that is none of what is left as it is."""
        if isinstance(node, ast.Assert | ast.Raise):
            return node
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return node
        if isinstance(node, ast.keyword) and node.arg == "strict":
            return node
        untouched = {
            part: getattr(node, part)
            for part in ("annotation", "returns", "decorator_list")
            if hasattr(node, part)
        }
        for part in untouched:
            setattr(node, part, [] if part == "decorator_list" else None)
        node = self.generic_visit(node)
        for part, own in untouched.items():
            setattr(node, part, own)
        for other in _others(node):
            if self.count == self.target:
                self.what = f"line {node.lineno}: {ast.unparse(node)} -> {ast.unparse(other)}"
                self.lines = range(node.lineno, node.end_lineno + 1)
                self.count += 1
                return ast.copy_location(other, node)
            self.count += 1
        return node


def _others(node: Any) -> Iterator[Any]:
    """Yield what could stand in the place of a node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        changed = copy.deepcopy(node)
        changed.ops[0] = _COMPARISONS[type(node.ops[0])]()
        yield changed
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        changed = copy.deepcopy(node)
        changed.op = _OPERATORS[type(node.op)]()
        yield changed
    elif isinstance(node, ast.BoolOp):
        changed = copy.deepcopy(node)
        changed.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield changed
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield copy.deepcopy(node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.IfExp):
        yield copy.deepcopy(node.orelse)
    elif isinstance(node, ast.Return) and node.value is not None:
        is_none = isinstance(node.value, ast.Constant) and node.value.value is None
        yield from () if is_none else (ast.Return(ast.Constant(None)),)


class MutatedModule(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module of actlab as its mutant."""

    def __init__(self, path: Path, code: Any) -> None:
        parts = path.relative_to(ROOT / "src").with_suffix("").parts
        self._is_package = parts[-1] == "__init__"
        self._name = ".".join(parts[:-1] if self._is_package else parts)
        self._path, self._code = path, code

    def find_spec(self, name: str, *_rest: Any) -> ModuleSpec | None:
        """Return where the mutant is, None for every other module."""
        if name != self._name:
            return None
        places = [str(self._path.parent)] if self._is_package else None
        return importlib.util.spec_from_file_location(
            name, self._path, loader=self, submodule_search_locations=places
        )

    def exec_module(self, module: Any) -> None:
        """Run the mutant in the place of the module."""
        exec(self._code, module.__dict__)

    def pytest_load_initial_conftests(self) -> None:
        """Come before pytest's own finder, which takes the modules of every plugin's package."""
        sys.meta_path.insert(0, self)


@dataclass(frozen=True)
class Place:
    """A place of a file, by its number, of a source with a digest."""

    path: Path
    number: int
    digest: str

    @property
    def name(self) -> str:
        """The file within the package and the number, as `stats/ranks.py 12`."""
        return f"{self.path.relative_to(ROOT / 'src/actlab')} {self.number}"


def places(folder: str) -> list[Place]:
    """Return every place of a folder."""
    found = []
    for path in sorted((ROOT / "src/actlab" / folder).rglob("*.py")):
        source = path.read_text()
        digest = hashlib.sha256(source.encode()).hexdigest()[:12]
        counting = Mutator()
        counting.visit(ast.parse(source))
        found += [Place(path, number, digest) for number in range(counting.count)]
    return found


class Mutant:
    """A module with a place that is another."""

    def __init__(self, place: Place) -> None:
        self._path = place.path
        tree = ast.parse(place.path.read_text())
        self._old = compile(tree, str(place.path), "exec")
        mutator = Mutator(place.number)
        changed = ast.fix_missing_locations(mutator.visit(tree))
        self._new = compile(changed, str(place.path), "exec")
        self.what, self.lines = mutator.what, mutator.lines

    def to_import(self) -> "MutatedModule":
        """Return the finder that brings the mutant in the place of its module."""
        return MutatedModule(self._path, self._new)

    def put_in_place(self) -> bool:
        """Give the functions that are imported the mutant's code; False where that cannot be."""
        old, new = _functions(self._old), _functions(self._new)
        changed = [key for key, code in old.items() if code != new.get(key)]
        if len(changed) != 1 or changed[0] not in new:
            return False
        alive = [
            one
            for one in gc.get_objects()
            if type(one) is FunctionType
            and one.__code__.co_filename == str(self._path)
            and _key(one.__code__) == changed[0]
        ]
        if any(one.__code__.co_freevars != new[changed[0]].co_freevars for one in alive):
            return False
        for one in alive:
            one.__code__ = new[changed[0]]
        return bool(alive)


def _key(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _functions(code: CodeType) -> dict[tuple[str, int], CodeType]:
    """Return the functions of a module and of its classes, but for those that share a line."""
    found: dict[tuple[str, int], list[CodeType]] = {}
    inside = [code]
    while inside:
        for one in inside.pop().co_consts:
            if not isinstance(one, CodeType):
                continue
            if one.co_flags & inspect.CO_OPTIMIZED:
                found.setdefault(_key(one), []).append(one)
            else:
                inside.append(one)
    return {key: codes[0] for key, codes in found.items() if len(codes) == 1}
