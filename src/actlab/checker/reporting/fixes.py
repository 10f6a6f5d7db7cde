"""The smallest fix: a line of the user's code, and the edit that makes it where that is safe.

An edit is safe where the code that it changes ran for the finding alone: not a loop's body, nor the
forward pass or the declaration of a block that the model has several times.
"""

import ast
import difflib
import linecache
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import torch

from actlab.addresses import is_user, shown_path
from actlab.capture import ops
from actlab.capture.module_source import in_container
from actlab.capture.trace import Call
from actlab.checker.report import Edit, Finding
from actlab.files import write_text
from actlab.i18n import _

_CLAMPS = frozenset({"clamp", "clip", "clamp_", "clamp_min", "clamp_max"})
_LOOPS = (
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.ListComp,
    ast.GeneratorExp,
    ast.SetComp,
    ast.DictComp,
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Fix(str):
    """The line of a fix, with the edit that makes it, None where only a person can."""

    edit: Edit | None = None

    @classmethod
    def of(cls, text: str, edit: Edit | None = None) -> "Fix":
        """Return the fix that reads `text`."""
        fix = cls(text)
        fix.edit = edit
        return fix


@dataclass(frozen=True, eq=False)
class _Expression:
    """The user's expression that made a call, in its file."""

    file: str
    source: str
    node: ast.expr
    around: tuple[ast.AST, ...]
    """What the expression stands in, the innermost first."""

    def text(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.source, node) or ""

    @property
    def statement(self) -> ast.stmt | None:
        """The statement that it stands in, None where that has a body of others."""
        found = next((node for node in self.around if isinstance(node, ast.stmt)), None)
        return None if found is None or hasattr(found, "body") else found

    @property
    def loops(self) -> Iterator[ast.AST]:
        """Yield the loops of a step that it stands in, within its function."""
        for node in self.around:
            if isinstance(node, _FUNCTIONS) or _trains(node):
                return
            if isinstance(node, _LOOPS):
                yield node


def _trains(node: ast.AST) -> bool:
    """Return whether a loop is over the steps of a training, each of which is taken on its own."""
    return isinstance(node, _LOOPS) and any(
        isinstance(part, ast.Attribute) and part.attr in ("backward", "manual_backward")
        for part in ast.walk(node)
    )


def without(call: Call) -> Fix:
    """Return the user's line without the activation that `call` is.

    `F.softmax(self.fc(x), dim=1)` becomes `self.fc(x)`. Where the activation is a module of a
    container, an identity is put in its place.
    """
    found = _expression(call)
    operand = _operand(found, call) if found is not None else None
    if found is None:
        return _in_model(call, "nn.Identity()")
    if operand is None:
        return Fix.of(_("# leave this out: {code}").format(code=_flat(found.text(found.node))))
    return _put(call, found, _guard(found), found.text(operand))


def replaced(call: Call, module: str, function: str) -> Fix:
    """Return the user's line with another activation: as a module, or as a function of `{x}`."""
    found = _expression(call)
    if found is None:
        return _in_model(call, module)
    operand = _operand(found, call)
    if operand is None or "{x}" not in function:
        new, given = function.format(x="x"), _flat(found.text(found.node))
        return Fix.of(_("# {code} in the place of {given}").format(code=new, given=given))
    return _put(call, found, found.node, function.format(x=found.text(operand)))


def with_argument(call: Call, argument: str, otherwise: str) -> Fix:
    """Return the user's line with an argument added to the call, `otherwise` where that fails."""
    found = _expression(call)
    if found is None or not isinstance(found.node, ast.Call) or is_module_call(call):
        return _in_model(call, otherwise)
    inner = found.text(found.node)[:-1].rstrip().rstrip(",")
    joint = "" if inner.endswith("(") else ", "
    return _put(call, found, found.node, f"{inner}{joint}{argument})")


def output_of(call: Call) -> str:
    """Return, as code, what a layer makes of `x`: `model.fc1(x)`, or `x` for a plain product."""
    return f"{attribute_path(_below_root(call))}(x)" if is_module_call(call) else "x"


def attribute_path(module: str) -> str:
    """Return a module's path as Python.

    >>> attribute_path("net.4.act")
    'model.net[4].act'
    """
    return "model" + re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", f".{module}" if module else "")


def is_module_call(call: Call) -> bool:
    """Return whether a module of torch made the call on the user's behalf."""
    return "/torch/nn/modules/" in call.origin.replace("\\", "/")


def _below_root(call: Call) -> str:
    """Return a module's path without the class that tells several networks of a step apart."""
    if not call.scopes:
        return ""
    root = call.scopes[0]
    path = call.module or ""
    return path.removeprefix(f"{root.path}.") if root.path == type(root.module).__name__ else path


def _in_model(call: Call, module: str) -> Fix:
    """Return the fix that puts another module in the place of a container's."""
    if not (call.module and is_module_call(call)):
        return Fix.of(module)
    place = call.location
    edit = None
    if (
        place.called_from is not None
        and place.file is not None
        and place.line is not None
        and place.column is not None
        and place.end_column is not None
        and not _is_repeated(call)
    ):
        text = _spelled(module, place.file)
        if text is not None and is_user(place.file):
            edit = Edit(place.file, place.line, place.column, place.line, place.end_column, text)
    return Fix.of(f"{attribute_path(_below_root(call))} = {module}", edit)


def _is_repeated(call: Call) -> bool:
    """Return whether the model has several modules that were written at one place."""
    module, path = call.scopes[-1].module, call.scopes[-1].path
    name = path.rpartition(".")[2]
    alike = [
        other
        for other_path, other in call.scopes[0].module.named_modules()
        if type(other) is type(module)
        and other.extra_repr() == module.extra_repr()
        and other_path.rpartition(".")[2] == name
    ]
    return len(alike) > 1


def _put(call: Call, found: _Expression, node: ast.expr, text: str) -> Fix:
    """Return the fix that puts `text` in the place of a part of the user's line."""
    statement = found.statement
    line = text
    if statement is not None:
        whole = found.text(statement)
        before = _offset(found.source, node.lineno, node.col_offset) - _offset(
            found.source, statement.lineno, statement.col_offset
        )
        line = _flat(whole[:before] + text + whole[before + len(found.text(node)) :])
        if line == _flat(whole):
            return Fix.of(_("# leave this out: {code}").format(code=_flat(found.text(node))))
    if next(found.loops, None) is not None or _runs_for_several(call):
        where = call.module or call.op
        return Fix.of(_("{code}  # for {module} alone").format(code=line, module=where))
    spelled = _spelled(text, found.file)
    if spelled is None or not is_user(found.file):
        return Fix.of(line)
    edit = Edit(
        found.file,
        node.lineno,
        _character(found.source, node.lineno, node.col_offset),
        node.end_lineno or node.lineno,
        _character(found.source, node.end_lineno or node.lineno, node.end_col_offset or 0),
        spelled,
    )
    return Fix.of(line, edit)


def _runs_for_several(call: Call) -> bool:
    """Return whether the model has the user's module whose forward pass this is several times."""
    own = [
        scope.module
        for scope in call.scopes
        if not type(scope.module).__module__.startswith("torch.nn")
    ]
    if not own:
        return False
    root = call.scopes[0].module
    return sum(type(part) is type(own[-1]) for part in root.modules()) > 1


def _expression(call: Call) -> _Expression | None:
    """Return the user's expression that made a call, None where it is not known."""
    line = call.line
    if line is None or not call.is_located or (is_module_call(call) and in_container(call.scopes)):
        return None
    position = next(islice(line.code.co_positions(), line.instruction // 2, None), None)
    if position is None or None in position:
        return None
    file = line.code.co_filename
    source = "".join(linecache.getlines(file))
    wanted = (position[0], position[2], position[1], position[3])
    for node, around in _expressions(source):
        if (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset) == wanted:
            return _Expression(file, source, node, around)
    return None


@cache
def _expressions(source: str) -> tuple[tuple[ast.expr, tuple[ast.AST, ...]], ...]:
    """Return the expressions of a file, each with what it stands in."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()
    found: list[tuple[ast.expr, tuple[ast.AST, ...]]] = []
    waiting: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(tree, ())]
    while waiting:
        node, around = waiting.pop()
        if isinstance(node, ast.expr):
            found.append((node, around))
        waiting.extend((part, (node, *around)) for part in ast.iter_child_nodes(node))
    return tuple(found)


def _operand(found: _Expression, call: Call) -> ast.expr | None:
    """Return what a call in source is applied to: `x` of `f(x, dim=1)` and of `x.f(1)`."""
    node = found.node
    if not isinstance(node, ast.Call) or call.op not in ops.ACTIVATIONS:
        return None
    function = node.func
    first = node.args[0] if node.args and not isinstance(node.args[0], ast.Starred) else None
    if is_module_call(call):
        looped = {
            name.id for loop in found.loops for name in ast.walk(loop) if isinstance(name, ast.Name)
        }
        return None if isinstance(function, ast.Name) and function.id in looped else first
    if not isinstance(function, ast.Attribute) or _is_namespace(function.value):
        return first
    method = getattr(torch.Tensor, function.attr, None)
    if method is None:
        return first
    return function.value if ops.name_of(method) == call.op else None


def _is_namespace(node: ast.expr) -> bool:
    """Return whether an expression is a library's name: `F`, `torch`, `nn.functional`."""
    names = {"F", "torch", "nn", "functional", "special"}
    return (isinstance(node, ast.Name) and node.id in names) or (
        isinstance(node, ast.Attribute) and node.attr in names
    )


def _guard(found: _Expression) -> ast.expr:
    """Return an expression with the clamp around it, which only guarded what it made."""
    for node in found.around[:2]:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _CLAMPS
            and found.node in (node.func.value, *node.args[:1])
        ):
            return node
    return found.node


def _spelled(text: str, file: str) -> str | None:
    """Return code with torch's names as a file has them, None where it has none of them."""
    bound = _bound("".join(linecache.getlines(file)))
    if re.search(r"\bF\.", text) and "F" not in bound:
        if not bound & {"torch", "nn"}:
            return None
        text = re.sub(
            r"\bF\.", "torch.nn.functional." if "torch" in bound else "nn.functional.", text
        )
    if re.search(r"(?<![\w.])nn\.", text) and "nn" not in bound:
        if "torch" not in bound:
            return None
        text = re.sub(r"(?<![\w.])nn\.", "torch.nn.", text)
    if re.search(r"(?<![\w.])torch\.", text) and "torch" not in bound:
        return None
    return text


@cache
def _bound(source: str) -> frozenset[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset()
    imports = (node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)))
    return frozenset(
        alias.asname or alias.name.partition(".")[0] for node in imports for alias in node.names
    )


def _flat(code: str) -> str:
    """Return code on one line."""
    if "\n" not in code:
        return code.strip()
    try:
        return ast.unparse(ast.parse(code)).replace("\n", " ")
    except SyntaxError:
        return " ".join(code.split())


def _character(source: str, line: int, byte: int) -> int:
    """Return the column, from 1, of a byte of a line."""
    text = source.splitlines()[line - 1]
    return len(text.encode()[:byte].decode(errors="ignore")) + 1


def _offset(source: str, line: int, byte: int) -> int:
    return sum(len(text) for text in source.splitlines(keepends=True)[: line - 1]) + (
        _character(source, line, byte) - 1
    )


def edited(findings: Iterable[Finding]) -> dict[str, str]:
    """Return the new text of each file that the edits of findings change.

    Of edits that overlap the first is made; a second check finds the rest.
    """
    edits: dict[str, list[Edit]] = {}
    for found in findings:
        if found.edit is not None and Path(found.edit.file).is_file():
            edits.setdefault(found.edit.file, []).append(found.edit)
    return {file: _with_edits(Path(file).read_text("utf-8"), made) for file, made in edits.items()}


def _with_edits(text: str, edits: list[Edit]) -> str:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    places: list[tuple[int, int, str]] = []
    for edit in edits:
        begin = starts[edit.line - 1] + edit.column - 1
        end = starts[edit.end_line - 1] + edit.end_column - 1
        if all(end <= other or begin >= stop for other, stop, _text in places):
            places.append((begin, end, edit.text))
    for begin, end, new in sorted(places, reverse=True):
        text = text[:begin] + new + text[end:]
    return text


def difference(new: dict[str, str]) -> str:
    """Return what files become, as a unified diff."""
    parts: list[str] = []
    for file, text in new.items():
        before = Path(file).read_text("utf-8")
        name = shown_path(file)
        parts += difflib.unified_diff(
            before.splitlines(keepends=True), text.splitlines(keepends=True), name, name
        )
    return "".join(parts)


def write(new: dict[str, str]) -> None:
    """Replace files by their new texts, each in one step."""
    for file, text in new.items():
        write_text(Path(file), text)
