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
from actlab.activations.facts.curve import MeasurementError, not_finite
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
    apply = as_rows(in_float64(thing))
    check_elementwise(apply, name_of(thing))
    check_differentiable(apply, name_of(thing))
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


def as_rows(apply: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Return a callable on rows of numbers that it may change; one that needs a batch gets one."""
    batched = False
    try:
        with torch.no_grad():
            apply(_PROBES.clone())
    except (Exception, SystemExit):
        try:
            with torch.no_grad():
                batched = apply(_PROBES.clone().unsqueeze(1)).shape == (len(_PROBES), 1)
        except (Exception, SystemExit):
            batched = False

    def on_a_row(x: torch.Tensor) -> torch.Tensor:
        return apply(x.clone().unsqueeze(-1)).squeeze(-1) if batched else apply(x.clone())

    return on_a_row


def check_differentiable(apply: Callable[[torch.Tensor], torch.Tensor], name: str) -> None:
    """Raise MeasurementError where a callable has no gradient, or is not finite near 0."""
    points = torch.arange(-12.0, 12.0, 1 / 2048, dtype=torch.float64).requires_grad_()
    try:
        values = apply(points)
    except Exception as error:
        raise _cannot_be_run(name, error) from None
    if not values.requires_grad:
        message = _("{name} has no gradient with respect to its input.")
        raise MeasurementError(message.format(name=name))
    undefined = points.detach()[values.detach().isnan()]
    if len(undefined):
        raise not_finite(float(undefined[undefined.abs().argmin()]))


def _cannot_be_run(name: str, error: BaseException) -> MeasurementError:
    kind = type(error).__name__
    reason = str(error).strip().split("\n")[0] or kind
    if isinstance(error, SystemExit):
        reason = kind
    message = _("{name} cannot be run on a row of float64 numbers: {reason}")
    return MeasurementError(message.format(name=name, reason=reason))


def check_elementwise(apply: Callable[[torch.Tensor], torch.Tensor], name: str) -> None:
    """Raise MeasurementError unless each output number depends on one input number alone."""
    try:
        with torch.no_grad():
            row, turned = apply(_PROBES.clone()), apply(_PROBES.flip(0).clone())
            single = apply(_PROBES[3:4].clone())
            again = apply(_PROBES.clone())
    except (Exception, SystemExit) as error:
        raise _cannot_be_run(name, error) from None
    if not isinstance(row, torch.Tensor) or row.shape != _PROBES.shape:
        message = _("{name} does not return one number for each number that it is given.")
        raise MeasurementError(message.format(name=name))
    if row.dtype != torch.float64:
        message = _("{name} computes in {dtype}, but facts need float64.")
        raise MeasurementError(message.format(name=name, dtype=str(row.dtype).split(".")[-1]))
    undefined = _PROBES[row.isnan()]
    if len(undefined):
        raise not_finite(float(undefined[0]))
    if not torch.equal(again, row):
        message = _("{name} gives other values when it is run again.")
        raise MeasurementError(message.format(name=name))
    alike = torch.equal(turned.flip(0), row) or torch.allclose(turned.flip(0), row, rtol=1e-13)
    if not alike or not torch.allclose(single, row[3:4], rtol=1e-13, atol=0):
        message = _("{name} mixes its inputs: facts are of functions of one number.")
        raise MeasurementError(message.format(name=name))
