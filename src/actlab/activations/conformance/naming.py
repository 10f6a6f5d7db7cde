"""What does this compute? A callable, or each activation of a module, named to its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from actlab.activations.catalogue import find
from actlab.activations.catalogue.entry import Entry
from actlab.activations.facts.callables import as_rows, check_elementwise, in_float64, name_of
from actlab.activations.facts.nearest import Nearest, nearest_to
from actlab.activations.recognised import recognised
from actlab.errors import ActlabError, UnknownNameError

_SINGLE = 2e-6
"""How far float32 may be off from what it computes, relative to max(1, |f|)."""


def identify(thing: Any) -> dict[str, Any]:
    """Return which function of the catalogue a module or a callable computes, with parameters.

    Known modules are told by what they are, others by what they compute: in float64, where `equal`
    says that the two agree to 9 digits wherever it was tried; or in float32, to 5 digits, for a
    kernel that has no other.

    >>> identify(nn.GELU(approximate="tanh"))["call"]
    'gelu_tanh'
    """
    try:
        entry = recognised(thing)
    except UnknownNameError:
        pass
    else:
        return _document(_of_entry(entry))
    apply = as_rows(in_float64(thing))
    check_elementwise(apply, name_of(thing))
    return _document(_nearest(apply, digits=9))


def identify_single(kernel: Callable[[Tensor], Tensor]) -> dict[str, Any]:
    """Return which function a kernel computes that works in float32, number by number."""
    return _document(_nearest(kernel, digits=5))


def _nearest(apply: Callable[[Tensor], Tensor], *, digits: int) -> Nearest:
    def value(xs: Any) -> Any:
        with torch.no_grad():
            found = apply(torch.from_numpy(xs)).numpy()
        return np.asarray(found, dtype=float)

    near = nearest_to(value, agreement=1e-9 if digits == 9 else _SINGLE)
    assert near is not None, "the catalogue is not empty"
    return near


def _of_entry(entry: Entry) -> Nearest:
    usual = dict(entry.values)
    return Nearest(entry.name, usual, 0.0, equal=True)


def _document(near: Nearest) -> dict[str, Any]:
    return {**asdict(near), "parameters": dict(near.parameters), "call": near.call}


def identify_modules(modules: Iterable[tuple[str, nn.Module]]) -> dict[str, dict[str, Any]]:
    """Return what each named module computes, where it works number by number and is not linear.

    >>> model = nn.Sequential(nn.Linear(2, 2), nn.SiLU(), nn.Dropout())
    >>> {path: found["call"] for path, found in identify_modules(model.named_modules()).items()}
    {'1': 'silu'}
    """
    found: dict[str, dict[str, Any]] = {}
    taken: list[str] = []
    remembered: dict[str, dict[str, Any]] = {}
    for path, module in modules:
        if any(path.startswith(f"{above}.") for above in taken) or not path:
            continue
        if not _may_activate(module):
            continue
        key = repr(module) if not list(module.parameters()) else ""
        known = remembered.get(key) if key else None
        if known is None:
            try:
                known = identify(module)
            except ActlabError:
                continue
            if key:
                remembered[key] = known
        if known["name"] == "identity":
            continue
        found[path] = known
        taken.append(path)
    return found


def _may_activate(module: nn.Module) -> bool:
    """Return whether a module may work number by number: it has no weights but a few slopes."""
    passive = nn.Dropout | nn.Flatten | nn.Identity | nn.Sequential | nn.ModuleList | nn.ModuleDict
    if isinstance(module, passive) or "Dropout" in type(module).__name__:
        return False
    if isinstance(module, nn.PReLU):
        return True
    shapes = [parameter.dim() for parameter in module.parameters()]
    return all(dim < 2 for dim in shapes) and "Norm" not in type(module).__name__


CONFIGURED = ("hidden_act", "activation_function", "hidden_activation", "act", "activation")
"""Under which keys configurations of Hugging Face name the activation."""


def configured_names(config: Any) -> dict[str, str]:
    """Return the names of activations that a configuration gives, by their keys."""
    given: Mapping[str, Any] = config.to_dict() if hasattr(config, "to_dict") else {}
    found = {}
    for key, value in given.items():
        named = key in CONFIGURED or key.endswith(("_act", "activation_function"))
        if named and isinstance(value, str):
            found[key] = value
    return found


def differing(named: Mapping[str, str], found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the configured names that none of the found activations has, with what they mean.

    >>> differing({"hidden_act": "gelu"}, {"mlp.act": {"name": "gelu_tanh"}})
    {'hidden_act': 'gelu'}
    """
    there = {row["name"] for row in found.values()}
    missing = {}
    for key, spelling in named.items():
        try:
            meant = _meant(spelling)
        except UnknownNameError:
            continue
        if meant not in there:
            missing[key] = spelling if spelling == meant else f"{spelling} ({meant})"
    return missing


def _meant(spelling: str) -> str:
    """Return the catalogue's name of a spelling of Hugging Face's, or of anybody's."""
    try:
        return find(f"hf:{spelling}")[0].name
    except UnknownNameError:
        return find(spelling)[0].name
