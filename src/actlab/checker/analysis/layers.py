"""Chains of layers with weights: what lies between one and the next."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from actlab.capture import ops
from actlab.capture.reruns import Transform
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis.origins import (
    Origin,
    ancestors,
    is_gate,
    is_identity,
    origins,
    uses,
)
from actlab.checker.analysis.step import Layer, Step, layer_of

Role = Literal["hidden", "gate", "head", "other"]
"""What an activation is for; "head" is the prediction's."""

_AVERAGING = frozenset({"batch_norm", "avg_pool", "interpolate", "mean"})
_BETWEEN = ops.VIEWS | ops.DROPOUTS | {"cat", "stack"} | _AVERAGING
"""Operations that are affine themselves, or nearly: nothing that would part two layers."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A layer whose input comes from others without a nonlinearity in between.

    `discarded` are activations that were applied in between, and whose results nobody reads.
    """

    before: tuple[Layer, ...]
    after: Layer
    passed: tuple[Call, ...]
    discarded: tuple[Call, ...] = ()


def pairs(step: Step) -> Iterator[Pair]:
    """Yield every layer that follows other layers, all of its input, with nothing in between."""
    known = {id(layer.call): layer for call in step.trace.calls if (layer := layer_of(call))}
    for layer in known.values():
        ends = [end for end in origins(layer.data, _BETWEEN) if step.is_live(end.value)]
        before = tuple(known[id(end.call)] for end in ends if id(end.call) in known)
        if not ends or len(before) < len(ends):
            continue
        if any(is_source(end) for end in origins(layer.data, _BETWEEN)):
            continue
        if all(_only_feeds_layers(step, end.value, known) for end in ends):
            passed = tuple(call for end in ends for call in end.passed)
            unread = [
                c for e in ends for c, __ in uses(step.trace, e.value) if is_discarded(step, c)
            ]
            yield Pair(before, layer, passed, tuple(unread))


def is_source(end: Origin) -> bool:
    """Return whether a walk ended at something that the step was given, or at an input."""
    return end.call is None


def _only_feeds_layers(step: Step, value: Value, known: dict[int, Layer], depth: int = 0) -> bool:
    """Return whether a layer's output is used by other layers alone: by no skip, by no gate."""
    for call, _given in uses(step.trace, value):
        if id(call) in known or is_discarded(step, call):
            continue
        passes = call.op in _AVERAGING and depth < 10
        if not passes or not _only_feeds_layers(step, call.output, known, depth + 1):
            return False
    return True


def is_discarded(step: Step, call: Call) -> bool:
    """Return whether a call is an activation whose result nobody reads, returns or wrote in place.

    So it is for `F.relu(x)` in a line of its own.
    """
    if call.op not in ops.ELEMENTWISE_ACTIVATIONS or not call.outputs:
        return False
    made = call.output
    if step.trace.users_of(made) or any(made.tensor is value.tensor for value in call.inputs):
        return False
    return all(made.tensor is not tensor for tensor in step.kept_tensors)


_NONLINEAR = (
    ops.ACTIVATIONS | ops.RECURRENT | ops.ATTENTION | ops.NORMS - {"batch_norm"} | {"max_pool"}
)
_SHARE = 0.3
_TOLERANCE = 1e-3


def is_affine_up_to(step: Step, call: Call) -> bool:
    """Return whether the network from its inputs to the output of `call` is one affine map.

    Nothing nonlinear lies on the way, and on two random pairs of inputs the output of a mixture is
    the mixture of the outputs. False where the model cannot be run on mixtures.
    """
    way = ancestors(call.output)
    if any(before.op in _NONLINEAR and not is_identity(before) for before in way):
        return False
    if not all(tensor.is_floating_point() for tensor in step.input_tensors):
        return False
    return all(_mixes(step, call, seed) for seed in (1, 2))


