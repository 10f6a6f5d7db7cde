"""Is this kernel that function of several inputs? Against its module in float64, on rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from actlab.activations.catalogue.entry import Entry
from actlab.activations.conformance.results import ALLOWED_ULP, Check, ConformanceError, Report
from actlab.activations.modules import build
from actlab.i18n import _

_SHAPES = ((6, 12), (3, 4, 6), (2, 8))
_FAILS = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError)
_RANDOM = ("gumbel_softmax",)


def check_structural(
    kernel: Callable[..., Tensor],
    function: Entry,
    dtype: str,
    kind: torch.dtype,
    *,
    gradients: bool,
) -> Report:
    """Compare a kernel with a function of several inputs: values, gradients and habits.

    A gated function may take its two halves as one tensor or as two. Errors are judged in units in
    the last place of the larger of the output and its row's inputs.
    """
    if function.learns:
        message = _("{name} learns its shape, so there is no one function to compare with.")
        raise ConformanceError(message.format(name=function.name))
    reference = build(function, dtype=torch.float64).eval()
    worst: dict[str, Check] = {}
    for number, x in enumerate(_inputs(kind)):
        wide = x.double().requires_grad_()
        wanted = reference(wide)
        given = x.clone().requires_grad_(gradients)
        try:
            y = _call(kernel, given, function)
            again = _call(kernel, given, function)
        except _FAILS as error:
            message = _("The kernel cannot be run on {dtype}: {reason}")
            reason = str(error).strip().split("\n")[0] or type(error).__name__
            raise ConformanceError(message.format(dtype=dtype, reason=reason)) from None
        if not isinstance(y, Tensor) or y.shape != wanted.shape:
            return Report(function.name, dtype, (Check("shape", False),))
        room = _scale(x, wanted, function)
        found = [
            _row("value", y.detach().double(), wanted.detach(), room, kind),
            Check("dtype", y.dtype == kind),
            Check("input kept", torch.equal(given.detach(), x)),
            Check("determinism", torch.equal(y.detach(), again.detach())),
        ]
        found.append(_nan_kept(kernel, x, function, reference))
        if gradients and not y.requires_grad:
            found.append(Check("gradient", False))
        elif gradients:
            mixed = torch.randn(
                y.shape, generator=torch.Generator().manual_seed(number), dtype=torch.float64
            ).to(kind)
            (slope,) = torch.autograd.grad(y, given, mixed)
            (true,) = torch.autograd.grad(wanted, wide, mixed.double())
            steep = torch.full_like(true, max(1.0, float(true.abs().max())))
            found.append(_row("gradient", slope.double(), true, steep, kind))
        for row in found:
            before = worst.get(row.name)
            if before is None or _harm(row) > _harm(before):
                worst[row.name] = row
    return Report(function.name, dtype, tuple(worst.values()))


def _nan_kept(
    kernel: Callable[..., Tensor], x: Tensor, function: Entry, reference: Callable[..., Tensor]
) -> Check:
    """Return whether a NaN reaches the same outputs as in the reference."""
    spoilt = x.clone()
    spoilt.view(-1)[0] = math.nan
    with torch.no_grad():
        wanted = reference(spoilt.double()).isnan()
        return Check("NaN kept", torch.equal(_call(kernel, spoilt, function).isnan(), wanted))


def _harm(check: Check) -> tuple[bool, float]:
    return (not check.ok, check.worst_ulp or 0.0)


def _inputs(kind: torch.dtype) -> list[Tensor]:
    """Return rows of normal numbers, of larger ones, of whole and half ones, and of far ones."""
    generator = torch.Generator().manual_seed(20261129)
    found = []
    for shape in _SHAPES:
        normal = torch.randn(shape, generator=generator, dtype=torch.float64)
        found += [normal, 6 * normal, (2 * normal).round() / 2]
    far = 50 * torch.randn((4, 6), generator=generator, dtype=torch.float64)
    return [x.to(kind) for x in (*found, far)]


def _call(kernel: Callable[..., Any], x: Tensor, function: Entry) -> Any:
    """Call a kernel on one tensor, or on gate and value where it asks for two."""
    if function.factors is None:
        return kernel(x)
    try:
        return kernel(x)
    except TypeError as error:
        if "argument" not in str(error):
            raise
    halves = x.chunk(2, int(function.values.get("dim", -1)))
    return kernel(*halves)


def _scale(x: Tensor, wanted: Tensor, function: Entry) -> Tensor:
    """Return what an output's error is held against: the output, and the products it is made of."""
    size = wanted.detach().abs()
    if function.factors is not None:
        first, second = x.double().abs().chunk(2, int(function.values.get("dim", -1)))
        return torch.maximum(size, first * (second + 1)) + _LEAST
    if wanted.shape == x.shape:
        # A probability's relative error grows with the inputs' size; a logarithm's is of that size.
        largest = x.double().abs().amax(-1, keepdim=True)
        logarithms = bool((wanted < 0).any())
        return size + largest if logarithms else size * (1 + largest) + _LEAST
    return torch.clamp(size, min=float(size.max()) * 1e-3)


_LEAST = 1e-30


def _row(name: str, given: Tensor, true: Tensor, scale: Tensor, kind: torch.dtype) -> Check:
    """Return the worst error; what the type's subnormal numbers cannot tell apart is none."""
    limits = torch.finfo(kind)
    subnormal = limits.smallest_normal * limits.eps
    off = ((given - true).abs() - 2 * subnormal).clamp(min=0) / (limits.eps * scale)
    off = torch.where(given == true, torch.zeros_like(off), off)
    off = torch.where(off.isnan(), torch.full_like(off, math.inf), off)
    place = int(off.argmax())
    worst = float(off.flatten()[place])
    return Check(
        name,
        worst <= ALLOWED_ULP,
        worst,
        None,
        float(given.flatten()[place]),
        float(true.flatten()[place]),
    )
