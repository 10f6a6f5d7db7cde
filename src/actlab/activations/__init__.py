"""The catalogue of activation functions: an explicit list, one file per family.

No torch is loaded until a module is built.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from actlab.activations.catalogue import (
    bounded,
    exponentials,
    gates,
    learnable,
    logarithms,
    parabolas,
    periodic,
    rectifiers,
    self_gates,
    shrinkers,
    sigmoids,
    smooth_rectifiers,
    structural,
)
from actlab.activations.catalogue.aliases import ALIASES, plain
from actlab.activations.catalogue.declared import Declared, Facts, Kink, ScalarFacts
from actlab.activations.function import Function, HazardException, Parameter, ParameterError
from actlab.activations.query import select
from actlab.errors import unknown_name
from actlab.i18n import _

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

_FAMILIES = (
    rectifiers,
    bounded,
    parabolas,
    sigmoids,
    logarithms,
    exponentials,
    smooth_rectifiers,
    gates,
    self_gates,
    learnable,
    shrinkers,
    periodic,
    structural,
)


def _aliases_of(name: str) -> tuple[str, ...]:
    """Return the aliases that mean a function with its default parameters."""
    return tuple(
        alias
        for alias, (target, values) in ALIASES.items()
        if target == name and values in ({}, _DEFAULTS[name])
    )


_LISTED: list[Function] = [function for family in _FAMILIES for function in family.FUNCTIONS]
_DEFAULTS = {function.name: function.values for function in _LISTED}
_BY_NAME = {
    function.name: replace(function, aliases=_aliases_of(function.name)) for function in _LISTED
}


def get(name: str) -> Function:
    """Return the function that `name` stands for: an own name, an alias, or a library's name.

    Case and separators matter only where two names differ by nothing else. An alias brings the
    parameters of its library: "keras:leaky_relu" has slope 0.2. Raises UnknownNameError, with the
    nearest name, for any other.

    >>> get("jax:gelu").name
    'gelu_tanh'
    >>> get("keras:leaky_relu").values
    {'negative_slope': 0.2}
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name in ALIASES:
        target, values = ALIASES[name]
        return _BY_NAME[target].bind(**values)
    alike = [spelling for spelling in (*_BY_NAME, *ALIASES) if plain(spelling) == plain(name)]
    found = {spelling: get(spelling) for spelling in alike}
    if len({(function.name, *function.values.items()) for function in found.values()}) == 1:
        return found[alike[0]]
    raise unknown_name(_("activation"), name, [*_BY_NAME, *ALIASES])


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
