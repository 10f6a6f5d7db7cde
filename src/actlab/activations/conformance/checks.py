"""Is this kernel that function of one input? Values and gradients against 60 digits, and habits."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from actlab.activations.catalogue.entry import Entry
from actlab.activations.conformance.modes import agreement
from actlab.activations.conformance.results import ALLOWED_ULP, Check, ConformanceError, Report
from actlab.activations.conformance.structural import check_structural
from actlab.activations.facts.numerical_errors import DTYPES, Truth, as_written, sample_points
from actlab.errors import unknown_name
from actlab.i18n import _

_FAILS = (RuntimeError, TypeError, ValueError, NotImplementedError)
_ORDINARY = 20.0
"""Second derivatives are compared up to this size of the input."""


def check(
    kernel: Callable[..., Tensor],
    function: Entry,
    dtype: str = "float32",
    *,
    gradients: bool = True,
    modes: tuple[str, ...] = (),
) -> Report:
    """Compare a kernel with a function of the catalogue, at every size that the dtype holds.

    Values are judged in units in the last place of max(|f|, |x|), gradients in those of the larger
    of |f'| and sup |f'|, up to 16, or twice what the plain formula is off; the gradient at kinks
    lies between its sides; second derivatives (float32, float64, where the kernel has them) are
    right to half of the digits; an infinite input gives
    the limit, or NaN where the plain formula does; NaN, shape and dtype are kept, the input is left
    alone, a second run and a strided input give the same. The relative error in the tails and from
    where the gradient is exactly 0 are reported. `modes` are among "compiled" and "exported": each
    has to agree with the eager kernel. What torch's own kernel gets wrong of this function is no
    fault. Functions of several inputs are compared with their module in float64 on rows of numbers.

    Raises ConformanceError for a kernel that fails.

    >>> from torch.nn import functional
    >>> from actlab.activations import get
    >>> check(functional.gelu, get("gelu")).ok
    True
    >>> check(functional.gelu, get("gelu_tanh")).ok
    False
    """
    if dtype not in DTYPES:
        raise unknown_name(_("dtype"), dtype, DTYPES)
    kind = DTYPES[dtype]
    module: Callable[..., Any] = kernel
    if isinstance(kernel, nn.Module):
        module = copy.deepcopy(kernel).to(kind).eval()
    if function.kind == "structural":
        return check_structural(module, function, dtype, kind, gradients=gradients)
    truth = truth_of(function)
    works_in_place = getattr(kernel, "inplace", False) is True
    x = points_of(kind, truth).to(kind).requires_grad_(gradients)
    before = x.detach().clone()
    given = x.clone()
    try:
        y = module(given)
        again = module(x.clone())
        if not isinstance(y, Tensor):
            message = _("A kernel returns one tensor; this one returned {kind}.")
            raise ConformanceError(message.format(kind=type(y).__name__))
        if y.shape != x.shape:
            return Report(function.name, dtype, (Check("shape", False),))
        if y.is_complex() or not y.is_floating_point():
            return Report(function.name, dtype, (Check("dtype", False),))
        slopes = _slopes(y, x) if gradients else None
        strided = module(x.detach().repeat_interleave(2)[::2])
        undefined = float(module(torch.full((8,), math.nan, dtype=kind)).detach()[0])
        ends = [float(module(torch.full((8,), end, dtype=kind)).detach()[0]) for end in _ENDS]
    except _FAILS as error:
        message = _("The kernel cannot be run on {dtype}: {reason}")
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise ConformanceError(message.format(dtype=dtype, reason=reason)) from None
    known = {(e.quantity, dtype): e.beyond for e in function.exceptions if dtype in e.dtypes}
    eps = torch.finfo(kind).eps
    xs, values = before.double(), y.detach().double()
    written = _written(function, before, gradients=gradients)
    limit = known.get(("value", dtype))
    checks = [_worst("value", xs, values, truth, limit, eps, kind, written[0])]
    if slopes is not None:
        slopes = slopes.double()
        limit = known.get(("gradient", dtype))
        checks.append(_worst("gradient", xs, slopes, truth, limit, eps, kind, written[1]))
        checks += _kinks(xs, slopes, truth, eps)
        checks += _second(module, truth, kind, eps)
    checks += [
        *_infinities(ends, function, truth, kind),
        Check("NaN kept", math.isnan(undefined), at=math.nan, given=undefined, true=math.nan),
        Check("dtype", y.dtype == kind),
        Check("input kept", works_in_place or torch.equal(given.detach(), before)),
        Check("determinism", _identical(y.detach(), again.detach())),
        Check("strided input", _alike(strided.detach(), y.detach(), before, eps)),
        *(agreement(module, before.clone(), mode, ALLOWED_ULP * eps) for mode in modes),
        *_reported(xs, values, slopes, truth, eps),
    ]
    return Report(function.name, dtype, tuple(checks))


_ENDS = (-math.inf, math.inf)
_TRUTHS: dict[tuple[object, ...], Truth] = {}
_MOST_TRUTHS = 8


def truth_of(function: Entry) -> Truth:
    """Return the true values of a function, remembered from one check to the next."""
    key = (function.name, function.formula, *function.values.items())
    if key not in _TRUTHS:
        while len(_TRUTHS) >= _MOST_TRUTHS:
            del _TRUTHS[next(iter(_TRUTHS))]
        _TRUTHS[key] = Truth(function)
    return _TRUTHS[key]


def points_of(kind: torch.dtype, truth: Truth) -> Tensor:
    """Return numbers of the dtype: every size of both signs, normal inputs, the sides of kinks."""
    breaks = [float(found.x) for found in truth.critical_points.breaks]
    normal = torch.randn(400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    spread = torch.cat([normal, 4 * normal[:100]]).to(kind).double()
    points: Tensor = torch.unique(torch.cat([sample_points(kind, breaks), spread]))
    return points


def _slopes(y: Tensor, x: Tensor) -> Tensor:
    if not y.requires_grad:
        return torch.zeros_like(x)
    found: Tensor = torch.autograd.grad(y, x, torch.ones_like(y))[0]
    return found


def _identical(left: Tensor, right: Tensor) -> bool:
    return bool(((left == right) | (left.isnan() & right.isnan())).all())


def _alike(left: Tensor, right: Tensor, xs: Tensor, eps: float) -> bool:
    allowed = ALLOWED_ULP * eps * torch.maximum(right.double().abs(), xs.double().abs())
    near = (left.double() - right.double()).abs() <= allowed
    return bool((near | (left == right) | (left.isnan() & right.isnan())).all())


def _worst(
    quantity: str,
    xs: Tensor,
    found: Tensor,
    truth: Truth,
    known_from: float | None,
    eps: float,
    kind: torch.dtype,
    plain: Tensor | None = None,
) -> Check:
    """Return the worst error of values or gradients; the first wrong input nearest 0 where any.

    Twice what the plain formula is off, in the same type, is no error of the kernel's.
    """
    largest = torch.finfo(kind).max
    least = torch.finfo(kind).tiny * 4
    rows: list[tuple[float, float, float, float]] = []
    kinks = [float(found.x) for found in truth.critical_points.breaks]
    written = [math.nan] * len(xs) if plain is None else plain.tolist()
    for x, given, literal in zip(xs.tolist(), found.tolist(), written, strict=True):
        pair = truth(x)
        true = pair[0] if quantity == "value" else pair[1]
        # Beside a kink the input itself may be rounded to the other side.
        blurred = quantity == "gradient" and any(
            abs(x - place) <= 8 * eps * max(1.0, abs(place)) for place in kinks
        )
        if blurred:
            continue
        if true is None or abs(true) > largest or (known_from is not None and abs(x) >= known_from):
            continue
        scale = max(abs(true), abs(x) if quantity == "value" else truth.steepest)
        if math.isinf(scale):
            scale = max(abs(true), 1.0)
        off = abs(given - true) - least
        if math.isfinite(literal):
            off -= 2 * abs(literal - true)
        ulp = math.inf if not math.isfinite(given) else max(0.0, off) / (eps * scale or 1.0)
        rows.append((ulp, x, given, true))
    wrong = [row for row in rows if row[0] > ALLOWED_ULP]
    chosen = min(wrong, key=lambda row: abs(row[1])) if wrong else max(rows)
    return Check(quantity, not wrong, max(rows)[0], *chosen[1:])


def _written(function: Entry, x: Tensor, *, gradients: bool) -> tuple[Tensor, Tensor | None]:
    """Return value and gradient of the formula as it is written, computed in the type of x."""
    points = x.clone().requires_grad_(gradients)
    y = as_written(function)(points)
    slopes = _slopes(y, points).double() if gradients else None
    return y.detach().double().expand(x.shape), slopes


def judged(quantity: str, table: Tensor, truth: Truth, kind: torch.dtype) -> Check:
    """Return the worst error of given values (or gradients): columns x and what a port returned."""
    xs, found = table.double().unbind(1)
    return _worst(quantity, xs, found, truth, None, torch.finfo(kind).eps, kind)


def _kinks(xs: Tensor, slopes: Tensor, truth: Truth, eps: float) -> list[Check]:
    """Return of each kink whether the gradient there lies between those of its sides."""
    found = []
    for kink in truth.critical_points.breaks:
        place = float(kink.x)
        here = torch.nonzero(xs == place).flatten()
        sides = [float(side[1]) for side in (kink.left, kink.right)]
        if kink.order > 1 or not len(here) or not all(map(math.isfinite, sides)):
            continue
        given = float(slopes[here[0]])
        room = ALLOWED_ULP * eps * max(1.0, *map(abs, sides))
        # A step may have any slope from 0 on, and both sides may be 0.
        within = min(0.0, *sides) - room <= given <= max(0.0, *sides) + room
        found.append(Check("gradient at a kink", within, None, place, given, sides[1]))
    return found


def _second(
    module: Callable[..., Tensor], truth: Truth, kind: torch.dtype, eps: float
) -> list[Check]:
    """Return the worst second derivative, where the kernel can be differentiated twice."""
    if kind not in (torch.float32, torch.float64):
        return []
    breaks = [float(found.x) for found in truth.critical_points.breaks]
    even = torch.linspace(-_ORDINARY, _ORDINARY, 161, dtype=torch.float64) + 0.0137
    places = [x for x in even.to(kind).double().tolist() if all(abs(x - b) > 1e-3 for b in breaks)]
    x = torch.tensor(places).to(kind).requires_grad_()
    try:
        y = module(x)
        if not y.requires_grad:
            return []
        (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        if not slope.requires_grad:  # it has a first derivative alone, or is made of lines
            return []
        bends: Tensor | None = torch.autograd.grad(slope.sum(), x, allow_unused=True)[0]
    except RuntimeError:
        return []
    if bends is None:
        return []
    rows = []
    for place, given in zip(places, bends.double().tolist(), strict=True):
        true = truth.curvature(place)
        if true is None:
            continue
        rows.append((abs(given - true), place, given, true))
    if not rows:
        return []
    allowed = math.sqrt(eps) * max(1.0, *(abs(row[3]) for row in rows))
    wrong = [row for row in rows if not row[0] <= allowed]
    chosen = min(wrong, key=lambda row: abs(row[1])) if wrong else max(rows)
    return [Check("second derivative", not wrong, max(rows)[0] / eps, *chosen[1:])]


def _infinities(ends: list[float], function: Entry, truth: Truth, kind: torch.dtype) -> list[Check]:
    """Return whether infinite inputs give the limits, or NaN where the plain formula does."""
    found = []
    plain = as_written(function)
    for x, given, limit in zip(_ENDS, ends, truth.critical_points.limits, strict=True):
        if limit is None:
            continue
        true = float(limit)
        with torch.no_grad():
            literal = float(plain(torch.full((8,), x, dtype=kind))[0])
        alike = given == true or abs(given - true) <= 4 * torch.finfo(kind).eps * abs(true)
        tolerated = math.isnan(given) and (math.isnan(literal) or _known_nan(function))
        found.append(Check("infinite input", alike or tolerated, None, x, given, true))
    return found


def _known_nan(function: Entry) -> bool:
    return any(exception.fault == "nan" for exception in function.exceptions)


def _reported(
    xs: Tensor, values: Tensor, slopes: Tensor | None, truth: Truth, eps: float
) -> list[Check]:
    """Return the largest relative error in the tails, and from where the gradient is lost."""
    low, high = truth.tails
    tails = []
    for x, given in zip(xs.tolist(), values.tolist(), strict=True):
        true = truth(x)[0]
        if (x < low or x > high) and true != 0 and math.isfinite(given):
            tails.append((abs(given - true) / (eps * abs(true)), x, given, true))
    found = (
        [Check("relative error in the tails", True, *max(tails), reported=True)] if tails else []
    )
    if slopes is None:
        return found
    for side in (-1, 1):
        lost = [
            x
            for x, slope in zip(xs.tolist(), slopes.tolist(), strict=True)
            if slope == 0 and x * side > 1 and not truth.is_flat(x)
        ]
        if lost:
            place = min(lost, key=abs)
            steep = truth(place)[1]
            found.append(Check("gradient 0 from", True, None, place, 0.0, steep, reported=True))
    return found
