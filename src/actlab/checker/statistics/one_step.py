"""Measuring one captured step: the bridge from a `Step` to the values that rules judge."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from actlab.capture.location import Location
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.layers import (
    activation_label,
    distinct,
    layer_label,
    role_of,
)
from actlab.checker.analysis.tensor_tests import readable
from actlab.checker.rule import NotCheckable
from actlab.checker.statistics.units import (
    MEASURED,
    ActivationMeasure,
    UnitStatistics,
    counted,
    known_as,
    measure,
    rows_of,
)
from actlab.i18n import _
from actlab.unit_statistics import FLAT_SHARE, FLAT_SLOPE, Function, root_mean_square, total_norm

if TYPE_CHECKING:
    from actlab.checker.analysis.step import Activation, Layer, Step


@dataclass(frozen=True)
class LayerMeasure:
    """One layer with weights in plain numbers: root mean squares of weights and gradient."""

    label: str
    location: Location
    weight: float
    gradient: float

    @property
    def pull(self) -> float:
        """Return the gradient relative to the weights."""
        return self.gradient / self.weight


@dataclass(frozen=True)
class Comparison:
    """An early layer's pull over the last layer's.

    `ratios` were measured more than once where it matters: on the whole batch and on its halves,
    or on several passes.
    """

    early: LayerMeasure
    last: LayerMeasure
    ratios: tuple[float, ...]


@dataclass(frozen=True)
class GradientMeasure:
    """The gradients of one step, or of several passes.

    `layers` are in the order of execution, `strongest` and `weakest` compare the early layer with
    the strongest and with the weakest pull (None with fewer than two layers). `norms` are norms of
    the gradient of all parameters, `parameters` is the norm of the parameters themselves.
    """

    layers: tuple[LayerMeasure, ...]
    strongest: Comparison | None
    weakest: Comparison | None
    norms: tuple[float, ...]
    parameters: float

    @property
    def depth(self) -> int:
        """Return the number of layers."""
        return len(self.layers)


def early(depth: int) -> int:
    """Return how many of `depth` layers stand for "the first layer": a quarter, at least one.

    In an attention block the first two layers, for queries and keys, get next to no gradient at
    first, by design; the others of the block do.
    """
    return max(1, depth // 4)


def quotient(first: float, last: float) -> float:
    """Return first / last; infinity over zero, NaN for zero over zero.

    >>> quotient(1.0, 0.0)
    inf
    """
    if last > 0.0:
        return first / last
    return math.nan if first == 0.0 else math.inf


_TERMS = 50

_SAME_AT_OUTPUT = frozenset({"relu", "relu6", "hardtanh", "leaky_relu"})
"""Activations whose slope at f(x) is their slope at x: they can be measured after the fact."""


@dataclass(frozen=True)
class Measured:
    """The activations of one step, and the labels of those whose values had been overwritten."""

    activations: tuple[ActivationMeasure, ...]
    unreadable: tuple[str, ...] = ()

    def require_readable(self) -> None:
        """Raise NotCheckable where an activation could not be measured."""
        if self.unreadable:
            raise NotCheckable(
                _("what {labels} worked on was overwritten in place, or holds no numbers").format(
                    labels=", ".join(self.unreadable[:3])
                )
            )


def activations_of(
    step: Step, flat_slope: float = FLAT_SLOPE, flat_share: float = FLAT_SHARE
) -> Measured:
    """Measure every elementwise activation of a step, in order of execution.

    Several rules ask for the same numbers; they are computed once for a step.
    """
    kept = step.known
    found: list[ActivationMeasure] = []
    unreadable: list[str] = []
    runs = [run for run in step.activations if run.name in MEASURED]
    names = distinct(activation_label(run.call) for run in runs)
    for run, label in zip(runs, names, strict=True):
        key = ("units", id(run.call), flat_slope)
        if key not in kept:
            kept[key] = _measured(run, flat_slope)
        statistics: UnitStatistics | None = kept[key]
        if statistics is None:
            unreadable.append(label)
            continue
        samples = step.batch_size or statistics.samples
        statistics = replace(statistics, samples=min(samples, statistics.samples))
        found.append(
            counted(
                statistics,
                op=known_as(run.call),
                label=label,
                location=run.call.location,
                role=role_of(step.trace, run.call, run.head),
                flat_share=flat_share,
            )
        )
    return Measured(tuple(found), tuple(unreadable))


def _measured(run: Activation, flat_slope: float) -> UnitStatistics | None:
    output = run.output.tensor
    if not run.output.intact or output.ndim == 0 or not readable(output):
        return None
    source = run.input
    if not source.intact or source.tensor is output:
        if run.name not in _SAME_AT_OUTPUT:
            return None
        source = run.output
    rows = rows_of(source.tensor, run.unit_dim)
    try:
        return measure(
            function_of(run.call), rows, output, run.unit_dim, known_as(run.call), flat_slope
        )
    except RuntimeError:  # a function that cannot be run on a part of its input
        return None


def function_of(call: Call) -> Function:
    """Return an activation as a function of its input alone, its other arguments fixed."""
    assert call.function is not None
    rest = tuple(plain(item) for item in call.args[1:])
    keywords = {name: plain(item) for name, item in call.kwargs.items() if name != "input"}
    function = call.function
    return lambda x: function(x, *rest, **keywords)


def plain(item: Any) -> Any:
    """Return an argument of a call as the function takes it: tensors, without their graph."""
    return item.tensor.detach() if isinstance(item, Value) else item


def gradients_of(step: Step, low: float = 0.0, high: float = math.inf) -> GradientMeasure:
    """Measure the gradients of a step.

    Layers without a gradient (frozen, unused) and with weights that are all zero are left out. A
    ratio outside [low, high] is measured again, on each half of the batch.
    """
    layers, measures = _layers(step)

    def compared(place: int) -> Comparison:
        ends = (place, -1)
        ratios: tuple[float, ...] = (quotient(measures[place].pull, measures[-1].pull),)
        if not low <= ratios[0] <= high:
            first, last = (half_gradients(step, layers[end]) for end in ends)
            if first is not None and last is not None:
                scale = measures[-1].weight / measures[place].weight
                ratios += tuple(scale * quotient(a, b) for a, b in zip(first, last, strict=True))
        return Comparison(measures[place], measures[-1], ratios)

    enough = len(layers) >= 2
    first = range(min(early(len(layers)), len(layers)))
    places = sorted(first, key=lambda place: measures[place].pull)
    named = [(p, step.gradients.get(name)) for name, p in step.parameters.items()]
    pairs = [(parameter, gradient) for parameter, gradient in named if gradient is not None]
    return GradientMeasure(
        layers=tuple(measures),
        strongest=compared(places[-1]) if enough else None,
        weakest=compared(places[0]) if enough else None,
        norms=(_norm([gradient for __, gradient in pairs]),),
        parameters=_norm([parameter for parameter, __ in pairs]),
    )


def _norm(tensors: list[Tensor]) -> float:
    return total_norm([(float(root_mean_square(t)), t.numel()) for t in tensors])


def _layers(step: Step) -> tuple[list[Layer], list[LayerMeasure]]:
    layers: list[Layer] = []
    measures: list[LayerMeasure] = []
    seen: set[int] = set()
    for layer in step.layers:
        gradient = step.gradients.get(step.name_of(layer.weight) or "")
        if gradient is None or id(layer.weight) in seen:
            continue
        seen.add(id(layer.weight))
        weight = float(root_mean_square(layer.weight))
        if weight == 0.0:
            continue
        layers.append(layer)
        measures.append(
            LayerMeasure(
                label=layer_label(layer.call),
                location=layer.call.location,
                weight=weight,
                gradient=float(root_mean_square(gradient)),
            )
        )
    return layers, measures


def half_gradients(step: Step, layer: Layer) -> tuple[float, float] | None:
    """Return the root mean square of a layer's gradient on each half of the batch.

    The layer alone is run again, on its own input, with the gradient that arrived at its output:
    sum over samples i of the half of (dL/dy_i)(dy_i/dW). None where one of the two is not there.
    """
    source, output = layer.call.inputs[0], layer.call.output
    arriving = step.gradient_of(output)
    if arriving is None or not source.intact or source.tensor.ndim < 2:
        return None
    count = source.tensor.shape[0]
    if count < 2 or output.tensor.shape[0] != count:
        return None
    halves = (slice(0, count // 2), slice(count // 2, count))
    first, second = (_half(layer.call, source.tensor[h], arriving[h], layer.weight) for h in halves)
    return first, second


def _half(call: Call, x: Tensor, arriving: Tensor, weight: Tensor) -> float:
    assert call.function is not None
    leaf = weight.detach().clone().requires_grad_()
    given = [plain(item) for item in call.args]
    keywords = {name: plain(item) for name, item in call.kwargs.items()}
    for place, item in enumerate(call.args):
        if isinstance(item, Value):
            given[place] = x.detach() if item is call.inputs[0] else given[place]
            given[place] = leaf if item.tensor is weight else given[place]
    with torch.enable_grad():
        result = functools.partial(call.function, *given, **keywords)()
        (gradient,) = torch.autograd.grad(result, leaf, arriving)
    return float(root_mean_square(gradient))


def summed_samples(step: Step) -> int:
    """Return the number of samples where the loss is a sum over the batch, 1 where it is a mean."""
    samples = step.batch_size or 1
    if any(call.call.argument("reduction", -1) == "sum" for call in step.loss_calls):
        return samples
    return samples if _ends_in_sum(step, samples) else 1


def _ends_in_sum(step: Step, samples: int) -> bool:
    """Return whether the loss is a sum of rows, or of such sums, written out by the user."""
    value = step.trace.value_of(step.loss) if step.loss is not None else None
    pending = [value] if value is not None else []
    for current in pending:
        call = current.call
        if call is None or len(pending) > _TERMS:
            continue
        if call.op == "sum" and call.inputs[0].tensor.ndim > 0:
            return call.inputs[0].shape[0] == samples
        if call.op in ("add", "sub", "neg", "rsub", "mul") and current.tensor.ndim == 0:
            pending.extend(call.inputs)
    return False
