"""Small programs run under a recording, for tests of what is concluded from their calls."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from actlab.capture.recorder import recording
from actlab.capture.reruns import Reruns
from actlab.capture.trace import Trace, Value
from actlab.checker.analysis.step import Step
from actlab.checker.targets import Targets


def traced(function: Callable[..., Any], *given: Tensor) -> Trace:
    """Return the trace of a function on some tensors."""
    with recording() as trace:
        function(*given)
    return trace


def value_in(trace: Trace, tensor: Tensor) -> Value:
    """Return the value of a tensor that a trace has met."""
    value = trace.value_of(tensor)
    assert value is not None
    return value


def outcome(function: Callable[..., Tensor], *given: Tensor) -> Value:
    """Return the value that a function of some tensors has."""
    with recording() as trace:
        out = function(*given)
    return value_in(trace, out)


def step_of(function: Callable[..., Any], *given: Tensor, targets: Any = ()) -> Step:
    """Return a function's run on some tensors as a step without a model."""
    return Step(traced(function, *given), None, Targets.of(targets), Reruns(None, None))
