"""ACT403 and ACT404: two activations in a row, the second without effect or unintended."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.trace import Call
from actlab.checker.analysis.interval import Interval
from actlab.checker.analysis.origins import is_gate, origins
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch, label_batch
from actlab.i18n import _

_IDEMPOTENT = frozenset({"relu", "relu6", "hardtanh", "threshold", "log_softmax"})
_LEFT_TO_LOSS_RULES = frozenset({"softmax", "softmin", "log_softmax", "gumbel_softmax"})


@dataclass(frozen=True, eq=False)
class StackedPair:
    """An activation right behind another; `redundant` if one of them changes nothing."""

    first: Call
    second: Call
    redundant: bool


def stacked_pairs(step: Step) -> Iterator[StackedPair]:
    """Yield every activation whose input is another activation's output, gates left out.

    A softmax behind an elementwise activation is left out, too: in an attention (GAT) it is meant,
    in front of a loss ACT103 and ACT108 have it.
    """
    for second in step.trace.calls:
        if second.op not in ops.ACTIVATIONS or second.function is None or not second.inputs:
            continue
        if step.border is not None and second.index >= step.border:
            continue  # the loss's own arithmetic; ACT112 has what is wrong there
        ends = origins(second.inputs[0], ops.VIEWS | ops.DROPOUTS, nudges=False)
        if len(ends) != 1 or ends[0].call is None or ends[0].op not in ops.ACTIVATIONS:
            continue
        first = ends[0].call
        if second.op == "gumbel_softmax":
            continue  # ACT111 has it
        softmax_behind = second.op in _LEFT_TO_LOSS_RULES and first.op not in _LEFT_TO_LOSS_RULES
        squashed_twice = first.op == second.op == "sigmoid"  # no gate of anybody's
        if softmax_behind or (is_gate(step.trace, second.output) and not squashed_twice):
            continue
        yield StackedPair(first, second, _is_redundant(first, second))


def _is_redundant(first: Call, second: Call) -> bool:
    if first.op == second.op and second.op in _IDEMPOTENT:
        return True
    given, result = second.inputs[0], second.output
    readable = given.intact and result.intact and given is not result
    if readable and second.op in ops.RECTIFIERS and torch.equal(given.tensor, result.tensor):
        return True
    if second.op == "relu" and first.inputs[0].intact and result.intact:
        bare = first.inputs[0].tensor.clamp(min=0)
        return bare.shape == result.shape and torch.equal(bare, result.tensor)
    return False


def _gelu_twice() -> Situation:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = nn.Sequential(nn.Linear(20, 8), nn.GELU())
            self.fc = nn.Linear(8, 5)

        def forward(self, x: torch.Tensor) -> Any:
            return self.fc(F.gelu(self.block(x)))

    return Situation(Wrapped(), nn.CrossEntropyLoss(), class_batch(5))


def _sigmoid_then_tanh() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.Sigmoid(), nn.Tanh(), nn.Linear(8, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _relu_then_sigmoid() -> Situation:
    net = nn.Sequential(nn.Linear(20, 1), nn.ReLU(), nn.Sigmoid())
    return Situation(net, nn.BCELoss(), label_batch())


def _gate_behind_a_sigmoid() -> Situation:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Sequential(nn.Linear(20, 20), nn.Sigmoid())
            self.fc = nn.Linear(20, 5)

        def forward(self, x: torch.Tensor) -> Any:
            return self.fc(x * torch.sigmoid(self.gate(x)))

    return Situation(Gated(), nn.CrossEntropyLoss(), class_batch(5))


def _mish_written_out() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(20, 8), nn.Linear(8, 5)

        def forward(self, x: torch.Tensor) -> Any:
            x = self.fc1(x)
            return self.fc2(x * torch.tanh(F.softplus(x)))

    return Situation(Net(), nn.CrossEntropyLoss(), class_batch(5))


def _attention_of_gat() -> Situation:
    class Attend(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.score, self.fc = nn.Linear(8, 1), nn.Linear(8, 3)

        def forward(self, x: torch.Tensor) -> Any:
            weights = F.softmax(F.leaky_relu(self.score(x), 0.2), dim=1)
            return self.fc((weights * x).sum(1))

    return Situation(Attend(), nn.CrossEntropyLoss(), (torch.randn(6, 4, 8), torch.arange(6) % 3))


class StackedActivations(Rule):
    """Two activations are applied in a row.

    ## What it does

    Reports an activation whose input is another activation's output, through views and dropout
    only, if neither is redundant (ACT403) and the result is not a gate that multiplies something;
    sigmoid behind sigmoid is no gate either, it cannot close. Softmax behind an elementwise
    activation is left to the rules on losses.

    ## Why is this bad?

    The composition is an activation that nobody chose: sigmoid then tanh reaches [0, 0.762] and has
    a slope of at most a quarter; ReLU then sigmoid never goes below one half. It happens where a
    layer applies an activation and its caller another.

    ## Example

        nn.Sequential(nn.Linear(20, 8), nn.Sigmoid(), nn.Tanh())

    ## Use instead

        nn.Sequential(nn.Linear(20, 8), nn.Tanh())

    ## Sources

    - Nikanjam et al., NeuraLint, TOSEM 2021; https://github.com/mindee/doctr/pull/101
    """

    code = "ACT404"
    name = "stacked-activations"
    severity = "warning"
    looks_at = "activations"
    faulty = (
        Case(_gelu_twice, "warning"),
        Case(_sigmoid_then_tanh, "warning"),
        Case(_relu_then_sigmoid, "warning"),
        Case(_gate_behind_a_sigmoid, "warning"),
    )
    clean = (Case(_mish_written_out), Case(_attention_of_gat))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each activation behind another."""
        for stack in stacked_pairs(step):
            if not stack.redundant:
                yield self._finding(step, stack)

    def _finding(self, step: Step, stack: StackedPair) -> Finding:
        first, second = stack.first, stack.second
        return self.found(
            message=_("{second} is applied right behind {first}").format(
                first=first.op, second=second.op
            ),
            location=second.location,
            proof=_("together they reach {both}; {second} alone {alone}").format(
                both=_reach_of_both(step, stack),
                second=second.op,
                alone=step.range_of(second.output),
            ),
            why=_("the composition is an activation that nobody chose"),
            fix=without(second),
        )


