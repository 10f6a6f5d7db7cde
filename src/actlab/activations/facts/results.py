"""What the measurements return: frozen values, without torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Fault = Literal["nan", "inf", "error", "overflow"]
"""`overflow` is an infinity where the true number itself is beyond the dtype's range."""

Route = Literal["formula", "module"]


@dataclass(frozen=True)
class Row:
    """One declared fact against one measurement.

    The route is "formula" (Taylor arithmetic with 60 digits on the formula) or "module" (autograd
    and finite differences of the shipped module in float64). `derivation` is the declaration's.
    """

    function: str
    fact: str
    declared: Any
    measured: Any
    route: Route
    ok: bool
    derivation: str


@dataclass(frozen=True)
class FirstErrors:
    """Where one way of computing a function goes wrong in a dtype.

    `value_from` and `gradient_from` are the wrong inputs nearest 0, None where there is none, and
    `..._wrong` says in which way. The tails begin beyond the outermost turning point and
    inflection, and beyond 1; there the largest relative errors are given in ULP (eps times the true
    number), with their places.

    `..._at_minus_inf` and `..._at_inf` are what is wrong of an infinite input (its value should be
    the limit), which `value_from` and `gradient_from` name where nothing finite is. `keeps_nan`
    says that NaN stays NaN. `near_zero_...` are the largest relative errors up to |x| = 0.5.
    `no_gradient_left` and `..._right` are from where on the computed gradient is exactly 0 although
    the true one is not.
    """

    value_from: float | None
    value_wrong: Fault | None
    gradient_from: float | None
    gradient_wrong: Fault | None
    tail_value_ulp: float | None
    tail_value_at: float | None
    tail_gradient_ulp: float | None
    tail_gradient_at: float | None
    value_at_minus_inf: Fault | None = None
    value_at_inf: Fault | None = None
    gradient_at_minus_inf: Fault | None = None
    gradient_at_inf: Fault | None = None
    keeps_nan: bool = True
    near_zero_value_ulp: float | None = None
    near_zero_value_at: float | None = None
    near_zero_gradient_ulp: float | None = None
    near_zero_gradient_at: float | None = None
    no_gradient_left: float | None = None
    no_gradient_right: float | None = None


@dataclass(frozen=True)
class Hazards:
    """Where errors begin in one dtype: of the shipped module, and of the literal formula."""

    function: str
    dtype: str
    module: FirstErrors
    formula: FirstErrors

    def as_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Cost:
    """The time of a module next to that of a copy of the same tensor.

    Nanoseconds are per element, medians of several runs; `saved_bytes` are the bytes per element
    that autograd keeps for backward, the input included where it is kept.
    """

    function: str
    dtype: str
    device: str
    compiled: bool
    elements: int
    copy_ns: float
    forward_ns: float
    backward_ns: float
    forward_ratio: float
    backward_ratio: float
    saved_bytes: float

    def as_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)
