"""What a prediction is by the time a loss receives it: probabilities, log-probabilities, or free.

Two witnesses: provenance (an activation made it, and only views, joins and gates came after) and
values (the numbers are a simplex, on the batch and on noise).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.origins import Origin, made_with

if TYPE_CHECKING:
    from actlab.checker.analysis.step import Subject

_SOFTMAXES = frozenset({"softmax", "softmin", "gumbel_softmax"})
_SIGMOIDS = frozenset({"sigmoid", "hardsigmoid"})
_WRITTEN_SIGMOIDS = frozenset({"exp", "tanh"})
_LOG_LIMIT = 1e-3

Kind = Literal["simplex", "log_simplex", "unit"]


@dataclass(frozen=True, eq=False)
class Nature:
    """What a value is, the call that made it so (None where it cannot be named), and the evidence.

    `on_noise` is whether the numbers showed it on noise too, None where that was not tried.
    """

    kind: Kind
    maker: Call | None
    by_provenance: bool
    by_values: bool
    on_noise: bool | None = None


def nature_of(subject: "Subject", value: Value, dim: int) -> Nature | None:
    """Return what a prediction is along its class dimension, None for anything not confined."""
    made = [o for o in subject.origins(value) if o.call is not None and subject.is_live(o.value)]
    simplex_here = value.intact and tensor_tests.is_simplex(value.tensor, dim)
    if made and all(o.op in _SOFTMAXES for o in made):
        noise = _on_noise(subject, value, dim) if simplex_here else None
        return Nature("simplex", made[0].call, True, simplex_here, noise)
    if simplex_here and not any(_is_free(o) for o in made):
        maker = made_with(value, _SOFTMAXES, value.shape[dim])
        noise = _on_noise(subject, value, dim)
        if noise or (noise is None and (maker is not None or not _is_constant(value))):
            call = maker or (made[0].call if made else value.call)
            return Nature("simplex", call, maker is not None, True, noise)
    return _log_nature(value, dim, made) or _unit_nature(subject, value, made)


def _log_nature(value: Value, dim: int, made: list[Origin]) -> Nature | None:
    if not made or any(_is_free(origin) for origin in made):
        return None
    by_provenance = all(o.op in ("log_softmax", "logsigmoid") for o in made)
    by_values = value.intact and tensor_tests.log_simplex_error(value.tensor, dim) < _LOG_LIMIT
    if all(o.op == "log_softmax" for o in made) or (by_values and value.shape[dim] > 1):
        return Nature("log_simplex", made[0].call, by_provenance, by_values)
    return None


def _unit_nature(subject: "Subject", value: Value, made: list[Origin]) -> Nature | None:
    if not made or not subject.range_of(value).within(0.0, 1.0):
        return None
    call = next((o.call for o in made if o.op in _SIGMOIDS), None)
    maker = call or made_with(value, _SIGMOIDS) or made_with(value, _WRITTEN_SIGMOIDS)
    return Nature("unit", maker or made[0].call, True, True)


def _is_free(origin: Origin) -> bool:
    """Return whether an origin takes any value by construction, whatever this batch shows."""
    return origin.op in ops.AFFINE or origin.op in ops.NORMS


def _is_constant(value: Value) -> bool:
    """Return whether all numbers are the same: 1/C each, as an untrained head may say."""
    extremes = tensor_tests.extremes(value.tensor)
    return extremes is None or extremes[1] - extremes[0] < 1e-6


def _on_noise(subject: "Subject", value: Value, dim: int) -> bool | None:
    """Return whether the counterpart of a value is a simplex on noise; None where it is unknown."""
    call = value.call
    noise = subject.probes.noise if call is not None else None
    if call is None or noise is None:
        return None
    twin = noise.counterpart(call, subject.trace)
    if twin is None or value.position >= len(twin.outputs):
        return None
    other = twin.outputs[value.position]
    if other.tensor.ndim != value.tensor.ndim or not other.intact:
        return None
    return tensor_tests.is_simplex(other.tensor, dim)
