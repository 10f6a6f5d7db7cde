"""Mixtures of densities in a loss: what their weights are, and whether these sum to one."""

from collections.abc import Iterator
from dataclasses import dataclass

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.losses import lowers_the_loss
from actlab.checker.analysis.origins import HANDED_ON, ancestors, origins
from actlab.checker.analysis.step import Step

_DENSITIES = frozenset({"pow", "square", "abs", "softplus", "logsigmoid"})
"""What the logarithm of a density is written with: a squared distance, or its like."""

_POSITIVE = frozenset({"softplus", "exp", "sigmoid", "relu", "abs", "square"})
"""What makes weights of scores that are not below 0, and do not sum to 1."""

_CUMULATIVE = frozenset({"sigmoid", "erf", "tanh"})
"""A difference of two of these is the probability of an interval."""

_DEEP = 6


@dataclass(frozen=True, eq=False)
class Mixture:
    """A `call` that takes the logarithm of a mixture, with its weights along dimension `dim`.

    A log-sum-exp of log-weights plus log-densities (`logged`), or the logarithm of a sum of weights
    times densities.
    """

    call: Call
    weights: Value
    dim: int
    logged: bool = True


def mixtures(step: Step) -> Iterator[Mixture]:
    """Yield each mixture in a loss whose weights a layer or a parameter made.

    -logsumexp(log-weights + log-densities), or -log(sum(weights * densities)).
    """
    for call in step.trace.calls:
        if not call.inputs or not call.outputs or not step.is_live(call.inputs[0]):
            continue
        if call.op == "log":
            yield from _of_products(step, call)
        if call.op != "logsumexp":
            continue
        given, dim = call.inputs[0], _dim_of(call)
        if dim is None or given.tensor.ndim < 2:
            continue
        parts = list(summands(given))
        weights = [part for part in parts if _is_raw(step, part)]
        densities = [part for part in parts if _is_density(step, part)]
        if len(weights) != 1 or not densities or weights[0].shape != given.shape:
            continue
        if lowers_the_loss(call.output, step.trace, step.live):
            yield Mixture(call, weights[0], dim % given.tensor.ndim)


def _of_products(step: Step, call: Call) -> Iterator[Mixture]:
    """Yield the mixture of -log(sum(weights * densities)), with or without an epsilon."""
    ends = origins(call.inputs[0])
    total = ends[0].call if len(ends) == 1 else None
    if total is None or total.op != "sum" or len(total.inputs) != 1:
        return
    dim, product = _dim_of(total), total.inputs[0].call
    if dim is None or product is None or product.op != "mul" or len(product.inputs) != 2:
        return
    weights = [part for part in product.inputs if _is_made_positive(step, part)]
    densities = [part for part in product.inputs if _is_exponential_of_density(step, part)]
    if len(weights) != 1 or not densities or weights[0].shape != product.output.shape:
        return
    if lowers_the_loss(call.output, step.trace, step.live):
        yield Mixture(call, weights[0], dim % product.output.tensor.ndim, logged=False)


def _dim_of(call: Call) -> int | None:
    dim = call.argument("dim", 1)
    dim = dim[0] if isinstance(dim, (tuple, list)) and len(dim) == 1 else dim
    return dim if isinstance(dim, int) else None


def _is_made_positive(step: Step, value: Value) -> bool:
    """Return whether a value is what a layer or a parameter says, made positive."""
    ends = origins(value, HANDED_ON)
    return bool(ends) and all(
        end.op in _POSITIVE and end.call is not None and _is_raw(step, end.call.inputs[0])
        for end in ends
    )


def _is_exponential_of_density(step: Step, value: Value) -> bool:
    """Return whether a value is exp(log-density), or that over its normaliser."""
    ends = origins(value, HANDED_ON)
    for _depth in range(_DEEP):
        call = ends[0].call if len(ends) == 1 else None
        if call is None or call.op not in ("mul", "div"):
            break
        numerators = call.inputs[:1] if call.op == "div" else call.inputs
        ends = tuple(
            end
            for part in numerators
            for end in origins(part, HANDED_ON)
            if end.op in ("exp", "mul", "div")
        )
    return bool(ends) and all(
        end.op == "exp" and end.call is not None and _is_density(step, end.call.inputs[0])
        for end in ends
    )


def summands(value: Value, depth: int = 0) -> Iterator[Value]:
    """Yield the tensors whose sum a value is."""
    call = value.call
    if call is None or call.op != "add" or depth > _DEEP:
        yield value
        return
    for part in call.inputs:
        yield from summands(part, depth + 1)


def _is_raw(step: Step, value: Value) -> bool:
    """Return whether a value is what a layer or a parameter says, or a log of weights of it."""
    ends = origins(value, HANDED_ON)
    return bool(ends) and all(
        end.op in ops.AFFINE | {"log_softmax", "logsigmoid"}
        or (end.call is None and step.is_live(end.value))
        or (
            end.call is not None and end.op == "log" and _is_made_positive(step, end.call.inputs[0])
        )
        for end in ends
    )


def _is_density(step: Step, value: Value) -> bool:
    if not step.is_live(value) or _is_raw(step, value):
        return False
    return any(
        call.op in _DENSITIES
        or _is_of_interval(call)
        or "torch/distributions/" in call.origin.replace("\\", "/")
        for call in ancestors(value, stop=ops.AFFINE | ops.ACTIVATIONS)
    )


def _is_of_interval(call: Call) -> bool:
    """Return whether a call is a difference of two values of a cumulative distribution."""
    makers = [value.call for value in call.inputs]
    return (
        call.op == "sub"
        and len(makers) == 2
        and all(maker is not None and maker.op in _CUMULATIVE for maker in makers)
    )
