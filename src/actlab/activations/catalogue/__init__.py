"""The functions as declared: an explicit list of entries, one file per family; aliases."""

import re
from dataclasses import replace

from actlab.activations.catalogue import (
    exponentials,
    gates,
    learnable,
    periodic,
    piecewise,
    shrinkers,
    sigmoids,
    structural,
)
from actlab.activations.catalogue.aliases import ALIASES, plain
from actlab.activations.catalogue.entry import Entry
from actlab.errors import unknown_name
from actlab.i18n import _

__all__ = ["ENTRIES", "find"]

_FAMILIES = (
    piecewise,
    sigmoids,
    exponentials,
    gates,
    learnable,
    shrinkers,
    periodic,
    structural,
)


_DOTTED = re.compile(
    r"(?P<library>torch|nn|F|jax|keras|tf|timm|flax|mlx)(?:\.\w+)*\.(?P<name>[A-Za-z]\w*)"
)
_LIBRARIES = {
    "torch": "torch",
    "nn": "torch",
    "F": "torch",
    "jax": "jax",
    "keras": "keras",
    "tf": "keras",
    "timm": "timm",
    "flax": "flax",
    "mlx": "mlx",
}
"""Whose convention a dotted name has: nn.SiLU, torch.nn.functional.gelu, jax.nn.gelu."""


def _with_aliases(entry: Entry) -> Entry:
    """Return the entry with the aliases that mean it with its default parameters."""
    found = (
        alias
        for alias, (target, values) in ALIASES.items()
        if target == entry.name and values in ({}, entry.values)
    )
    return replace(entry, aliases=tuple(found))


ENTRIES: dict[str, Entry] = {
    entry.name: _with_aliases(entry) for family in _FAMILIES for entry in family.ENTRIES
}
"""The entries by name, family by family."""


def find(name: str) -> tuple[Entry, dict[str, float]]:
    """Return the entry that `name` stands for, and the parameters that the name brings along.

    Case and separators matter only where two names differ by nothing else. Raises
    UnknownNameError, with the nearest name, for a name that nothing carries.

    >>> entry, values = find("keras:leaky_relu")
    >>> entry.name, values
    ('leaky_relu', {'negative_slope': 0.2})
    """
    if name in ENTRIES:
        return ENTRIES[name], {}
    if name in ALIASES:
        target, values = ALIASES[name]
        return ENTRIES[target], dict(values)
    match = _DOTTED.fullmatch(name)
    if match is not None:
        return find(f"{_LIBRARIES[match['library']]}:{match['name']}")
    alike = [spelling for spelling in (*ENTRIES, *ALIASES) if plain(spelling) == plain(name)]
    meant = [find(spelling) for spelling in alike]
    if meant and all(found == meant[0] for found in meant):
        return meant[0]
    raise unknown_name(_("activation"), name, [*ENTRIES, *ALIASES])
