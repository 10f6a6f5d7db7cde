"""Units, counted one by one: which never answer, which are saturated, which are always on.

A unit is a feature of a linear layer or a channel of a convolution: all its samples and positions
together. Counting elements instead is what made earlier tools flag healthy networks: half of the
elements behind a ReLU are zero by design.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from actlab.capture import ops
from actlab.capture.location import Location
from actlab.capture.trace import Call, Trace
from actlab.checker.analysis.layers import Role
from actlab.unit_statistics import (
    Function,
    dead_units,
    greatest_slope,
    nearly_flat,
    saturated_units,
    slopes,
)

SATURATING = ops.BOUNDED - ops.RECTIFIERS
"""Activations that are flat on both sides. A rectifier's flat side is what makes it sparse."""

MEASURED = ops.ELEMENTWISE_ACTIVATIONS - {"rrelu"}
"""Activations whose units are measured. To run `rrelu` again would draw random numbers."""

_CHANCE = 0.01
_FAR = 5.0

_ELEMENTS = 1 << 18
"""Slopes are taken on rows that hold about this many elements, spread over the batch."""


@dataclass(frozen=True, eq=False)
class UnitStatistics:
    """What each unit of one activation did on one or more batches; tensors have shape (units,).

    `observations` counts samples and positions. `highest` and `lowest` are of the output, over all
    elements; `highest_input` and `mean_square` are of the input. `moving` tells whether the slope
    was other than zero at some sample; `flat` is the share of samples at which it was nearly zero
    (None where the function cannot saturate). `deviation` is of the whole output.
    """

    samples: int
    batches: int
    observations: int
    highest: Tensor
    lowest: Tensor
    highest_input: Tensor
    mean_square: Tensor
    moving: Tensor
    flat: Tensor | None
    deviation: Tensor


def known_as(call: Call) -> str:
    """Return the name of an activation's function.

    Torch runs ReLU6 as a hardtanh from 0 to 6; a clamp that is measured is one at zero, a ReLU.
    """
    if call.op == "clamp":
        return "relu"
    if call.op == "hardtanh" and call.argument("min_val", 1, -1.0) == 0:
        return "relu6"
    return call.op


