"""The autograd graph as second evidence, where the first one saw nothing.

Scripted modules and operators written in C++ run outside Python, so no torch function is seen. The
graph that autograd kept of them is: from a tensor of unknown origin it is walked back to tensors
that are known, and each backward node stands in for the call that left it.
"""

from typing import Any

from torch import Tensor

from actlab.capture import ops
from actlab.capture.trace import Call, Trace, Value

_LIMIT = 5000
_NO_DIM = 1 << 30
"""Autograd saves dimensions as unsigned: a negative one is a huge number."""


def complete(trace: Trace, loss: Any = None) -> bool:
    """Give the values that no recorded call made, but autograd knows, the calls that made them.

    Returns whether `loss`, the tensor that the step returned, is one of them: then the whole step
    ran unseen (in another thread, in compiled code), and the stand-ins become the trace.
    """
    unseen = isinstance(loss, Tensor) and trace.value_of(loss) is None and loss.grad_fn is not None
    if unseen:
        trace.adopt(Value(loss, -1))
    unknown = [value for value in trace.sources if _node_of(value) is not None]
    if unknown:
        walk = _Reconstruction(trace)
        for value in unknown:
            walk.explain(value, next(iter(trace.users_of(value)), None))
        if unseen:
            trace.calls.extend(reversed(walk.made))
    trace.reconstructed = tuple(unknown)
    return unseen


def _node_of(value: Value) -> Any:
    try:
        return value.tensor.grad_fn
    except RuntimeError:  # an inference tensor has no graph
        return None


class _Reconstruction:
    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.made: list[Call] = []
        self._leaves = {id(v.tensor): v for v in trace.sources if _node_of(v) is None}
        self._known: dict[Any, Value] = {}
        for call in trace.calls:
            for value in call.outputs:
                node = _node_of(value)
                if node is not None:
                    self._known[node] = value

    def explain(self, value: Value, first_use: Call | None) -> None:
        """Give a value the chain of stand-ins that made it, back to values that are known."""
        pending = [(value, _node_of(value))]
        while pending and len(self.made) < _LIMIT:
            current, node = pending.pop(0)
            inputs = []
            for previous, _output in node.next_functions:
                if previous is None:
                    continue
                known = self._leaf(previous) or self._known.get(previous)
                if known is None:
                    known = Value(_result_of(previous, value), -1)
                    self._known[previous] = known
                    pending.append((known, previous))
                inputs.append(known)
            self._stand_in(current, node, tuple(inputs), first_use)

    def _leaf(self, node: Any) -> Value | None:
        variable = getattr(node, "variable", None)
        if variable is None:
            return None
        known = self._leaves.get(id(variable))
        if known is None:
            known = self._leaves[id(variable)] = Value(variable, variable._version)
            self._trace.adopt(known)
        return known

    def _stand_in(
        self, current: Value, node: Any, inputs: tuple[Value, ...], first_use: Call | None
    ) -> None:
        op = ops.name_of_autograd_node(node.name())
        dim = getattr(node, "_saved_dim", None)
        keywords = {"dim": dim} if isinstance(dim, int) and dim < _NO_DIM else {}
        call = Call(-1, op, None, inputs, keywords, inputs)
        call.outputs = (current,)
        if first_use is not None:
            call.trail = first_use.trail
        current.call = call
        self.made.append(call)


def _result_of(node: Any, fallback: Value) -> Any:
    """Return a tensor to stand for what a node computed: the result it saved, if it saved one."""
    try:
        saved = node._saved_result
    except (AttributeError, RuntimeError):
        return fallback.tensor
    return saved if saved is not None else fallback.tensor
