"""Steps to look at: a model on a batch, or bare calls on tensors, traced as the checker does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn

from actlab.capture.recorder import recording
from actlab.capture.reruns import Reruns
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis.step import Step
from actlab.checker.api import called
from actlab.checker.captured_step import Program, captured
from actlab.checker.targets import Targets


class Net(nn.Module):
    """A module with the given parts, whose forward is a function of itself and the inputs."""

    def __init__(self, forward: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        self._forward = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs: Tensor) -> Any:
        return self._forward(self, *inputs)


def bare_step(run: Callable[[], Any], targets: Any = (), **given: Any) -> tuple[Step, Any]:
    """Return the step of some calls outside any model, and what they returned."""
    with recording() as trace:
        result = run()
    return Step(trace, None, Targets.of(targets), Reruns(None, None), **given), result


@contextmanager
def step_of(
    model: nn.Module,
    inputs: Any,
    loss: Callable[..., Any] | None = None,
    target: Any = None,
    task: str | None = None,
    made_up: bool = False,
    evaluate: Callable[[], Any] | None = None,
) -> Iterator[Step]:
    """Give the captured step of a model, its loss and one batch; without a loss its mean square."""

    def loss_of(out: Any) -> Any:
        if loss is None:
            return out.square().mean() if isinstance(out, Tensor) else None
        return loss(out) if target is None else loss(out, target)

    def run(model_done: Callable[[Any], None]) -> Any:
        out = called(model, inputs)
        model_done(out)
        return loss_of(out)

    program = Program(
        run, model, (model,), Targets.of(target, made_up), inputs=inputs,
        forward=partial(called, model), loss=loss_of, evaluate=evaluate,
    )  # fmt: skip
    with captured(program, task) as step:
        yield step


def traced(function: Callable[..., Any], *given: Tensor) -> Trace:
    """Return the trace of a function on some tensors."""
    with recording() as trace:
        function(*given)
    return trace


def outcome(function: Callable[..., Tensor], *given: Tensor) -> Value:
    """Return the value that a function of some tensors has."""
    with recording() as trace:
        out = function(*given)
    return value_in(trace, out)


def value_in(trace: Trace, tensor: Tensor) -> Value:
    """Return the value of a tensor that a trace has met."""
    value = trace.value_of(tensor)
    assert value is not None
    return value


def call_named(trace: Trace, op: str, number: int = 0) -> Call:
    """Return the call of an operation, the first unless another number is given."""
    return [call for call in trace.calls if call.op == op][number]
