"""The lines of the user's source that put an activation into each slot of a network, and others.

A module is looked for where it was made: the constructor of every module is recorded while the
network is built. A functional call is where it ran.
"""

import ast
import linecache
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import nn

from actlab import activations
from actlab.activations.code_lines import code_lines
from actlab.addresses import is_user
from actlab.capture.frames import Line
from actlab.capture.location import Location
from actlab.errors import ActlabError, UnknownNameError
from actlab.i18n import _
from actlab.networks.activation_slots import Place, places
from actlab.records import slot_name

_FUNCTIONAL = ("relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus")
"""Functions that `torch.nn.functional` has under the catalogue's name and parameters."""


@dataclass(frozen=True)
class Change:
    """One edit of a line: what stands there between two columns (from 1), and what instead.

    `slots` are the paths of the slots that it changes. Where the line cannot be edited by itself,
    `new` is None and `reason` says why, and what to do.
    """

    slots: tuple[str, ...]
    file: str | None
    line: int | None
    column: int | None = None
    end_column: int | None = None
    old: str = ""
    new: str | None = None
    reason: str = ""


def changes(
    make: Callable[[], nn.Module], example: Any, chosen: Mapping[str, str]
) -> tuple[Change, ...]:
    """Return what to edit so that `make` returns a network with the chosen activations.

    `chosen` maps slots of a study to names of candidates; `example` is what the network takes.
    Slots that have the chosen activation already need no change.

    Raises SlotError where the network does not run on the example.
    """
    with _constructors() as made:
        model = make()
    found: dict[tuple[Any, ...], Change] = {}
    modules = dict(model.named_modules(remove_duplicate=False))
    for place in places(model, example):
        slot = slot_name(place.slot, [one for one in chosen if one not in ("conv", "fc")])
        name = chosen.get(slot) if slot is not None else None
        if name is None or not place.slot.swappable:
            continue
        if not _is_of_catalogue(name):
            reason = _("Write {name} there yourself: it is no function of the catalogue.")
            change = Change((place.slot.path,), None, None, reason=reason.format(name=name))
            found[(place.slot.path,)] = change
            continue
        if _is_there(place, modules, name):
            continue
        module = modules.get(place.slot.path)
        if module is not None:
            change = _of_module(place, made.get(id(module)), name)
        else:
            change = _of_call(place, name)
        key = (change.file, change.line, change.column, change.new)
        known = found.get(key)
        paths = change.slots if known is None else (*known.slots, *change.slots)
        found[key] = Change(paths, *_rest(change))
    return tuple(_without_conflicts(found.values()))


def source_of(file: str) -> str:
    """Return the text of a source file, or of a notebook's cell, which is no file on the disk.

    >>> source_of("no/such/file.py")
    ''
    """
    linecache.checkcache(file)
    return "".join(linecache.getlines(file))


def edited(source: str, wanted: tuple[Change, ...]) -> str:
    """Return the text of a file with the changes of its lines, and the imports that they need.

    >>> edit = Change(("1",), "net.py", 2, 7, 16, "nn.ReLU()", "nn.SiLU()")
    >>> edited("from torch import nn\\nact = nn.ReLU()\\n", (edit,))
    'from torch import nn\\nact = nn.SiLU()\\n'
    """
    lines = source.splitlines(keepends=True)
    edits = [one for one in wanted if one.new is not None]
    for one in sorted(edits, key=lambda one: (one.line or 0, one.column or 0), reverse=True):
        assert one.line is not None
        assert one.column is not None
        assert one.end_column is not None
        text = lines[one.line - 1].encode()
        before, after = text[: one.column - 1], text[one.end_column - 1 :]
        lines[one.line - 1] = (before + str(one.new).encode() + after).decode()
    needed = [root for root in ("torch", "actlab") if _uses(edits, root, source)]
    place = _first_statement(source)
    return "".join([*lines[:place], *(f"import {root}\n" for root in needed), *lines[place:]])


def _is_of_catalogue(name: str) -> bool:
    """Return whether a name is one of a scalar function as the catalogue has it."""
    try:
        return activations.get(name).kind == "scalar"
    except UnknownNameError:
        return False


def _rest(change: Change) -> tuple[Any, ...]:
    return (
        *(change.file, change.line, change.column, change.end_column),
        *(change.old, change.new, change.reason),
    )


def _is_there(place: Place, modules: Mapping[str, nn.Module], name: str) -> bool:
    """Return whether a slot has the function already, with the same parameters."""
    wanted = activations.get(name)
    try:
        there = activations.get(modules.get(place.slot.path) or place.slot.name)
    except UnknownNameError:
        return False
    return (there.name, dict(there.values)) == (wanted.name, dict(wanted.values))