def _mixes(step: Step, call: Call, seed: int) -> bool:
    def noise(tensor: Tensor, number: int) -> Tensor:
        generator = torch.Generator().manual_seed(10 * seed + number)
        drawn = torch.randn(tensor.shape, generator=generator)
        return drawn.to(tensor.device, tensor.dtype)

    first = _output(step, call, lambda t: noise(t, 1))
    second = _output(step, call, lambda t: noise(t, 2))
    mixed = _output(step, call, lambda t: _SHARE * noise(t, 1) + (1 - _SHARE) * noise(t, 2))
    if first is None or second is None or mixed is None:
        return False
    if not first.shape == second.shape == mixed.shape:
        return False
    expected = _SHARE * first + (1 - _SHARE) * second
    scale = float(expected.abs().max()) + 1e-12
    return float((mixed - expected).abs().max()) < _TOLERANCE * scale


def _output(step: Step, call: Call, transform: Transform) -> Tensor | None:
    run = step.reruns.rerun(transform)
    twin = run.counterpart(call, step.trace) if run is not None else None
    return None if twin is None else twin.output.tensor.detach().double()


_FEEDING = ops.VIEWS | ops.NORMS | ops.POOLS | ops.DROPOUTS | {"add", "sub", "mul", "div"}
_FEEDERS = ops.AFFINE | ops.PRODUCTS | ops.RECURRENT | ops.ATTENTION


def layer_label(call: Call) -> str:
    """Return the path of the module that ran a layer, with its operation: `fc1 (linear)`."""
    return f"{call.module} ({call.op})" if call.module else call.op


def activation_label(call: Call) -> str:
    """Return where an activation is: its own module's path, or the layer that feeds it.

    A module that stands at one place names itself: `features.1 (relu)`. A functional call is named
    by the layer before: `relu after fc1`.
    """
    module = call.scopes[-1].module if call.scopes else None
    own = module is not None and next(module.children(), None) is None and not _has_layer(module)
    feeder = next((maker.module for maker in feeders(call) if maker.module), None)
    if own and call.module:
        return f"{call.module} ({call.op})"
    if feeder is not None:
        return f"{call.op} after {feeder}"
    return f"{call.op} in {call.module}" if call.module else call.op


def _has_layer(module: nn.Module) -> bool:
    return any(parameter.ndim >= 2 for parameter in module.parameters(recurse=False))


def feeders(call: Call) -> tuple[Call, ...]:
    """Return the layers that feed an activation, through norms, pooling, sums and views."""
    found = origins(call.inputs[0], _FEEDING) if call.inputs else ()
    made = (origin.call for origin in found)
    return tuple(maker for maker in made if maker is not None and maker.op in _FEEDERS)


def feeds_a_layer(trace: Trace, value: Value) -> bool:
    """Return whether a value is the input of a layer, however far on."""
    pending, seen = [value], {id(value)}
    for current in pending:
        for call, __ in uses(trace, current):
            if call.op in _FEEDERS:
                return True
            for output in call.outputs:
                if id(output) not in seen:
                    seen.add(id(output))
                    pending.append(output)
    return False


def role_of(trace: Trace, call: Call, is_output: bool | None = None) -> Role:
    """Return what an activation is for: hidden ones lie between two layers.

    `is_output` tells whether it made a prediction; where that is not known (None), what feeds no
    layer did.
    """
    if is_output:
        return "head"
    if not feeders(call):
        return "other"
    if not feeds_a_layer(trace, call.output):
        return "head" if is_output is None else "other"
    return "gate" if is_gate(trace, call.output) else "hidden"


def distinct(labels: Iterable[str]) -> list[str]:
    """Return the labels with numbers where one occurs more than once.

    >>> distinct(["act", "fc", "act"])
    ['act (run 1)', 'fc', 'act (run 2)']
    """
    names = list(labels)
    total, seen = Counter(names), Counter[str]()
    result = []
    for name in names:
        seen[name] += 1
        result.append(f"{name} (run {seen[name]})" if total[name] > 1 else name)
    return result
