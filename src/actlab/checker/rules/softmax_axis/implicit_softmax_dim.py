"""ACT204: softmax without a dimension."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from actlab.checker.analysis.logits import softmax_dim
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import with_argument
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _

_FUNCTIONS = ("softmax", "log_softmax", "softmin")


def _module_without_dim() -> Situation:
    net = nn.Sequential(nn.Linear(20, 5), nn.LogSoftmax())
    return Situation(net, nn.NLLLoss(), class_batch(5))


def _function_without_dim() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(20, 5)

        def forward(self, x: torch.Tensor) -> Any:
            return nn.functional.log_softmax(self.fc(x))

    return Situation(Net(), nn.NLLLoss(), class_batch(5))


def _with_dim() -> Situation:
    net = nn.Sequential(nn.Linear(20, 5), nn.LogSoftmax(dim=-1))
    return Situation(net, nn.NLLLoss(), class_batch(5))


class ImplicitSoftmaxDim(Rule):
    """Softmax is called without a dimension.

    ## What it does

    Reports `softmax`, `log_softmax` or `softmin` whose `dim` is None.

    ## Why is this bad?

    torch then guesses: dimension 0 for tensors of 0, 1 or 3 dimensions, 1 for all others. A batch
    of sequences (3 dimensions) is normalised over its samples.

    ## Example

        nn.Softmax()(scores)

    ## Use instead

        nn.Softmax(dim=-1)(scores)

    ## Sources

    - https://github.com/pytorch/pytorch/pull/37399 ("debugging for hours").
    """

    code = "ACT204"
    name = "implicit-softmax-dim"
    severity = "warning"
    looks_at = "softmaxes"
    faulty = (Case(_module_without_dim, "warning"), Case(_function_without_dim, "warning"))
    clean = (Case(_with_dim),)

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each softmax without a dimension."""
        for call in step.trace.calls:
            if call.op not in _FUNCTIONS or call.function is None or not call.inputs:
                continue
            if call.argument("dim", 1) is not None:
                continue
            module = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}.get(call.op, "Softmin")
            yield self.found(
                message=_("{function} is called without a dimension").format(function=call.op),
                location=call.location,
                proof=_("on a tensor of shape {shape}, torch takes dimension {dim}").format(
                    shape=tuple(call.inputs[0].shape), dim=softmax_dim(call)
                ),
                why=_("the guess depends on the number of dimensions: 0 for three, 1 for two"),
                fix=with_argument(call, "dim=-1", f"nn.{module}(dim=-1)"),
            )
