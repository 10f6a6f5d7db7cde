"""The modules that a step refers to, before it has run: in closures, arguments and globals."""

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn

_DEPTH = 4


def modules_of(step: Callable[..., Any]) -> tuple[nn.Module, ...]:
    """Return the modules that a callable refers to, also through functions that it calls.

    >>> net = nn.Linear(2, 2)
    >>> inner = lambda: net
    >>> modules_of(lambda: inner())
    (Linear(in_features=2, out_features=2, bias=True),)
    """
    found: dict[int, nn.Module] = {}
    seen: set[int] = set()
    pending: list[tuple[Any, int]] = [(step, 0)]
    while pending:
        item, depth = pending.pop()
        if id(item) in seen or depth > _DEPTH:
            continue
        seen.add(id(item))
        if isinstance(item, nn.Module):
            found[id(item)] = item
        else:
            pending.extend((part, depth + 1) for part in _parts(item))
    return tuple(found.values())


def _parts(item: Any) -> Iterator[Any]:
    if item is None or isinstance(item, (str, bytes, int, float, Tensor, type)):
        return
    if isinstance(item, functools.partial):
        yield from (item.func, *item.args, *item.keywords.values())
    elif isinstance(item, dict):
        yield from item.values()
    elif isinstance(item, (tuple, list, set)):
        yield from item
    elif inspect.ismethod(item):
        yield from (item.__self__, item.__func__)
    elif inspect.isfunction(item):
        yield from _of_function(item)
    elif not inspect.ismodule(item) and hasattr(item, "__dict__"):
        yield from list(vars(item).values())


def _of_function(function: Any) -> Iterator[Any]:
    yield getattr(function, "__wrapped__", None)
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a name that is assigned later
            continue
    yield from (function.__globals__.get(name) for name in function.__code__.co_names)
    yield from function.__defaults__ or ()
