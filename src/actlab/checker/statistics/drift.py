"""How the spread of activations changes from the first hidden layer to the last."""

from collections.abc import Sequence
from dataclasses import dataclass

from actlab.capture import ops
from actlab.capture.trace import Call, Trace
from actlab.checker.statistics.units import ActivationMeasure


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
