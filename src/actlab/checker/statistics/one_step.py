"""Measuring one captured step: the bridge from a `Step` to the values that rules judge."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from actlab.capture import ops
from actlab.capture.location import Location
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis.layers import activation_label, distinct, layer_label, role_of
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
    longest: int | None = None

    @property
    def depth(self) -> int:
        """Return the number of layers, one behind another where that is known."""
        return len(self.layers) if self.longest is None else self.longest


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
    key = ("activations", flat_slope, flat_share)
    if key not in step.known:
        step.known[key] = _all_measured(step, flat_slope, flat_share)
    measured: Measured = step.known[key]
    return measured


def _all_measured(step: Step, flat_slope: float, flat_share: float) -> Measured:
    found: list[ActivationMeasure] = []
    unreadable: list[str] = []
    runs = [run for run in step.activations if run.name in MEASURED]
    names = distinct(activation_label(run.call) for run in runs)
    for run, label in zip(runs, names, strict=True):
        statistics = _measured(run, flat_slope)
        if statistics is None:
            unreadable.append(label)
            continue
        samples = max(step.batch_size or statistics.samples, 1)
        if not _has_rows(run, samples):
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


def _has_rows(run: Activation, samples: int) -> bool:
    """Return whether a layer answered several rows of each sample, each by itself: rays' points."""
    shape = run.output.shape
    return len(shape) == 2 and shape[0] > samples and shape[0] % samples == 0


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


def gradients_of(step: Step, low: float = 0.0, high: float = math.inf) -> list[GradientMeasure]:
    """Measure the gradients of a step, along each way through its networks.

    A way ends in a layer that feeds no other of the same network; compared with that are the layers
    that reach it, and no others: an actor and a critic are two networks. Layers without a gradient
    (frozen, unused) and with weights that are all zero are left out. A ratio outside [low, high] is
    measured again, on each half of the batch.
    """
    if "layers" not in step.known:
        step.known["layers"] = _layers(step)
    layers, measures = step.known["layers"]
    named = [(p, step.gradients.get(name)) for name, p in step.parameters.items()]
    pairs = [(parameter, gradient) for parameter, gradient in named if gradient is not None]
    norms = (_norm([gradient for __, gradient in pairs]),)
    parameters = _norm([parameter for parameter, __ in pairs])

    def compared(place: int, last: int) -> Comparison:
        ratios: tuple[float, ...] = (quotient(measures[place].pull, measures[last].pull),)
        if not low <= ratios[0] <= high:
            first, second = (half_gradients(step, layers[end]) for end in (place, last))
            if first is not None and second is not None:
                scale = measures[last].weight / measures[place].weight
                ratios += tuple(scale * quotient(a, b) for a, b in zip(first, second, strict=True))
        return Comparison(measures[place], measures[last], ratios)

    found = []
    places = {id(layer.weight): place for place, layer in enumerate(layers)}
    runs = [(r.call, places[id(r.weight)]) for r in step.layers if id(r.weight) in places]
    for way, depth in ways(step.trace, runs):
        first = sorted(way[: early(len(way))], key=lambda place: measures[place].pull)
        enough = len(way) >= 2
        found.append(
            GradientMeasure(
                layers=tuple(measures[place] for place in way),
                strongest=compared(first[-1], way[-1]) if enough else None,
                weakest=compared(first[0], way[-1]) if enough else None,
                norms=norms,
                parameters=parameters,
                longest=depth,
            )
        )
    return found


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


def ways(trace: Trace, runs: Sequence[tuple[Call, int]]) -> Iterator[tuple[list[int], int]]:
    """Yield, for each last layer of a network, the layers that reach it and the longest chain.

    `runs` are the calls of layers in order of execution, each with the number of its layer, from 0
    in order of the first run.
    """
    numbers = {id(call): number for call, number in runs}
    firsts: dict[int, Call] = {}
    for call, number in runs:
        firsts.setdefault(number, call)
    reaching: dict[int, int] = {}
    before = [0] * len(firsts)
    for call in trace.calls:
        bits = 0
        for value in call.inputs:
            bits |= reaching.get(id(value), 0)
        own = numbers.get(id(call))
        if own is not None:
            before[own] |= bits & ~(1 << own)
            bits |= 1 << own
        if bits:
            for output in call.outputs:
                reaching[id(output)] = bits
    roots = [id(call.scopes[0].module) if call.scopes else 0 for call in firsts.values()]
    roots = [root if roots.count(root) > 1 else 0 for root in roots]  # layers called one by one
    chain: list[int] = []
    feeding: set[int] = set()
    found = []
    for last in range(len(firsts)):
        way = [n for n in range(last) if before[last] >> n & 1 and roots[n] == roots[last]]
        feeding.update(way)
        chain.append(1 + max((chain[n] for n in way), default=0))
        found.append([*way, last])
    for last, way in enumerate(found):
        if last not in feeding:
            yield way, chain[last]


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


def loss_scale(step: Step) -> float:
    """Return what the loss was multiplied with: summed elements, and constant factors; at least 1.

    Of several terms the largest counts. A factor against float16's underflow is one of them.
    """
    value = step.trace.value_of(step.loss) if step.loss is not None else None
    pending = [(value, 1.0)] if value is not None else []
    largest = 1.0
    for current, scale in pending:
        call = current.call
        if call is None or len(pending) > _TERMS:
            continue
        if call.argument("reduction", -1) == "sum" and call.op in ops.LOSSES:
            of_classes = call.op in ("cross_entropy", "nll_loss") and len(call.inputs) > 1
            largest = max(largest, scale * call.inputs[int(of_classes)].tensor.numel())
        elif call.op == "sum":
            rows = call.inputs[0].tensor.numel() / max(current.tensor.numel(), 1)
            pending.append((call.inputs[0], scale * rows))
        elif call.op in ("mul", "div"):
            factor = _constant_factor(call)
            pending.extend((v, scale * factor) for v in call.inputs if step.is_live(v))
        elif call.op in ("add", "sub", "neg", "rsub", "mean", *ops.VIEWS):
            pending.extend((v, scale) for v in call.inputs if step.is_live(v))
        largest = max(largest, scale)
    return largest


def _constant_factor(call: Call) -> float:
    """Return what a product multiplies with: a number, or one number in a tensor; 1 for others."""
    given = [plain(item) for item in (*call.args, *call.kwargs.values())]
    numbers = [item for item in given if isinstance(item, (int, float))]
    tensors = [t for t in given if isinstance(t, Tensor) and t.numel() == 1 and readable(t)]
    fixed = [float(t) for t, v in zip(tensors, tensors, strict=True) if not v.requires_grad]
    factor = abs(float((numbers or fixed[-1:] or [1.0])[0])) or 1.0
    return factor if call.op == "mul" else 1.0 / factor
