"""The autograd graph as second witness, where the first one saw nothing.

Scripted modules and operators written in C++ run outside Python, so no torch function is seen. The
graph that autograd kept of them is: from a tensor of unknown origin it is walked back to tensors
that are known, and each backward node stands in for the call that left it.
"""

from typing import Any

from actlab.checker import ops
from actlab.checker.trace import Call, Trace, Value

_LIMIT = 5000


def complete(trace: Trace) -> None:
    """Give the values that no recorded call made, but autograd knows, the calls that made them."""
    unknown = [value for value in trace.sources if _node_of(value) is not None]
    if not unknown:
        return
    known = {}
    for call in trace.calls:
        for value in call.outputs:
            node = _node_of(value)
            if node is not None:
                known[node] = value
    leaves = {id(value.tensor): value for value in trace.sources if _node_of(value) is None}
    for value in unknown:
        first_use = next(iter(trace.users_of(value)), None)
        _explain(value, known, leaves, first_use)
    trace.witnessed = tuple(unknown)


def _node_of(value: Value) -> Any:
    try:
        return value.tensor.grad_fn
    except RuntimeError:  # an inference tensor has no graph
        return None


def _explain(
    value: Value, known: dict[Any, Value], leaves: dict[int, Value], first_use: Call | None
) -> None:
    pending = [(value, _node_of(value))]
    visited = 0
    while pending and visited < _LIMIT:
        current, node = pending.pop()
        visited += 1
        inputs = []
        for previous, _output in node.next_functions:
            if previous is None:
                continue
            variable = getattr(previous, "variable", None)
            if variable is not None:
                inputs.append(leaves.setdefault(id(variable), Value(variable, variable._version)))
            elif previous in known:
                inputs.append(known[previous])
            else:
                stand_in = Value(_result_of(previous, value), 0)
                known[previous] = stand_in
                inputs.append(stand_in)
                pending.append((stand_in, previous))
        call = Call(-1, ops.name_of_autograd_node(node.name()), None, (), {}, tuple(inputs))
        call.outputs = (current,)
        if first_use is not None:
            call.trail = first_use.trail
        current.call = call


def _result_of(node: Any, fallback: Value) -> Any:
    """Return a tensor to stand for what a node computed: the result it saved, if it saved one."""
    try:
        saved = node._saved_result
    except (AttributeError, RuntimeError):
        return fallback.tensor
    return saved if saved is not None else fallback.tensor
