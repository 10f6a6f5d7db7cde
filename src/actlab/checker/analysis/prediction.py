"""What a prediction is by the time a loss receives it: probabilities, log-probabilities, or free.

Two witnesses: provenance (an activation made it, and only views, joins and gates came after) and
values (the numbers are a simplex, on the batch and on noise).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.interval import UNIT, Interval
from actlab.checker.analysis.losses import REGRESSION, LossCall
from actlab.checker.analysis.origins import HANDED_ON, Origin, made_with, origins
from actlab.checker.analysis.step import Step
from actlab.checker.rule import NotCheckable
from actlab.i18n import _

_SOFTMAXES = frozenset({"softmax", "softmin", "gumbel_softmax"})
_SIGMOIDS = frozenset({"sigmoid", "hardsigmoid"})
_WRITTEN_SIGMOIDS = frozenset({"exp", "tanh"})
_LOG_LIMIT = 1e-3

Kind = Literal["simplex", "log_simplex", "unit"]


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a value is, the call that made it so (None where it cannot be named), and the evidence.

    `on_noise` is whether the numbers showed it on noise too, None where that was not tried.
    """

    kind: Kind
    maker: Call | None
    by_origin: bool
    by_values: bool
    on_noise: bool | None = None


def prediction_of(step: Step, value: Value, dim: int) -> Prediction | None:
    """Return what a prediction is along its class dimension, None for anything not confined.

    It is found out once for a step.
    """
    key = ("prediction", id(value), dim)
    if key not in step.known:
        step.known[key] = _classified(step, value, dim)
    found: Prediction | None = step.known[key]
    return found


def _classified(step: Step, value: Value, dim: int) -> Prediction | None:
    made = [o for o in step.origins(value) if o.call is not None and step.is_live(o.value)]
    simplex_here = value.intact and tensor_tests.is_simplex(value.tensor, dim)
    if made and all(o.op in _SOFTMAXES for o in made):
        noise = _on_noise(step, value, dim) if simplex_here else None
        return Prediction("simplex", made[0].call, True, simplex_here, noise)
    if simplex_here and not any(_is_free(o) for o in made):
        maker = made_with(value, _SOFTMAXES, value.shape[dim])
        noise = _on_noise(step, value, dim)
        if noise or (noise is None and (maker is not None or not _is_constant(value))):
            call = maker or (made[0].call if made else value.call)
            return Prediction("simplex", call, maker is not None, True, noise)
    return _log_prediction(value, dim, made) or _unit_prediction(step, value, made)


def _log_prediction(value: Value, dim: int, made: list[Origin]) -> Prediction | None:
    if not made or any(_is_free(origin) for origin in made):
        return None
    by_origin = all(o.op in ("log_softmax", "logsigmoid") for o in made)
    by_values = value.intact and tensor_tests.log_simplex_error(value.tensor, dim) < _LOG_LIMIT
    if all(o.op == "log_softmax" for o in made) or (by_values and value.shape[dim] > 1):
        return Prediction("log_simplex", made[0].call, by_origin, by_values)
    return None


def _unit_prediction(step: Step, value: Value, made: list[Origin]) -> Prediction | None:
    if not made or not step.range_of(value).within(0.0, 1.0):
        return None
    call = next((o.call for o in made if o.op in _SIGMOIDS), None)
    maker = call or made_with(value, _SIGMOIDS) or made_with(value, _WRITTEN_SIGMOIDS)
    return Prediction("unit", maker or made[0].call, True, True)


def _is_free(origin: Origin) -> bool:
    """Return whether an origin takes any value by construction, whatever this batch shows."""
    return origin.op in ops.AFFINE or origin.op in ops.NORMS


def _is_constant(value: Value) -> bool:
    """Return whether all numbers are the same: 1/C each, as an untrained head may say."""
    extremes = tensor_tests.extremes(value.tensor)
    return extremes is None or extremes[1] - extremes[0] < 1e-6


