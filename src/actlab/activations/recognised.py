"""Which function of the catalogue a name, a module or a callable is, told without running it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actlab.activations.catalogue import ENTRIES, find
from actlab.activations.catalogue.entry import Entry
from actlab.errors import UnknownNameError
from actlab.i18n import _

_ATTRIBUTES: dict[str, dict[str, str]] = {
    "CELU": {"alpha": "alpha"},
    "ELU": {"alpha": "alpha"},
    "Hardshrink": {"lambd": "lambd"},
    "Hardtanh": {"min_val": "min_val", "max_val": "max_val"},
    "LeakyReLU": {"negative_slope": "negative_slope"},
    "RReLU": {"lower": "lower", "upper": "upper"},
    "Softplus": {"beta": "beta", "threshold": "threshold"},
    "Softshrink": {"lambd": "lambd"},
    "Threshold": {"threshold": "threshold", "value": "value"},
    "Softmax": {"dim": "dim"},
    "LogSoftmax": {"dim": "dim"},
    "Softmin": {"dim": "dim"},
    "GLU": {"dim": "dim"},
}
"""Which attributes of torch's modules are which parameters of ours."""


def recognised(thing: Any) -> Entry:
    """Return the entry of a name, an entry, a module of torch or of actlab, or a torch function.

    Raises UnknownNameError for anything else: `actlab.facts(thing)` measures it.

    >>> from torch import nn
    >>> recognised(nn.LeakyReLU(0.2)).values
    {'negative_slope': 0.2}
    >>> recognised(nn.functional.silu).name
    'silu'
    """
    if isinstance(thing, Entry):
        return thing
    if isinstance(thing, str):
        entry, values = find(thing)
        return entry.bind(**values)
    found = _of_module(thing)
    if found is None and callable(thing):
        found = _of_callable(thing)
    if found is None:
        message = _("{name} is not a function of the catalogue; actlab.facts(...) measures it.")
        raise UnknownNameError(message.format(name=_name_of(thing)))
    return found


def _name_of(thing: Any) -> str:
    return str(getattr(thing, "__name__", None) or type(thing).__name__)


def _of_module(thing: Any) -> Entry | None:
    kind = type(thing)
    if kind.__module__.startswith("actlab.activations.modules."):
        return _of_own_module(thing)
    if not kind.__module__.startswith("torch.nn.modules."):
        return None
    name = kind.__name__
    if name == "GELU":
        return ENTRIES["gelu_tanh" if thing.approximate == "tanh" else "gelu"]
    if name == "PReLU":
        return ENTRIES["prelu"].bind(a=float(thing.weight.detach().float().mean()))
    try:
        entry, values = find(f"torch:{name}")
    except UnknownNameError:
        return None
    given = {ours: getattr(thing, theirs) for theirs, ours in _ATTRIBUTES.get(name, {}).items()}
    known = {key: float(value) for key, value in given.items() if value is not None}
    return entry.bind(**{**values, **known})


def _of_own_module(thing: Any) -> Entry | None:
    file = type(thing).__module__.rpartition(".")[2]
    factory = f"{file}:{type(thing).__name__.removeprefix('_')}"
    for entry in ENTRIES.values():
        if entry.factory == factory:
            values = {name: getattr(thing, name, None) for name in entry.values}
            numbers = {
                name: float(value.detach().float().mean()) if hasattr(value, "detach") else value
                for name, value in values.items()
                if value is not None
            }
            return entry.bind(**numbers)
    return None


def _of_callable(thing: Callable[..., Any]) -> Entry | None:
    home = getattr(thing, "__module__", None) or ""
    name = getattr(thing, "__name__", "")
    library = home.split(".")[0]
    if library in ("torch", "jax", "keras", "timm") or (home == "" and name):
        try:
            entry, values = find(f"{library or 'torch'}:{name}")
        except UnknownNameError:
            return None
        return entry.bind(**values)
    return None
