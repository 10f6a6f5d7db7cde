"""The smallest fix, as a line of the user's own code where it can be written."""

import ast
import linecache
import re

from actlab.capture.module_source import in_container
from actlab.capture.trace import Call

_CLAMPS = frozenset({"clamp", "clip", "clamp_", "clamp_min", "clamp_max"})


def without(call: Call) -> str:
    """Return the user's line without the activation that `call` is.

    `F.softmax(self.fc(x), dim=1)` becomes `self.fc(x)`. Where the activation is a module of a
    container, the line puts an identity in its place.
    """
    segment = _segment(call)
    kept = _operand(segment)
    if kept:
        line = _line(call)
        return line.replace(_guarded(line, segment), kept, 1)
    return _in_model(call, "nn.Identity()")


def replaced(call: Call, module: str, function: str) -> str:
    """Return the user's line with another activation: as a module, or as a function of `{x}`."""
    segment = _segment(call)
    kept = _operand(segment)
    if kept:
        return _line(call).replace(segment, function.format(x=kept), 1)
    return _in_model(call, module)


def with_argument(call: Call, argument: str, otherwise: str) -> str:
    """Return the user's line with an argument added to the call, `otherwise` where that fails."""
    segment = _segment(call)
    if not segment.endswith(")") or _is_module_call(call):
        return otherwise
    inner = segment[:-1].rstrip().rstrip(",")
    joint = "" if inner.endswith("(") else ", "
    return _line(call).replace(segment, f"{inner}{joint}{argument})", 1)


def output_of(call: Call) -> str:
    """Return, as code, what a layer makes of `x`: `model.fc1(x)`, or `x` for a plain product."""
    return f"{attribute_path(_below_root(call))}(x)" if _is_module_call(call) else "x"


def attribute_path(module: str) -> str:
    """Return a module's path as Python.

    >>> attribute_path("net.4.act")
    'model.net[4].act'
    """
    return "model" + re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", f".{module}" if module else "")


def _in_model(call: Call, module: str) -> str:
    if call.module and _is_module_call(call):
        return f"{attribute_path(_below_root(call))} = {module}"
    return _line(call) or module


def _below_root(call: Call) -> str:
    """Return a module's path without the name that tells several networks of a step apart."""
    return (call.module or "").removeprefix(f"{call.scopes[0].path}.") if call.scopes else ""


def _guarded(line: str, segment: str) -> str:
    """Return an expression with the clamp around it, which only guarded what it made."""
    try:
        nodes = [node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call)]
    except SyntaxError:
        return segment
    for node in nodes:
        function = node.func
        if not isinstance(function, ast.Attribute) or function.attr not in _CLAMPS:
            continue
        inner = (function.value, *node.args[:1])
        if any(ast.get_source_segment(line, part) == segment for part in inner):
            return ast.get_source_segment(line, node) or segment
    return segment


def _is_module_call(call: Call) -> bool:
    """Return whether a module of torch made the call on the user's behalf."""
    return "/torch/nn/modules/" in call.origin.replace("\\", "/")


def _line(call: Call) -> str:
    location = call.ran_at
    if location.file is None or location.line is None or not call.is_located:
        return ""
    return linecache.getline(location.file, location.line).strip()


def _segment(call: Call) -> str:
    """Return the text of the user's expression that made the call, "" where it is not known."""
    location = call.ran_at
    if location.file is None or location.line is None or location.column is None:
        return ""
    if not call.is_located:
        return ""
    if _is_module_call(call) and in_container(call.scopes):
        return ""
    raw = linecache.getline(location.file, location.line)
    return raw[location.column - 1 : (location.end_column or 1) - 1]


def _operand(segment: str) -> str | None:
    """Return what a call in source is applied to: `x` of `f(x, dim=1)` and of `x.f(1)`."""
    try:
        node = ast.parse(segment, mode="eval").body
    except SyntaxError:
        return None
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    is_method = isinstance(function, ast.Attribute) and not _is_namespace(function.value)
    operand: ast.expr | None = None
    if is_method and isinstance(function, ast.Attribute) and not _names_module(function):
        operand = function.value
    elif node.args:
        operand = node.args[0]
    return ast.get_source_segment(segment, operand) if operand is not None else None


def _is_namespace(node: ast.expr) -> bool:
    """Return whether an expression is a library's name: `F`, `torch`, `nn.functional`."""
    names = {"F", "torch", "nn", "functional", "special"}
    return (isinstance(node, ast.Name) and node.id in names) or (
        isinstance(node, ast.Attribute) and node.attr in names
    )


def _names_module(function: ast.Attribute) -> bool:
    """Return whether `self.act(x)` is meant: an attribute of self, called with the input."""
    return isinstance(function.value, ast.Name) and function.value.id == "self"