def _on_noise(step: Step, value: Value, dim: int) -> bool | None:
    """Return whether the counterpart of a value is a simplex on noise; None where it is unknown."""
    call = value.call
    noise = step.reruns.noise if call is not None else None
    if call is None or noise is None:
        return None
    twin = noise.counterpart(call, step.trace)
    if twin is None or value.position >= len(twin.outputs):
        return None
    other = twin.outputs[value.position]
    if other.tensor.ndim != value.tensor.ndim or not other.intact:
        return None
    return tensor_tests.is_simplex(other.tensor, dim)


POOLING = HANDED_ON | {"avg_pool", "mean", "max_pool", "amax"}

_RECTIFYING = frozenset({"abs", "exp", "square"})
"""Plain operations that act as a rectifier where they are the last of the model."""

_SQUARE = 2
_SLIGHT_SLOPE = 0.1


@dataclass(frozen=True, eq=False)
class OutputActivation:
    """An activation that was applied last: its call, and the way from there to the loss."""

    call: Call
    passed: tuple[Call, ...]

    @property
    def name(self) -> str:
        """Return the activation's name; a clamp at zero is a "relu", a two-sided one "hardtanh"."""
        if self.call.op == "clamp":
            ends = (self.call.argument("min", 1), self.call.argument("max", 2))
            return "relu" if None in ends else "hardtanh"
        return "relu" if self.call.op in ("maximum", "max", "where", "mul") else self.call.op

    @property
    def pooled(self) -> bool:
        """Return whether several positions are pooled into one between activation and loss."""
        return any(
            call.op in ("avg_pool", "mean", "max_pool", "amax")
            and call.inputs[0].tensor.numel() > call.output.tensor.numel()
            and not _is_stack(call.inputs[0])
            for call in self.passed
        )


def _is_stack(value: Value) -> bool:
    """Return whether a value is several tensors put together: averaging them is an ensemble."""
    return value.call is not None and value.call.op in ("stack", "cat")


def output_activations_of(
    step: Step, value: Value, pooling: bool = False
) -> tuple[OutputActivation, ...]:
    """Return the activations that a prediction ends in; empty unless all of it ends in one."""
    ends: tuple[Origin, ...] = step.origins(value)
    if pooling:
        ends = origins(value, POOLING)
    heads = [_output_activation(step, end) for end in ends if step.is_live(end.value)]
    return () if None in heads else tuple(head for head in heads if head is not None)


def _output_activation(step: Step, end: Origin) -> OutputActivation | None:
    for number, call in enumerate(end.passed):
        if call.op == "where" and is_written_rectifier(step, call):
            return OutputActivation(call, end.passed[:number])
    if end.call is not None and is_activation(step, end.call):
        return OutputActivation(end.call, end.passed)
    return None


def is_activation(step: Step, call: Call) -> bool:
    """Return whether a call is an activation, or a plain operation that acts as one."""
    if call.op == "clamp":
        return call.function is None or _cuts_off_below(call)
    if call.op in ("maximum", "max", "where", "mul"):
        return is_written_rectifier(step, call)
    if call.op == "pow":
        return bool(call.argument("exponent", 1) == _SQUARE)
    return call.op in ops.ACTIVATIONS or call.op in _RECTIFYING


def _cuts_off_below(call: Call) -> bool:
    """Return whether a clamp acts on small inputs, and is not there against an overflow alone."""
    low, high = call.argument("min", 1), call.argument("max", 2)
    if getattr(call.function, "__name__", "").startswith("clamp_max") or low is None:
        return False
    return high is not None or not isinstance(low, int | float) or low >= 0


def is_written_rectifier(step: Step, call: Call) -> bool:
    """Return whether a call is max(x, 0), where(x > 0, x, 0) or x * (x > 0)."""
    if call.op in ("maximum", "max"):
        return any(_is_zero(step, value) for value in call.inputs) and len(call.inputs) == 2
    if call.op == "where" and len(call.inputs) >= 2:
        condition, kept = call.inputs[:2]
        otherwise = call.argument("other", 2)
        zero = _is_zero(step, otherwise) if isinstance(otherwise, Value) else otherwise == 0
        return bool(zero) and _is_sign_of(condition, kept)
    if call.op == "mul" and len(call.inputs) == 2:
        first, second = call.inputs
        return _is_sign_of(second, first) or _is_sign_of(first, second)
    return False