def rows_of(x: Tensor, unit_dim: int) -> Tensor:
    """Return at most about 2^18 elements of `x`, as evenly spread samples; a view, no copy."""
    if unit_dim == 0 or x.ndim < 2 or x.numel() <= _ELEMENTS:
        return x
    step = min(-(-x.numel() // _ELEMENTS), x.shape[0])
    return x[::step]


def measure(
    function: Function, rows: Tensor, output: Tensor, unit_dim: int, op: str, flat_slope: float
) -> UnitStatistics:
    """Measure one run of an activation.

    `rows` are inputs from `rows_of`, `output` the whole output, with units along `unit_dim`. A
    slope below `flat_slope` times the function's greatest counts as nearly zero. Nothing is copied
    to the host, so that a GPU is not waited for.
    """
    if output.ndim == 1:  # one sample without a batch dimension
        rows, output, unit_dim = rows.unsqueeze(0), output.unsqueeze(0), 1
    others = tuple(dim for dim in range(output.ndim) if dim != unit_dim)
    with torch.no_grad():
        plain, rows = output.detach(), rows.detach()
        slope = slopes(function, rows).abs()
        flat = None
        if op in SATURATING:
            greatest = greatest_slope(function, op)
            flat = nearly_flat(slope, greatest, flat_slope).float().mean(others)
        some = rows_of(plain, unit_dim).float()
        return UnitStatistics(
            samples=output.shape[0],
            batches=1,
            observations=output.numel() // max(output.shape[unit_dim], 1),
            highest=plain.amax(others),
            lowest=plain.amin(others),
            highest_input=rows.amax(others),
            mean_square=rows.float().square().mean(others),
            moving=(slope != 0).any(dim=others),
            flat=flat,
            deviation=some.std() if some.numel() > 1 else some.new_zeros(()),
        )


def together(parts: Sequence[UnitStatistics]) -> UnitStatistics:
    """Return the statistics of several batches of the same units as those of one."""
    if len(parts) == 1:
        return parts[0]
    weights = parts[0].mean_square.new_tensor([part.batches for part in parts]).unsqueeze(1)
    weights = weights / weights.sum()
    flats = [part.flat for part in parts if part.flat is not None]
    return UnitStatistics(
        samples=sum(part.samples for part in parts),
        batches=sum(part.batches for part in parts),
        observations=sum(part.observations for part in parts),
        highest=torch.stack([part.highest for part in parts]).amax(0),
        lowest=torch.stack([part.lowest for part in parts]).amin(0),
        highest_input=torch.stack([part.highest_input for part in parts]).amax(0),
        mean_square=(torch.stack([part.mean_square for part in parts]) * weights).sum(0),
        moving=torch.stack([part.moving for part in parts]).any(0),
        flat=(torch.stack(flats) * weights).sum(0) if len(flats) == len(parts) else None,
        deviation=parts[-1].deviation,
    )


def dead_share(measure: "ActivationMeasure") -> float:
    """Return the share of dead units beyond what the signs of biases explain.

    Deep in a network with default initial weights the signal fades and the biases decide: on any
    data about half of the units are off and half are on, and training revives them. So units that
    are always on are set against dead ones, and where the two numbers may come from a fair coin
    (one chance in a hundred) nothing is dead. Units that are far below zero, by more than five
    times what is usual in their layer, count whatever the coin says; and a layer without a single
    live unit passes nothing on, whatever the reason: its share is 1.
    """
    if measure.dead == measure.units:
        return 1.0
    far = measure.far / measure.units
    if _coin_tail(measure.dead, measure.dead + measure.always_on) > _CHANCE:
        return far
    return max(far, (measure.dead - measure.always_on) / measure.units)


def _coin_tail(heads: int, tosses: int) -> float:
    """Return the chance that a fair coin shows at least so many heads.

    >>> _coin_tail(2, 2)
    0.25
    """
    if tosses > 1000:
        return 0.5 * math.erfc((heads - 0.5 - tosses / 2) / math.sqrt(tosses / 2))
    ways = sum(math.comb(tosses, k) for k in range(heads, tosses + 1))
    return float(ways / 2**tosses)


@dataclass(frozen=True)
class ActivationMeasure:
    """One activation in plain numbers.

    `dead` units were never above zero and had slope zero at every sample, `far` of them with inputs
    far below zero; `always_on` were above zero at every sample; `saturated` had a slope near zero
    at nearly every sample (None where the function cannot saturate). `deviation` is the standard
    deviation of the output, `observations` counts samples and positions. A `gate` is multiplied
    with something else and a `head` is the prediction: both are meant to saturate. What lies
    between no two layers, a hinge in a loss say, is `other`.
    """

    op: str
    label: str
    location: Location
    role: Role
    units: int
    samples: int
    batches: int
    observations: int
    dead: int
    far: int
    always_on: int
    saturated: int | None
    deviation: float


def counted(
    statistics: UnitStatistics,
    *,
    op: str,
    label: str,
    location: Location,
    role: Role,
    flat_share: float,
) -> ActivationMeasure:
    """Return the counts of some statistics; a unit flat at over `flat_share` of samples counts."""
    dead = dead_units(statistics.highest, statistics.moving)
    if op in SATURATING:  # a unit at its lower end is saturated, and counted as that
        dead = torch.zeros_like(dead)
    flat = statistics.flat
    saturated = torch.zeros_like(dead) if flat is None else saturated_units(flat, flat_share)
    counts = (dead, dead & _is_far(statistics, ~dead), statistics.lowest > 0, saturated)
    fetched = torch.stack([*(units.sum() for units in counts), statistics.deviation]).tolist()
    return ActivationMeasure(
        op=op,
        label=label,
        location=location,
        role=role,
        units=statistics.highest.numel(),
        samples=statistics.samples,
        batches=statistics.batches,
        observations=statistics.observations,
        dead=int(fetched[0]),
        far=int(fetched[1]),
        always_on=int(fetched[2]),
        saturated=None if flat is None else int(fetched[3]),
        deviation=fetched[4],
    )


def _is_far(statistics: UnitStatistics, live: Tensor) -> Tensor:
    """Return which inputs are far below zero; none where no unit is live."""
    sizes = statistics.mean_square
    usual = torch.where(live, sizes, sizes.new_tensor(math.nan)).nanmedian().sqrt()
    return statistics.highest_input < -_FAR * usual


@dataclass(frozen=True)
class Drift:
    """The spread behind the first and the last hidden activation.

    `depth` counts hidden activations, `stabilised` tells whether the network has norms or skips.
    """

    first: ActivationMeasure
    last: ActivationMeasure
    depth: int
    stabilised: bool

    @property
    def growth(self) -> float:
        """Return the last spread over the first; 0 where the last layer is constant."""
        return self.last.deviation / self.first.deviation

    @property
    def factor(self) -> float:
        """Return by which factor the spread changed, up or down: at least 1."""
        growth = self.growth
        if growth <= 0.0:
            return float("inf")
        return max(growth, 1.0 / growth)


def drift_of(activations: Sequence[ActivationMeasure], stabilised: bool) -> Drift | None:
    """Return the drift along the hidden activations; None where there are not two to compare."""
    hidden = [measure for measure in activations if measure.role == "hidden"]
    if len(hidden) < 2 or hidden[0].deviation == 0.0:
        return None
    return Drift(hidden[0], hidden[-1], len(hidden), stabilised)


def is_stabilised(trace: Trace) -> bool:
    """Return whether a network has a norm, or a skip: a sum of two tensors that it made itself."""
    return any(call.op in ops.NORMS or (call.op == "add" and _joins(call)) for call in trace.calls)


def _joins(call: Call) -> bool:
    made = [value for value in call.inputs if value.call is not None and value.tensor.ndim > 1]
    return len(made) == 2 and made[0].shape == made[1].shape
