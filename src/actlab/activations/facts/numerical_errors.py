"""From which |x| on a function goes wrong in a dtype: as shipped, and as its formula is written.

Wrong is NaN, an infinity, or an error above 4 eps max(|f|, |x|) for values and above
4 eps max(|f'|, sup |f'|) for gradients, against 60 digits. (One unit of the dtype's least subnormal
number is allowed besides.) At an infinite input the truth is the limit. The relative errors in the
tails and near 0 are reported, not judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from actlab.activations.facts.critical_points import CriticalPoints, highest
from actlab.activations.facts.curve import Array, Curve, MeasurementError
from actlab.activations.facts.measurable import Measurable, module_of
from actlab.activations.facts.results import Fault, FirstErrors, Hazards
from actlab.activations.formula.with_torch import TorchBackend
from actlab.errors import unknown_name
from actlab.i18n import _

DTYPES: dict[str, torch.dtype] = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}
"""The floating-point types that are measured, by torch's names."""

REPORTED = ("float16", "bfloat16", "float32")

_PER_DECADE = 4
_PER_FAR_DECADE = 2
_DENSE = 20.0
_STEP = 0.25
_FACTOR = 4
_NEAR_ZERO = 0.5
_BATCH = 64
"""torch computes the last few numbers of a tensor in another way, with other faults."""


class Truth:
    """The true value and slope of a function at given inputs, rounded to doubles, remembered."""

    def __init__(self, function: Measurable) -> None:
        self.curve = Curve.of(function)
        self._known: dict[float, tuple[float, float | None]] = {}
        self._flat: dict[float, bool] = {}
        self._curvatures: dict[float, float | None] = {}

    def __call__(self, x: float) -> tuple[float, float | None]:
        """Return f(x) and f'(x); at a kink None for the slope, as either side is right."""
        if x not in self._known:
            value, slope = self.curve.near(x, 1)
            if bool(np.any(np.abs(self._breaks - x) < 1e-12)):
                sides = [self.curve.from_side(x, 1, side)[1] for side in (-1, 1)]
                slope = sides[0] if abs(sides[0] - sides[1]) < 1e-20 else None
            self._known[x] = (float(value), None if slope is None else float(slope))
            self._flat[x] = slope is None or slope == 0
        return self._known[x]

    def curvature(self, x: float) -> float | None:
        """Return f''(x), None where there is none."""
        if x not in self._curvatures:
            try:
                self._curvatures[x] = float(self.curve.at(x, 2)[2])
            except MeasurementError:
                self._curvatures[x] = None
        return self._curvatures[x]

    def is_flat(self, x: float) -> bool:
        """Return whether the slope is exactly 0, or has two values."""
        self(x)
        return self._flat[x]

    @cached_property
    def critical_points(self) -> CriticalPoints:
        """Return the curve taken apart."""
        return CriticalPoints(self.curve)

    @cached_property
    def _breaks(self) -> Array:
        return np.array([float(found.x) for found in self.critical_points.breaks])

    @cached_property
    def steepest(self) -> float:
        """Return sup |f'|."""
        return highest(self.critical_points.slopes()).value

    @cached_property
    def tails(self) -> tuple[float, float]:
        """Return where the left tail ends and the right one begins."""
        turns = [float(x) for x in (*self.critical_points.turns, *self.critical_points.inflections)]
        return (min([-1.0, *turns]), max([1.0, *turns]))


def hazards_in(function: Measurable, dtype: str, *, truth: Truth | None = None) -> Hazards:
    """Return from which |x| on the module and the formula of `function` are wrong in `dtype`.

    `truth` may be shared between dtypes. Raises UnknownNameError for an unknown dtype.

    >>> from actlab.activations import get
    >>> hazards_in(get("elu"), "float16").formula.gradient_wrong
    'nan'
    """
    if dtype not in DTYPES:
        raise unknown_name(_("dtype"), dtype, DTYPES)
    truth = truth or Truth(function)
    return Hazards(
        function.name,
        dtype,
        module=first_errors(shipped(function), truth, DTYPES[dtype]),
        formula=first_errors(as_written(function), truth, DTYPES[dtype]),
    )


def measured_hazards(function: Measurable) -> dict[str, Hazards]:
    """Return the hazards in each of `REPORTED`, from one truth."""
    truth = Truth(function)
    threads = torch.get_num_threads()
    # These tensors are small: on a busy machine several threads only wait for each other.
    torch.set_num_threads(1)
    try:
        return {dtype: hazards_in(function, dtype, truth=truth) for dtype in REPORTED}
    finally:
        torch.set_num_threads(threads)


def shipped(function: Measurable) -> Callable[[Tensor], Tensor]:
    """Return the module as users get it, ready for inputs of any dtype."""

    def apply(x: Tensor) -> Tensor:
        result: Tensor = module_of(function).eval().to(x.dtype)(x)
        return result

    return apply


def as_written(function: Measurable) -> Callable[[Tensor], Tensor]:
    """Return the formula in torch, each word of it the torch function of that name."""

    formula = function.expression
    used = {name: function.values[name] for name in formula.names}

    def apply(x: Tensor) -> Tensor:
        result: Tensor = formula.evaluate(TorchBackend(), x, **used)
        return result

    return apply