def _reach_of_both(step: Step, stack: StackedPair) -> str:
    """Return the range of the second activation on what the first can say, as text."""
    inner = step.range_of(stack.first.output)
    ends = torch.tensor([max(inner.low, -50.0), 0.0, min(inner.high, 50.0)], dtype=torch.float64)
    functions = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
    function = functions.get(stack.second.op)
    if function is None:
        return str(step.range_of(stack.second.output))
    reached = function(ends.clamp(min=float(ends[0]), max=float(ends[2])))
    return str(Interval(float(reached[0]), float(reached[2])))


def _relu_twice() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.ReLU(), nn.Linear(8, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _relu_behind_leaky_relu() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.LeakyReLU(), nn.ReLU(), nn.Linear(8, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _relu_once() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


class RedundantActivation(Rule):
    """An activation is applied twice, and the second time changes nothing.

    ## What it does

    Reports two activations in a row of which one has no effect: ReLU behind ReLU, log-softmax
    behind log-softmax, ReLU behind LeakyReLU.

    ## Why is this bad?

    It is harmless, and usually shows that a layer applies an activation which its caller did not
    expect. With another activation the same slip is ACT404.

    ## Example

        nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.ReLU())

    ## Use instead

        nn.Sequential(nn.Linear(20, 8), nn.ReLU())

    ## Sources

    - Nikanjam et al., NeuraLint, TOSEM 2021 (redundant activation).
    """

    code = "ACT403"
    name = "redundant-activation"
    severity = "info"
    looks_at = "activations"
    faulty = (Case(_relu_twice, "info"), Case(_relu_behind_leaky_relu, "info"))
    clean = (Case(_relu_once),)

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each activation without effect."""
        for stack in stacked_pairs(step):
            if stack.redundant:
                yield self.found(
                    message=_("{second} behind {first} changes nothing").format(
                        first=stack.first.op, second=stack.second.op
                    ),
                    location=stack.second.location,
                    proof=_("{second}({first}(x)) equals one of the two alone").format(
                        first=stack.first.op, second=stack.second.op
                    ),
                    why=_("harmless; often a sign that a layer applies its own activation"),
                    fix=without(stack.second),
                )
