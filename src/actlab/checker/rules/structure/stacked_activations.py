"""ACT404: two activations in a row."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from actlab.checker.analysis.stacked import Stack, stacks
from actlab.checker.analysis.step import Subject
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch, label_batch
from actlab.i18n import _


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
    only, if neither is redundant (ACT403) and the result is not a gate that multiplies something.
    Softmax behind an elementwise activation is left to the rules on losses.

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
    faulty = (
        Case(_gelu_twice, "warning"),
        Case(_sigmoid_then_tanh, "warning"),
        Case(_relu_then_sigmoid, "warning"),
    )
    clean = (Case(_mish_written_out), Case(_attention_of_gat))

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Yield a finding for each activation behind another."""
        for stack in stacks(subject):
            if not stack.redundant:
                yield self._finding(subject, stack)

    def _finding(self, subject: Subject, stack: Stack) -> Finding:
        first, second = stack.first, stack.second
        return self.found(
            message=_("{second} is applied right behind {first}").format(
                first=first.op, second=second.op
            ),
            location=second.location,
            proof=_("together they reach {both}; {second} alone {alone}").format(
                both=_reach_of_both(subject, stack),
                second=second.op,
                alone=subject.range_of(second.output),
            ),
            why=_("the composition is an activation that nobody chose"),
            fix=without(second),
        )


def _reach_of_both(subject: Subject, stack: Stack) -> str:
    """Return the range of the second activation on what the first can say, as text."""
    inner = subject.range_of(stack.first.output)
    ends = torch.tensor([max(inner.low, -50.0), 0.0, min(inner.high, 50.0)], dtype=torch.float64)
    functions = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
    function = functions.get(stack.second.op)
    if function is None:
        return str(subject.range_of(stack.second.output))
    reached = function(ends.clamp(min=float(ends[0]), max=float(ends[2])))
    return f"[{float(reached[0]):.3g}, {float(reached[2]):.3g}]"