def _gradient(values: Tensor, points: Tensor) -> Tensor:
    """Return autograd's gradient; zeros where no operation kept one, as for a step."""
    if not values.requires_grad:
        return torch.zeros_like(points)
    (found,) = torch.autograd.grad(values.sum(), points)
    return found


def first_errors(
    apply: Callable[[Tensor], Tensor], truth: Truth, dtype: torch.dtype
) -> FirstErrors:
    """Return where `apply` goes wrong in `dtype`."""
    comparison = _Comparison(apply, truth, dtype)
    breaks = [float(found.x) for found in truth.critical_points.breaks]
    points = sample_points(dtype, breaks)
    rows = comparison.rows(points)
    ends = comparison.rows(torch.tensor([-math.inf, math.inf, math.nan]))
    value = comparison.first(rows, lambda row: row.value_fault) or _at_end(ends, "value")
    gradient = comparison.first(rows, lambda row: row.gradient_fault) or _at_end(ends, "gradient")
    low, high = truth.tails
    tail = [row for row in rows if row.x < low or row.x > high]
    near = [row for row in rows if 0 < abs(row.x) <= _NEAR_ZERO]
    tails = _worst(tail, "value_ulp"), _worst(tail, "gradient_ulp")
    near_value, near_gradient = _worst(near, "value_ulp"), _worst(near, "gradient_ulp")
    return FirstErrors(
        value_from=value.x if value else None,
        value_wrong=value.value_fault if value else None,
        gradient_from=gradient.x if gradient else None,
        gradient_wrong=gradient.gradient_fault if gradient else None,
        tail_value_ulp=tails[0][0],
        tail_value_at=tails[0][1],
        tail_gradient_ulp=tails[1][0],
        tail_gradient_at=tails[1][1],
        value_at_minus_inf=ends[0].value_fault,
        value_at_inf=ends[1].value_fault,
        gradient_at_minus_inf=ends[0].gradient_fault,
        gradient_at_inf=ends[1].gradient_fault,
        keeps_nan=ends[2].value_fault is None,
        near_zero_value_ulp=near_value[0],
        near_zero_value_at=near_value[1],
        near_zero_gradient_ulp=near_gradient[0],
        near_zero_gradient_at=near_gradient[1],
        no_gradient_left=comparison.no_gradient([row for row in rows if row.x < 0]),
        no_gradient_right=comparison.no_gradient([row for row in rows if row.x > 0]),
    )


def _at_end(ends: list[_Row], quantity: str) -> _Row | None:
    """Return the infinite input that goes wrong, minus infinity first."""
    return next((row for row in ends[:2] if getattr(row, f"{quantity}_fault")), None)


def _worst(rows: list[_Row], quantity: str) -> tuple[float | None, float | None]:
    """Return the largest relative error and where it is."""
    known = [row for row in rows if getattr(row, quantity) is not None]
    worst = max(known, key=lambda row: getattr(row, quantity), default=None)
    return (None, None) if worst is None else (getattr(worst, quantity), worst.x)


@dataclass(frozen=True)
class _Row:
    x: float
    value_fault: Fault | None
    gradient_fault: Fault | None
    value_ulp: float | None
    gradient_ulp: float | None
    lost: bool = False
    """Whether the gradient is exactly 0, and the true one is not."""


