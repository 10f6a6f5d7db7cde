"""The catalogue of activation functions: an explicit list, one file per family.

No torch is loaded until a module is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actlab.catalogue import exponentials, gates, rectifiers, sigmoids, structural
from actlab.catalogue.function import Function, Parameter, ParameterError
from actlab.errors import unknown_name

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "Function",
    "Parameter",
    "ParameterError",
    "functions",
    "get",
    "is_non_decreasing",
    "names",
]

_FAMILIES = (rectifiers, sigmoids, exponentials, gates, structural)
_BY_NAME = {function.name: function for family in _FAMILIES for function in family.FUNCTIONS}
_BOUND = {
    "leaky_relu_0.01": ("leaky_relu", {"negative_slope": 0.01}),
    "leaky_relu_0.1": ("leaky_relu", {"negative_slope": 0.1}),
}


def get(name: str) -> Function:
    """Return the function that `name`, an own name or an alias, stands for.

    Raises UnknownNameError, with the nearest name, for any other.

    >>> get("leaky_relu_0.1").name
    'leaky_relu'
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name in _BOUND:
        target, values = _BOUND[name]
        return _BY_NAME[target].bind(**values)
    raise unknown_name("activation", name, [*_BY_NAME, *_BOUND])


def names() -> tuple[str, ...]:
    """Return the names of all functions, in the order of the families."""
    return tuple(_BY_NAME)


def functions() -> tuple[Function, ...]:
    """Return all functions, in the order of the families."""
    return tuple(_BY_NAME.values())


def is_non_decreasing(module: nn.Module) -> bool:
    """Return whether a live module is elementwise and non-decreasing for its current parameters.

    >>> from torch import nn
    >>> is_non_decreasing(nn.PReLU(init=-0.1))
    False
    """
    from actlab.catalogue.modules.monotone import is_non_decreasing as of_module

    return of_module(module)
