"""The activation functions: what each of them is, measured, drawn and built.

No torch is loaded until a module is built.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from actlab.activations.catalogue import ENTRIES
from actlab.activations.catalogue.declared import Declared, Facts, Kink, ScalarFacts
from actlab.activations.catalogue.entry import Entry, HazardException, Parameter, ParameterError
from actlab.activations.function import Function
from actlab.activations.query import select
from actlab.activations.recognised import recognised

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "Declared",
    "Facts",
    "Function",
    "HazardException",
    "Kink",
    "Parameter",
    "ParameterError",
    "ScalarFacts",
    "falls_then_rises",
    "functions",
    "get",
    "is_non_decreasing",
    "names",
]

_BY_NAME = {
    name: Function(**{field.name: getattr(entry, field.name) for field in fields(Entry)})
    for name, entry in ENTRIES.items()
}


def get(name: Any) -> Function:
    """Return the function that `name` stands for: an own name, an alias, or a library's name.

    A module of torch or of actlab, or a torch function, stands for itself, with its parameters.

    Case and separators matter only where two names differ by nothing else. An alias brings the
    parameters of its library: "keras:leaky_relu" has slope 0.2. Raises UnknownNameError, with the
    nearest name, for any other.

    >>> get("jax:gelu").name
    'gelu_tanh'
    >>> get("keras:leaky_relu").values
    {'negative_slope': 0.2}
    """
    if isinstance(name, Function):
        return name
    entry = recognised(name)
    return _BY_NAME[entry.name].bind(**entry.values)


def names() -> tuple[str, ...]:
    """Return the names of all functions, family by family."""
    return tuple(_BY_NAME)


def functions(where: str | None = None) -> tuple[Function, ...]:
    """Return the functions whose declared facts satisfy a condition; all of them without one.

    A condition compares the keys of `Facts` with numbers and words, joined by and, or, not.
    `smooth` is smoothness Cinf, `monotonic` any but non_monotonic, `lipschitz` max_abs_grad, inf
    where discontinuous. A fact that a function does not have satisfies no comparison. Raises
    QueryError, with the nearest key, for a condition that cannot be read.

    >>> [function.name for function in functions("monotonic and zero_grad_fraction_N01 == 0.5")]
    ['relu', 'relu_squared', 'star_relu', 'nlrelu']
    """
    listed = tuple(_BY_NAME.values())
    return listed if where is None else select(listed, where)


def is_non_decreasing(module: nn.Module) -> bool:
    """Return whether a live module is elementwise and non-decreasing for its current parameters.

    >>> from torch import nn
    >>> is_non_decreasing(nn.PReLU(init=-0.1))
    False
    """
    from actlab.activations.modules.monotone import is_non_decreasing as of_module

    return of_module(module)


def falls_then_rises(module: nn.Module) -> bool:
    """Return whether a live module is elementwise and falls up to a point, then rises.

    >>> from torch import nn
    >>> falls_then_rises(nn.SiLU()), falls_then_rises(nn.ReLU())
    (True, False)
    """
    from actlab.activations.modules.monotone import falls_then_rises as of_module

    return of_module(module)
