"""Is this kernel that function? Values and gradients against 60 digits, vectors for ports, naming.

from actlab.activations.conformance import check

check(my_gelu, get("gelu")).ok
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from actlab.activations.catalogue.entry import Entry
from actlab.activations.facts.callables import check_elementwise, in_float64, name_of
from actlab.activations.facts.nearest import nearest_to
from actlab.activations.facts.numerical_errors import DTYPES, Truth, sample_points
from actlab.activations.recognised import recognised
from actlab.errors import ActlabError, unknown_name
from actlab.i18n import _

__all__ = ["Check", "ConformanceError", "Report", "check", "identify", "vectors"]

ALLOWED_ULP = 16.0
"""Units in the last place of max(|f|, |x|), and of the larger of |f'| and sup |f'|."""


class ConformanceError(ActlabError):
    """A kernel that cannot be compared with a function."""


@dataclass(frozen=True)
class Check:
    """One comparison: whether it holds, the worst error in units in the last place, and where."""

    name: str
    ok: bool
    worst_ulp: float | None = None
    at: float | None = None
    given: float | None = None
    true: float | None = None


@dataclass(frozen=True)
class Report:
    """All comparisons of a kernel with a function in one dtype."""

    function: str
    dtype: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Return whether every comparison holds."""
        return all(check.ok for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {**asdict(self), "ok": self.ok, "checks": [asdict(check) for check in self.checks]}


def check(
    kernel: Callable[[Tensor], Tensor],
    function: Entry,
    dtype: str = "float32",
    *,
    gradients: bool = True,
) -> Report:
    """Compare a kernel with a function of the catalogue, at every size that the dtype holds.

    Values are judged in units in the last place of max(|f|, |x|), gradients in those of the larger
    of |f'| and sup |f'|, up to 16; then NaN, shape and dtype, that the input is left alone, that a
    second run gives the same, and that a strided input does. At a kink either slope counts, and
    what torch's own kernel gets wrong of this function is no fault. Raises ConformanceError for a
    function of several inputs or a kernel that fails.

    >>> from torch.nn import functional
    >>> from actlab.activations import get
    >>> check(functional.gelu, get("gelu")).ok
    True
    >>> check(functional.gelu, get("gelu_tanh")).ok
    False
    """
    if dtype not in DTYPES:
        raise unknown_name(_("dtype"), dtype, DTYPES)
    if function.kind == "structural":
        message = _("{name} has several inputs; kernels are compared with functions of one.")
        raise ConformanceError(message.format(name=function.name))
    kind = DTYPES[dtype]
    truth = Truth(function)
    points = _points(kind, truth)
    module = kernel if not isinstance(kernel, nn.Module) else kernel.to(kind).eval()
    x = points.to(kind).requires_grad_(gradients)
    before = x.detach().clone()
    try:
        y = module(x)
        again = module(x)
        if not isinstance(y, Tensor) or y.shape != x.shape:
            return Report(function.name, dtype, (Check("shape", False),))
        slopes = _slopes(y, x) if gradients else None
        strided = module(x.detach().repeat_interleave(2)[::2])
        undefined = float(module(torch.full((8,), math.nan, dtype=kind)).detach()[0])
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        message = _("The kernel cannot be run on {dtype}: {reason}")
        raise ConformanceError(message.format(dtype=dtype, reason=error)) from None
    known = {(e.quantity, dtype): e.beyond for e in function.exceptions if dtype in e.dtypes}
    eps = torch.finfo(kind).eps
    checks = [
        _worst("value", before, y.detach(), truth, known.get(("value", dtype)), eps),
        Check("dtype", y.dtype == kind),
        Check("input kept", torch.equal(x.detach(), before)),
        Check("determinism", torch.equal(y.detach(), again.detach())),
        Check("strided input", _alike(strided.detach(), y.detach(), before, eps)),
        Check("NaN kept", math.isnan(undefined), at=math.nan, given=undefined, true=math.nan),
    ]
    if slopes is not None:
        limit = known.get(("gradient", dtype))
        checks.insert(1, _worst("gradient", before, slopes, truth, limit, eps))
    return Report(function.name, dtype, tuple(checks))


def _points(kind: torch.dtype, truth: Truth) -> Tensor:
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


def _alike(left: Tensor, right: Tensor, xs: Tensor, eps: float) -> bool:
    allowed = ALLOWED_ULP * eps * torch.maximum(right.double().abs(), xs.double().abs())
    near = (left.double() - right.double()).abs() <= allowed
    return bool((near | (left == right) | (left.isnan() & right.isnan())).all())


def _worst(
    quantity: str, xs: Tensor, found: Tensor, truth: Truth, known_from: float | None, eps: float
) -> Check:
    """Return the worst error of values or gradients; the first wrong input nearest 0 where any."""
    largest = torch.finfo(xs.dtype).max
    least = torch.finfo(xs.dtype).tiny * 4
    rows: list[tuple[float, float, float, float]] = []
    for x, given in zip(xs.double().tolist(), found.double().tolist(), strict=True):
        pair = truth(x)
        true = pair[0] if quantity == "value" else pair[1]
        if true is None or abs(true) > largest or (known_from is not None and abs(x) >= known_from):
            continue
        scale = max(abs(true), abs(x) if quantity == "value" else truth.steepest)
        if math.isinf(scale):
            scale = max(abs(true), 1.0)
        off = abs(given - true) - least
        ulp = math.inf if not math.isfinite(given) else max(0.0, off) / (eps * scale or 1.0)
        rows.append((ulp, x, given, true))
    wrong = [row for row in rows if row[0] > ALLOWED_ULP]
    chosen = min(wrong, key=lambda row: abs(row[1])) if wrong else max(rows)
    return Check(quantity, not wrong, max(rows)[0], *chosen[1:])


def vectors(function: Entry, dtype: str = "float32") -> dict[str, list[float]]:
    """Return inputs of a dtype with the true values and slopes, rounded to it, for ports.

    At a kink, where either slope may be meant, the input is left out.

    >>> from actlab.activations import get
    >>> sorted(vectors(get("relu")))
    ['dy', 'x', 'y']
    """
    if dtype not in DTYPES:
        raise unknown_name(_("dtype"), dtype, DTYPES)
    kind, truth = DTYPES[dtype], Truth(function)
    rows = [(x, *truth(x)) for x in _points(kind, truth).tolist()]
    kept = [row for row in rows if row[2] is not None]
    columns = torch.tensor(kept, dtype=torch.float64).to(kind).double()
    finite = torch.isfinite(columns).all(1)
    x, y, dy = columns[finite].T.tolist()
    return {"x": x, "y": y, "dy": dy}


def identify(thing: Any) -> dict[str, Any]:
    """Return which function of the catalogue a module or a callable computes, with parameters.

    Known modules are told by what they are, others by what they compute in float64: `equal` says
    that the two agree to 9 digits wherever it was tried.

    >>> identify(nn.GELU(approximate="tanh"))["call"]
    'gelu_tanh'
    """
    try:
        entry = recognised(thing)
    except ActlabError:
        apply = in_float64(thing)
        check_elementwise(apply, name_of(thing))

        def value(xs: Any) -> Any:
            with torch.no_grad():
                return apply(torch.from_numpy(xs)).numpy()

        near = nearest_to(value)
        assert near is not None, "the catalogue is not empty"
        return {**asdict(near), "parameters": dict(near.parameters), "call": near.call}
    given = dict(entry.values)
    inside = ", ".join(f"{name}={value:g}" for name, value in given.items())
    call = f"{entry.name}({inside})" if inside else entry.name
    return {"name": entry.name, "parameters": given, "distance": 0.0, "equal": True, "call": call}