@contextmanager
def _constructors() -> Iterator[dict[int, Line]]:
    """Yield, by the identity of each module that is made in the block, the line that made it."""
    found: dict[int, Line] = {}
    original = nn.Module.__init__

    def recorded(self: nn.Module, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        frame = sys._getframe(1)
        while frame.f_back is not None and _makes(frame, self):
            frame = frame.f_back
        if is_user(frame.f_code.co_filename):
            found[id(self)] = Line(frame.f_code, frame.f_lasti, frame.f_lineno)

    nn.Module.__init__ = recorded  # type: ignore[method-assign]
    try:
        yield found
    finally:
        nn.Module.__init__ = original  # type: ignore[method-assign]


def _makes(frame: Any, module: nn.Module) -> bool:
    """Return whether a frame is the constructor of the module itself."""
    names = frame.f_code.co_varnames
    first = frame.f_locals.get(names[0]) if names else None
    return frame.f_code.co_name == "__init__" and first is module


def _of_module(place: Place, made: Line | None, name: str) -> Change:
    path = (place.slot.path,)
    if made is None:
        reason = _(
            "It is made inside a library. Swap it after the network is made: "
            "actlab.swap(network, {kind}={name!r}, example=x)"
        )
        return Change(path, None, None, reason=reason.format(kind=place.slot.kind, name=name))
    location = made.location(place.slot.path)
    text = _text(location)
    if text is None:
        reason = _("The call spans several lines. Write {new} in its place.")
        new = module_text(name)
        return Change(path, location.file, location.line, reason=reason.format(new=new))
    return Change(
        path,
        *(location.file, location.line, location.column, location.end_column),
        *(text, module_text(name, _imports_nn(location.file))),
    )


def _of_call(place: Place, name: str) -> Change:
    path = (place.slot.path,)
    file, _colon, number = (place.slot.location or "").rpartition(":")
    function = activations.get(name)
    if function.facts.learnable:
        reason = _(
            "{name} learns, so it has to be a module of the network: make {new} and call it."
        )
        return Change(
            path, file, int(number), reason=reason.format(name=name, new=module_text(name))
        )
    call = _call_on(file, int(number), place.function) if number and is_user(file) else None
    if call is None:
        reason = _("The call was not found on its line. Apply {new} there instead.")
        line = int(number) if number else None
        return Change(path, file or None, line, reason=reason.format(new=module_text(name)))
    source = source_of(file)
    given = ast.get_source_segment(source, call.args[0] if call.args else _receiver(call)) or ""
    return Change(
        path,
        *(file, call.lineno, call.col_offset + 1, (call.end_col_offset or 0) + 1),
        *(ast.get_source_segment(source, call) or "", _applied(name, given)),
    )


def _receiver(call: ast.Call) -> ast.expr:
    return call.func.value if isinstance(call.func, ast.Attribute) else call.func


def _call_on(file: str, line: int, function: str) -> ast.Call | None:
    """Return the one call of a function on a line of a file, None where there is none or more."""
    try:
        tree = ast.parse(source_of(file))
    except (SyntaxError, ValueError):
        return None
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and node.lineno == node.end_lineno == line
        and _last_name(node.func).rstrip("_") == function.rpartition(".")[2].rstrip("_")
    ]
    return found[0] if len(found) == 1 else None


def _last_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def module_text(name: str, nn_is_imported: bool = False) -> str:
    """Return the expression that makes the module of a function.

    >>> module_text("silu"), module_text("elu", nn_is_imported=True), module_text("gish")
    ('torch.nn.SiLU()', 'nn.ELU(alpha=1.0)', "actlab.get('gish').module()")
    """
    try:
        line = code_lines(activations.get(name), "torch", None).activation
    except ActlabError:
        line = ""
    if line.startswith("torch.nn.") and "lambda" not in line:
        return line.removeprefix("torch.") if nn_is_imported else line
    return f"actlab.get({name!r}).module()"


def _applied(name: str, argument: str) -> str:
    function = activations.get(name)
    if function.name in ("tanh", "sigmoid"):
        return f"torch.{function.name}({argument})"
    if function.name in _FUNCTIONAL:
        values = "".join(f", {key}={value!r}" for key, value in function.values.items())
        return f"torch.nn.functional.{function.name}({argument}{values})"
    return f"{module_text(name)}({argument})"


def _text(location: Location) -> str | None:
    """Return what stands at a location, None where its columns are not known."""
    if location.file is None or location.line is None or location.column is None:
        return None
    lines = source_of(location.file).splitlines()
    line = lines[location.line - 1].encode()
    return line[location.column - 1 : (location.end_column or 0) - 1].decode()


def _imports_nn(file: str | None) -> bool:
    """Return whether a file has `nn` from torch."""
    if file is None:
        return False
    tree = ast.parse(source_of(file))
    return any(
        (isinstance(node, ast.ImportFrom) and node.module == "torch" and _gives(node, "nn"))
        or (isinstance(node, ast.Import) and any(a.asname == "nn" for a in node.names))
        for node in ast.walk(tree)
    )


def _gives(node: ast.ImportFrom | ast.Import, name: str) -> bool:
    return any((alias.asname or alias.name) == name for alias in node.names)


def _uses(edits: list[Change], root: str, source: str) -> bool:
    """Return whether an edit needs an import that the file does not have."""
    if not any(str(one.new).startswith(f"{root}.") for one in edits):
        return False
    return not any(
        isinstance(node, ast.Import) and _gives(node, root) for node in ast.parse(source).body
    )


def _first_statement(source: str) -> int:
    """Return the line, from 0, before which an import may be put."""
    body = ast.parse(source).body
    place = 0
    for node in body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not is_docstring and not is_future:
            break
        place = node.end_lineno or 0
    return place


def _without_conflicts(found: Any) -> Iterator[Change]:
    """Yield the changes; two that want the same text to be different things cannot be made."""
    all_of_them = list(found)
    for one in all_of_them:
        rivals = [
            other
            for other in all_of_them
            if other is not one
            and one.new is not None
            and (other.file, other.line, other.column) == (one.file, one.line, one.column)
        ]
        if not rivals:
            yield one
            continue
        reason = _("One line makes the activations of several slots. Give it a parameter: {new}.")
        yield Change(one.slots, one.file, one.line, old=one.old, reason=reason.format(new=one.new))
