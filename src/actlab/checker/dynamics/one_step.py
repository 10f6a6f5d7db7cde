"""Measuring one captured step: the bridge from a `Subject` to the values that rules judge."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from actlab.checker.dynamics.gradients import (
    GradientMeasure,
    LayerMeasure,
    root_mean_square,
    total_norm,
)
from actlab.checker.dynamics.labels import activation_label, distinct, layer_label
from actlab.checker.dynamics.slopes import Function
from actlab.checker.dynamics.units import (
    MEASURED,
    ActivationMeasure,
    Role,
    UnitStatistics,
    counted,
    measure,
    rows_of,
)
from actlab.checker.trace import Call, Value
from actlab.checker.values import readable

if TYPE_CHECKING:
    from actlab.checker.subject import Activation, Layer, Subject

_SAME_AT_OUTPUT = frozenset({"relu", "relu6", "hardtanh", "leaky_relu"})
"""Activations whose slope at f(x) is their slope at x: they can be measured after the fact."""

_statistics: WeakKeyDictionary[Subject, dict[tuple[int, float], UnitStatistics | None]] = (
    WeakKeyDictionary()
)


@dataclass(frozen=True)
class Measured:
    """The activations of one step, and the labels of those whose values had been overwritten."""

    activations: tuple[ActivationMeasure, ...]
    unreadable: tuple[str, ...] = ()


def activations_of(subject: Subject, flat_slope: float, flat_share: float) -> Measured:
    """Measure every elementwise activation of a step, in order of execution.

    Several rules ask for the same numbers; they are computed once for a subject.
    """
    kept = _statistics.setdefault(subject, {})
    found: list[ActivationMeasure] = []
    unreadable: list[str] = []
    runs = [run for run in subject.activations if run.name in MEASURED]
    names = distinct(activation_label(run.call) for run in runs)
    for run, label in zip(runs, names, strict=True):
        key = (id(run.call), flat_slope)
        if key not in kept:
            kept[key] = _measured(run, flat_slope)
        statistics = kept[key]
        if statistics is None:
            unreadable.append(label)
            continue
        samples = subject.batch_size or statistics.samples
        statistics = replace(statistics, samples=min(samples, statistics.samples))
        found.append(
            counted(
                statistics,
                op=run.name,
                label=label,
                location=run.call.location,
                role=_role(run),
                flat_share=flat_share,
            )
        )
    return Measured(tuple(found), tuple(unreadable))


def _role(run: Activation) -> Role:
    if run.head:
        return "head"
    return "gate" if run.gated else "hidden"


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
        return measure(_function_of(run.call), rows, output, run.unit_dim, run.name, flat_slope)
    except RuntimeError:  # a function that cannot be run on a part of its input
        return None


def _function_of(call: Call) -> Function:
    assert call.function is not None
    rest = tuple(plain(item) for item in call.args[1:])
    keywords = {name: plain(item) for name, item in call.kwargs.items() if name != "input"}
    function = call.function
    return lambda x: function(x, *rest, **keywords)


def plain(item: Any) -> Any:
    """Return an argument of a call as the function takes it: tensors, without their graph."""
    return item.tensor.detach() if isinstance(item, Value) else item


def gradients_of(subject: Subject) -> GradientMeasure:
    """Measure the gradients of a step, on each half of its batch.

    Layers without a gradient (frozen, unused), with weights that are all zero, and layers of which
    a half cannot be told from the whole are left out.
    """
    layers = tuple(_layer_measures(subject))
    parameters = [p for name, p in subject.parameters.items() if _gradient(subject, name) is not None]
    gradients = [g for name in subject.parameters if (g := _gradient(subject, name)) is not None]
    return GradientMeasure(
        layers=layers,
        norms=(_norm(gradients),),
        parameters=_norm(parameters),
    )


def _norm(tensors: list[Tensor]) -> float:
    return total_norm([(float(root_mean_square(t)), t.numel()) for t in tensors])


def _gradient(subject: Subject, name: str) -> Tensor | None:
    return subject.gradients.get(name)


def _layer_measures(subject: Subject) -> Iterator[LayerMeasure]:
    seen: set[int] = set()
    for layer in subject.layers:
        if layer.name is None or id(layer.weight) in seen:
            continue
        seen.add(id(layer.weight))
        gradient = subject.gradients.get(layer.name)
        weight = float(root_mean_square(layer.weight))
        if gradient is None or weight == 0.0:
            continue
        yield LayerMeasure(
            label=layer_label(layer.call),
            location=layer.call.location,
            weight=weight,
            gradients=(float(root_mean_square(gradient)),),
        )


def half_gradients(subject: Subject, layer: Layer) -> tuple[float, float] | None:
    """Return the root mean square of a layer's gradient on each half of the batch.

    The layer alone is run again, on its own input, with the gradient that arrived at its output:
    sum over samples i of the half of (dL/dy_i)(dy_i/dW). None where one of the two is not there.
    """
    source, output = layer.call.inputs[0], layer.call.output
    arriving = subject.gradient_of(output)
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
