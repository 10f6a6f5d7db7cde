"""How large initial weights are, and how large the activation after them wants them to be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from actlab.checker.analysis.layers import feeders, role_of
from actlab.checker.statistics.one_step import function_of
from actlab.checker.statistics.units import MEASURED

if TYPE_CHECKING:
    from actlab.checker.analysis.step import Activation, Layer, Step

_BY_NAME = {"relu": 2.0, "tanh": 25.0 / 9.0, "selu": 1.0, "sigmoid": 1.0}
_GRID = torch.linspace(-8.0, 8.0, 1601)


@dataclass(frozen=True, eq=False)
class Fit:
    """A layer and the activation that it feeds: variance times fan-in, and what f wants of it."""

    layer: Layer
    run: Activation
    size: float
    gain: float

    @property
    def ratio(self) -> float:
        """Return how much larger than wanted the variance is; below 1 where it is smaller."""
        return self.size / self.gain


def fan_in(weight: Tensor, op: str) -> int | None:
    """Return how many inputs each output of a layer sums, None where that is not one number.

    >>> fan_in(torch.zeros(8, 3, 5, 5), "conv"), fan_in(torch.zeros(8, 3), "linear")
    (75, 3)
    """
    if op == "linear":
        return weight.shape[1]
    if op == "addmm":
        return weight.shape[0]
    return weight[0].numel() if op == "conv" else None


def variance_times_fan_in(layer: Layer) -> float | None:
    """Return the weights' variance times the fan-in: 1/3 for torch's default; None if unknown."""
    inputs = fan_in(layer.weight, layer.call.op) if layer.weight.ndim >= 2 else None
    if inputs is None or layer.weight.numel() < 2:
        return None
    return inputs * float(layer.weight.detach().float().var(correction=0))


def feeding_layers(step: Step, run: Activation) -> list[Layer]:
    """Return the layers whose output reaches an activation through norms, sums and views."""
    calls = {id(call) for call in feeders(run.call)}
    return [layer for layer in step.layers if id(layer.call) in calls]


def fits_of(step: Step) -> list[Fit]:
    """Return each hidden activation with each layer that feeds it."""
    found = []
    for run in step.activations:
        if run.name not in MEASURED or role_of(step.trace, run.call, run.head) != "hidden":
            continue
        for layer in feeding_layers(step, run):
            size = variance_times_fan_in(layer)
            if size is not None:
                found.append(Fit(layer, run, size, gain_of(run)))
    return found


def gain_of(run: Activation) -> float:
    """Return the variance times fan-in that keeps the signal's size behind an activation.

    2 for ReLU, 25/9 for tanh, 1 for SELU (not 9/16) and sigmoid; for any other function f it is
    1 / E[f(z)^2] with z standard normal, which is 2 / (1 + a^2) for a leaky ReLU.
    """
    known = _BY_NAME.get(run.name)
    if known is not None:
        return known
    density = torch.exp(-_GRID.square() / 2) / math.sqrt(2 * math.pi)
    with torch.no_grad():
        try:
            squares = function_of(run.call)(_GRID.clone()).square()
        except RuntimeError:  # slopes for each channel do not meet a plain line
            return _BY_NAME["relu"]
    return 1.0 / float(torch.trapezoid(squares * density, _GRID))
