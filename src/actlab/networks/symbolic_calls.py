"""After which layers a network calls its activations, as far as its code tells without an example.

The network is traced with torch.fx, which runs its forward on stand-ins for tensors. Code that asks
for the values or sizes of what it is given cannot be followed so.
"""

import ast
import inspect
import io
import operator
import textwrap
from collections.abc import Collection, Iterator
from contextlib import redirect_stdout

import torch
from torch import fx, nn

from actlab.capture.reruns import USER_ENDS, quiet
from actlab.networks.elementwise import module_kind
from actlab.records import SlotKind

_PRODUCTS = frozenset({operator.mul, operator.imul, torch.mul, torch.multiply, "mul", "mul_"})
_VIEWS = frozenset(
    {"view", "reshape", "expand", "expand_as", "unsqueeze", "squeeze", "permute", "transpose"}
)


class _Tracer(fx.Tracer):
    """Follows the user's modules, and looks into no layer, activation or module of torch's."""

    def __init__(self, activations: Collection[str]) -> None:
        super().__init__()
        self._activations = activations

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if module_qualified_name in self._activations or module_kind(m) is not None:
            return True
        return super().is_leaf_module(m, module_qualified_name)


def kinds_called(
    model: nn.Module, activations: Collection[str]
) -> dict[str, tuple[SlotKind, ...]] | None:
    """Return, by the path of each activation module, the kinds of the places that call it.

    What is multiplied with another layer's signal is a gate. None where the code cannot be
    followed.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> kinds_called(network, ["1"])
    {'1': ('fc',)}
    """
    try:
        with quiet((model,)), redirect_stdout(io.StringIO()):
            graph = _Tracer(activations).trace(model)
    except USER_ENDS:  # the user's code, on stand-ins
        return None
    found: dict[str, list[SlotKind]] = {}
    places = {node: place for place, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        if node.op != "call_module" or node.target not in activations:
            continue
        before = _layer_before(node, model, places)
        if _is_multiplied(node, model, places):
            found.setdefault(str(node.target), []).append("gate")
        elif before is not None:
            found.setdefault(str(node.target), []).append(before)
    return {path: tuple(dict.fromkeys(kinds)) for path, kinds in found.items()}


def _kind(node: fx.Node, model: nn.Module) -> SlotKind | None:
    if node.op != "call_module":
        return None
    return module_kind(model.get_submodule(str(node.target)))


def _layer_before(node: fx.Node, model: nn.Module, places: dict[fx.Node, int]) -> SlotKind | None:
    """Return the kind of the latest layer that a node is, or comes from."""
    latest: fx.Node | None = None
    seen: set[fx.Node] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if _kind(one, model) is None:
            waiting.extend(one.all_input_nodes)
        elif latest is None or places[one] > places[latest]:
            latest = one
    return None if latest is None else _kind(latest, model)


def _is_multiplied(node: fx.Node, model: nn.Module, places: dict[fx.Node, int]) -> bool:
    """Return whether what an activation gives is multiplied with a signal that a layer made."""
    waiting = [node]
    while waiting:
        value = waiting.pop()
        for user in value.users:
            if user.target in _VIEWS and user.args[0] is value:
                waiting.append(user)
            elif user.op != "call_module" and user.target in _PRODUCTS:
                others = [one for one in user.all_input_nodes if one is not value]
                if any(
                    node not in _origins(one) and _layer_before(one, model, places) is not None
                    for one in others
                ):
                    return True
    return False


def _origins(node: fx.Node) -> set[fx.Node]:
    found: set[fx.Node] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(one.all_input_nodes)
    return found


def is_named_often(owner: nn.Module, attribute: str) -> bool:
    """Return whether the code of an owner reads its activation `attribute` in several places.

    >>> is_named_often(nn.Sequential(nn.ReLU()), "0")
    False
    """
    return sum(_reads(source, attribute) for source in _sources(type(owner))) > 1


def _reads(source: str, attribute: str) -> int:
    nodes = ast.walk(ast.parse(textwrap.dedent(source)))
    found = [node for node in nodes if isinstance(node, ast.Attribute) and node.attr == attribute]
    return sum(isinstance(node.ctx, ast.Load) for node in found)


def _sources(owner: type) -> Iterator[str]:
    for one in owner.__mro__:
        if one.__module__.startswith("torch.") or one is object:
            continue
        try:
            yield inspect.getsource(one)
        except (OSError, TypeError):  # a class that was typed in has no file
            continue
