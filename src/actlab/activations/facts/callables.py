"""Facts of a module or a callable that is in no catalogue: measured by running it in float64."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from actlab.activations.catalogue.declared import Facts, ScalarFacts
from actlab.activations.facts.curve import MeasurementError
from actlab.activations.facts.module_route import ModuleRoute
from actlab.activations.facts.nearest import nearest_to
from actlab.i18n import _

_PROBES = torch.linspace(-5.3, 5.1, 24, dtype=torch.float64)


def facts_of_callable(thing: Callable[..., Any]) -> Facts:
    """Return what running the callable in float64 tells of it.

    What cannot be seen so is None: no number of samples shows that a function is smooth, so
    `smoothness` and `kinks` are None unless a kink was found (they are looked for at multiples of
    1/8 in [-12, 12]); nor are limits known beyond 1e8. Raises MeasurementError for a callable that
    does not work number by number, that computes in less than float64, or that fails.
    """
    apply = in_float64(thing)
    check_elementwise(apply, name_of(thing))
    route = ModuleRoute(apply)
    with np.errstate(all="ignore"):
        found = route.facts(ScalarFacts())
        near = nearest_to(route.value)
    if found.smoothness == "Cinf":
        found = replace(found, smoothness=None, kinks=None)
    learns = isinstance(thing, nn.Module) and any(p.requires_grad for p in thing.parameters())
    return Facts(
        name=name_of(thing),
        aliases=(),
        formula="",
        latex=None,
        parameters={},
        source="",
        learnable=learns,
        nearest=near,
        **vars(found),
    )


def name_of(thing: Any) -> str:
    """Return what a callable is called."""
    return str(getattr(thing, "__name__", None) or type(thing).__name__)


def in_float64(thing: Callable[..., Any]) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a module as a copy in float64 and in evaluation, a function as it is."""
    if isinstance(thing, nn.Module):
        return copy.deepcopy(thing).double().eval()
    return thing


def check_elementwise(apply: Callable[[torch.Tensor], torch.Tensor], name: str) -> None:
    """Raise MeasurementError unless each output number depends on one input number alone."""
    try:
        with torch.no_grad():
            row, turned = apply(_PROBES.clone()), apply(_PROBES.flip(0).clone())
            single = apply(_PROBES[3:4].clone())
    except Exception as error:
        message = _("{name} cannot be run on a row of float64 numbers: {reason}")
        raise MeasurementError(message.format(name=name, reason=error)) from None
    if not isinstance(row, torch.Tensor) or row.shape != _PROBES.shape:
        message = _("{name} does not return one number for each number that it is given.")
        raise MeasurementError(message.format(name=name))
    if row.dtype != torch.float64:
        message = _("{name} computes in {dtype}, but facts need float64.")
        raise MeasurementError(message.format(name=name, dtype=str(row.dtype).split(".")[-1]))
    alike = torch.equal(turned.flip(0), row) or torch.allclose(turned.flip(0), row, rtol=1e-13)
    if not alike or not torch.allclose(single, row[3:4], rtol=1e-13, atol=0):
        message = _("{name} mixes its inputs: facts are of functions of one number.")
        raise MeasurementError(message.format(name=name))