def _is_zero(step: Step, value: Value) -> bool:
    reach = step.range_of(value)
    return reach.low == reach.high == 0.0


def _is_sign_of(condition: Value, value: Value) -> bool:
    """Return whether a value is the answer to `x > 0` for the other value x."""
    ends = origins(condition, HANDED_ON)
    call = ends[0].call if len(ends) == 1 else None
    if call is None or call.op not in ("gt", "ge") or not call.inputs:
        return False
    return call.inputs[0] is value and call.argument("other", 1) in (0, 0.0)


def slope_of(call: Call) -> float | None:
    """Return the slope that a leaky rectifier keeps for negative inputs, None for other kinds."""
    if call.op == "leaky_relu":
        return float(call.argument("negative_slope", 1, 0.01))
    if call.op == "prelu":
        weight = call.argument("weight", 1)
        return float(weight.tensor.detach().mean()) if isinstance(weight, Value) else 0.25
    return 0.23 if call.op == "rrelu" else None


def holds_back_negatives(head: OutputActivation) -> bool:
    """Return whether an activation lets next to nothing through below zero."""
    slope = slope_of(head.call)
    if slope is not None:
        return abs(slope) < _SLIGHT_SLOPE
    return head.name in ops.RECTIFIERS | _RECTIFYING | {"pow"}


def output_calls(step: Step) -> Iterator[Call]:
    """Yield the calls that made what the losses received, or what the model returned."""
    seen: set[int] = set()
    for loss in step.loss_calls:
        if loss.custom and loss.call.op in ("softmax", "log_softmax"):
            seen.add(id(loss.call))
            yield loss.call
    ends = [loss.input for loss in step.loss_calls] + step.outputs
    for value in ends:
        for origin in origins(value, HANDED_ON | {"log"}):
            if origin.call is not None and id(origin.call) not in seen:
                seen.add(id(origin.call))
                yield origin.call


_SLACK = 1e-4


@dataclass(frozen=True, eq=False)
class Comparison:
    """One loss on the distance to a target: what the prediction can reach, and the target."""

    loss: LossCall
    reach: Interval
    target: Tensor

    @property
    def low(self) -> float:
        """Return the smallest target."""
        return float(self.target.min())

    @property
    def high(self) -> float:
        """Return the largest target."""
        return float(self.target.max())

    @property
    def outside(self) -> float:
        """Return the share of targets that the prediction cannot reach."""
        return self._beyond(_SLACK * max(1.0, self.high - self.low))

    @property
    def far_outside(self) -> float:
        """Return the share of targets that lie more than their standard deviation out of reach."""
        if self.target.numel() < 2:
            return self.outside
        return self._beyond(float(self.target.std()))

    def _beyond(self, margin: float) -> float:
        out = (self.target < self.reach.low - margin) | (self.target > self.reach.high + margin)
        return float(out.float().mean())


def comparisons(step: Step) -> Iterator[Comparison]:
    """Yield every comparison of a prediction with real targets that can be read."""
    for loss in step.loss_calls:
        if step.targets.made_up and (loss.kind in REGRESSION or loss.kind == "bce_logits"):
            raise NotCheckable(made_up_reason())
        target = readable_target(loss)
        if target is None:
            continue
        if loss.kind in REGRESSION:
            yield Comparison(loss, step.range_of(loss.input), target)
        elif loss.kind in ("bce", "bce_logits") and not loss.custom:
            yield Comparison(loss, UNIT, target)


def made_up_reason() -> str:
    """Return why a rule on targets cannot be checked without real ones."""
    return _("the targets were made up; give real ones with --data")


def readable_target(loss: LossCall) -> Tensor | None:
    """Return the numbers of a target, None where there are none to read."""
    if loss.target is None or not loss.target.intact:
        return None
    numbers = tensor_tests.sample(loss.target.tensor)
    return None if numbers is None or not bool(torch.isfinite(numbers).all()) else numbers
