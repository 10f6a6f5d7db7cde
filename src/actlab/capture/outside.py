"""What a program does with numbers that left torch: read from its source, since no call shows it.

Of `p = out.numpy()` nothing more is seen as it runs. The function that the line stands in is
searched for what is compared with a number afterwards, as long as the name keeps its meaning.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from actlab.addresses import is_user
from actlab.capture.location import Location
from actlab.capture.module_source import parsed
from actlab.capture.trace import Call

_ORDERING = {ast.Gt: "gt", ast.GtE: "ge", ast.Lt: "lt", ast.LtE: "le"}
_HALF = 0.5


@dataclass(frozen=True)
class Decision:
    """Numbers that were compared with a `limit`, as `op` of torch would; or rounded ("round")."""

    op: str
    limit: float
    location: Location


def decisions(call: Call) -> Iterator[Decision]:
    """Yield what is decided by the numbers that a call of `ops.LEAVING` took out of torch."""
    line = call.line
    file = line.code.co_filename if line is not None else None
    tree = parsed(file) if file is not None and is_user(file) else None
    if tree is None or line is None or file is None:
        return
    body = _innermost(tree, line.number)
    above = {id(child): node for node in ast.walk(body) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(body):
        if _leaves(node) and getattr(node, "lineno", None) == line.number:
            yield from _of_node(node, body, above, file)


def _of_node(
    node: ast.AST, body: ast.AST, above: dict[int, ast.AST], file: str
) -> Iterator[Decision]:
    found = _decided(node, above, file)
    if found is not None:
        yield found
        return
    statement = node
    while id(statement) in above and not isinstance(statement, ast.stmt):
        statement = above[id(statement)]
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return
    name = statement.targets[0]
    if not isinstance(name, ast.Name) or not _hands_on(statement.value, node):
        return
    changed = [
        other.lineno
        for other in ast.walk(body)
        if isinstance(other, ast.Name)
        and other.id == name.id
        and isinstance(other.ctx, ast.Store)
        and other.lineno > statement.lineno
    ]
    end = min(changed, default=None)
    for other in ast.walk(body):
        if isinstance(other, ast.Name) and other.id == name.id and isinstance(other.ctx, ast.Load):
            if other.lineno <= statement.lineno or (end is not None and other.lineno > end):
                continue
            found = _decided(other, above, file)
            if found is not None:
                yield found


def _innermost(tree: ast.AST, number: int) -> ast.AST:
    """Return the smallest function around a line, or the file."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.lineno <= number <= (node.end_lineno or node.lineno)
    ]
    return max(around, key=lambda node: node.lineno, default=tree)


def _leaves(node: ast.AST) -> bool:
    """Return whether an expression is `x.numpy()`, `x.tolist()` or `np.asarray(x)`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return node.func.attr in ("numpy", "tolist", "array", "asarray")


def _hands_on(value: ast.expr, node: ast.AST) -> bool:
    """Return whether an expression is the numbers themselves, at most indexed or reshaped."""
    current: ast.AST = value
    while current is not node:
        if isinstance(current, (ast.Subscript, ast.Attribute)):
            current = current.value
        elif isinstance(current, ast.Call) and isinstance(current.func, ast.Attribute):
            if current.func.attr not in _KEEPING:
                return False
            current = current.func.value
        else:
            return False
    return True


_KEEPING = frozenset({"flatten", "ravel", "reshape", "squeeze", "copy", "astype", "transpose"})


def _decided(node: ast.AST, above: dict[int, ast.AST], file: str) -> Decision | None:
    """Return the comparison with a number, or the rounding, that an expression goes into."""
    current = node
    while id(current) in above:
        outer = above[id(current)]
        if isinstance(outer, ast.Compare):
            return _compared(outer, current, file)
        if isinstance(outer, ast.Call):
            called = outer.func
            name = called.attr if isinstance(called, ast.Attribute) else ""
            if name in ("round", "rint") and len(outer.args) <= (0 if current is called else 1):
                return Decision("round", _HALF, _place(outer, file))
            if current is not called or name not in _KEEPING:
                return None
        elif not isinstance(outer, (ast.Subscript, ast.Attribute)) or (
            isinstance(outer, ast.Subscript) and current is not outer.value
        ):
            return None
        current = outer
    return None


def _compared(outer: ast.Compare, current: ast.AST, file: str) -> Decision | None:
    limit = outer.comparators[0]
    op = _ORDERING.get(type(outer.ops[0]))
    number = limit.value if isinstance(limit, ast.Constant) else None
    if len(outer.ops) != 1 or current is not outer.left or op is None:
        return None
    if not isinstance(number, (int, float)) or isinstance(number, bool):
        return None
    return Decision(op, float(number), _place(outer, file))


def _place(node: ast.expr, file: str) -> Location:
    one_line = node.end_lineno == node.lineno
    return Location(
        file=file,
        line=node.lineno,
        column=node.col_offset + 1,
        end_column=None if node.end_col_offset is None or not one_line else node.end_col_offset + 1,
    )