class _Comparison:
    """Compares what a function returns in one dtype with the truth."""

    def __init__(self, apply: Callable[[Tensor], Tensor], truth: Truth, dtype: torch.dtype) -> None:
        self._apply = apply
        self._truth = truth
        self._dtype = dtype
        self._info = torch.finfo(dtype)

    def rows(self, xs: Tensor) -> list[_Row]:
        """Return what became of each input, computed among many others as in a layer."""
        copies = -(-_BATCH // len(xs)) + 1
        points = xs.to(self._dtype).repeat(copies).requires_grad_()
        values = self._apply(points)
        slopes = _gradient(values, points)
        columns = (points.detach(), values.detach(), slopes)
        triples = zip(*(column[: len(xs)].double().tolist() for column in columns), strict=True)
        return [self._row(x, value, slope) for x, value, slope in triples]

    def _row(self, x: float, value: float, slope: float) -> _Row:
        if math.isnan(x):
            fault: Fault | None = None if math.isnan(value) else "error"
            return _Row(x, fault, None, None, None)
        if math.isinf(x):
            return self._end(x, value, slope)
        true_value, true_slope = self._truth(x)
        largest = self._truth.steepest
        return _Row(
            x,
            self._fault(value, true_value, abs(x)),
            None if true_slope is None else self._fault(slope, true_slope, largest),
            self._ulp(value, true_value),
            None if true_slope is None else self._ulp(slope, true_slope),
            lost=slope == 0 and not self._truth.is_flat(x),
        )

    def _end(self, x: float, value: float, slope: float) -> _Row:
        """Return what became of an infinite input, whose truth is the limit."""
        side, critical_points = int(x > 0), self._truth.critical_points
        faults = [
            None if limit is None else self._against_limit(given, float(limit))
            for given, limit in (
                (value, critical_points.limits[side]),
                (slope, critical_points.slope_limits[side]),
            )
        ]
        return _Row(x, faults[0], faults[1], None, None)

    def _against_limit(self, given: float, limit: float) -> Fault | None:
        if math.isnan(given):
            return "nan"
        if math.isinf(limit):
            return None if given == limit else "error"
        if math.isinf(given):
            return "inf"
        return self._fault(given, limit, 1.0)

    def no_gradient(self, rows: list[_Row]) -> float | None:
        """Return the number nearest 0 from which on the gradient of all `rows` is lost."""
        outwards = sorted(rows, key=lambda row: abs(row.x))
        count = next((k for k, row in enumerate(reversed(outwards)) if not row.lost), len(outwards))
        if count == 0:
            return None
        first = outwards[-count].x
        kept = outwards[-count - 1].x if count < len(outwards) else 0.0
        while (middle := between(kept, first, self._dtype)) is not None:
            (row,) = self.rows(torch.tensor([middle], dtype=torch.float64))
            kept, first = (kept, middle) if row.lost else (middle, first)
        return first

    def _fault(self, given: float, true: float, scale: float) -> Fault | None:
        if math.isnan(given):
            return "nan"
        if math.isinf(given):
            return "overflow" if abs(true) > self._info.max else "inf"
        allowed = _FACTOR * self._info.eps * max(abs(true), scale) + self._least
        return "error" if abs(given - true) > allowed else None

    @property
    def _least(self) -> float:
        return self._info.tiny * self._info.eps

    def _ulp(self, given: float, true: float) -> float | None:
        if abs(true) < self._info.tiny or abs(true) > self._info.max or not math.isfinite(given):
            return None
        return abs(given - true) / (abs(true) * self._info.eps)

    def first(self, rows: list[_Row], fault: Callable[[_Row], Fault | None]) -> _Row | None:
        """Return the wrong row nearest 0, refined to the neighbouring number of the dtype."""
        wrong = [row for row in rows if fault(row)]
        if not wrong:
            return None
        nearest = min(wrong, key=lambda row: abs(row.x))
        same_side = [row for row in rows if row.x * nearest.x > 0 and abs(row.x) < abs(nearest.x)]
        good = max((row.x for row in same_side), key=abs, default=0.0)
        while (middle := between(good, nearest.x, self._dtype)) is not None:
            (row,) = self.rows(torch.tensor([middle], dtype=torch.float64))
            good, nearest = (good, row) if fault(row) else (middle, nearest)
        return nearest


def sample_points(dtype: torch.dtype, breaks: Sequence[float] = ()) -> Tensor:
    """Return numbers of `dtype`, as float64: both signs, every decade, denser up to 20.

    Below 65504 they are numbers of float16 and of bfloat16 at once, so that the truth at them need
    be computed only once for all dtypes.
    """
    info = torch.finfo(dtype)
    common = torch.finfo(torch.float16)
    small = _decades(common.tiny, common.max, _PER_DECADE)
    dense = torch.arange(_STEP, _DENSE, _STEP, dtype=torch.float64)
    sizes = torch.cat([small, dense]).to(torch.bfloat16).to(torch.float16).double()
    if info.max > common.max:
        sizes = torch.cat(
            [sizes, _decades(common.max, info.max, _PER_FAR_DECADE).to(torch.bfloat16).double()]
        )
    near = torch.tensor([_neighbours(x, dtype) for x in breaks], dtype=torch.float64).flatten()
    ends = torch.tensor([info.max, -info.max, 0.0], dtype=torch.float64)
    found = torch.cat([sizes, -sizes, near, ends])
    points: Tensor = torch.unique(found[found.abs() <= info.max])
    return points


def _decades(low: float, high: float, per_decade: int) -> Tensor:
    ends = torch.tensor([low, high], dtype=torch.float64).log10()
    count = int((ends[1] - ends[0]).ceil()) * per_decade
    return torch.logspace(float(ends[0]), float(ends[1]), count, dtype=torch.float64)


def _neighbours(x: float, dtype: torch.dtype) -> list[float]:
    """Return the numbers of `dtype` just left and just right of x."""
    here = torch.tensor(x).to(dtype)
    infinity = torch.tensor(float("inf"), dtype=dtype)
    return [
        float(torch.nextafter(here, -infinity).double()),
        float(torch.nextafter(here, infinity).double()),
    ]


def between(good: float, wrong: float, dtype: torch.dtype) -> float | None:
    """Return a number of `dtype` halfway between two of one sign, None where they are neighbours.

    Halfway counts numbers of the dtype, not distance: the middle of 1 and 65536 is 256.
    """
    sizes = torch.tensor([abs(good), abs(wrong)], dtype=torch.float64).to(dtype)
    integers = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[sizes.element_size()]
    low, high = sorted(sizes.view(integers).tolist())
    if high - low <= 1:
        return None
    middle = torch.tensor([(low + high) // 2], dtype=integers).view(dtype)
    size = float(middle.double())
    return size if wrong > 0 else -size
