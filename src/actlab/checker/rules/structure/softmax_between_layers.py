"""ACT405: softmax as a hidden activation."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from actlab.capture import ops
from actlab.capture.trace import Call
from actlab.checker.analysis.origins import Origin, origins, uses
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _


def _softmax_in_the_middle() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.Softmax(dim=1), nn.Linear(16, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _log_softmax_in_the_middle() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.LogSoftmax(dim=1), nn.Linear(16, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _calibration_of_frozen_log_probabilities() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.LogSoftmax(dim=1), nn.Linear(16, 16))
    net[0].requires_grad_(False)
    return Situation(net, nn.CrossEntropyLoss(), class_batch(16))


def _attention() -> Situation:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.value, self.fc = nn.Linear(8, 8), nn.Linear(8, 3)

        def forward(self, x: torch.Tensor) -> Any:
            weights = torch.softmax(x @ x.mT, dim=-1)
            return self.fc((weights @ self.value(x)).mean(1))

    return Situation(
        Attention(), nn.CrossEntropyLoss(), (torch.randn(6, 4, 8), torch.arange(6) % 3)
    )


def _talking_heads() -> Situation:
    class Talking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mix, self.fc = nn.Linear(2, 2), nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> Any:
            heads = x.reshape(len(x), -1, 2, 4).transpose(1, 2)
            weights = torch.softmax(heads @ heads.mT, dim=-1)
            weights = self.mix(weights.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            return self.fc((weights @ heads).mean((1, 2)))

    return Situation(Talking(), nn.CrossEntropyLoss(), (torch.randn(6, 4, 8), torch.arange(6) % 3))


class SoftmaxBetweenLayers(Rule):
    """Softmax is used as the activation of a hidden layer.

    ## What it does

    Reports a softmax whose output goes straight into a linear or convolutional layer with learnable
    weights, or a log-softmax that is trained itself. Attention, where the weights multiply values,
    is not meant, nor is a layer that mixes the weights of several attention heads.

    ## Why is this bad?

    The units of a softmax share a sum of 1: with 100 units each says about 0.01, and the next
    layer gets next to no signal. One unit can rise only at the cost of the others.

    ## Example

        nn.Sequential(nn.Linear(20, 100), nn.Softmax(dim=1), nn.Linear(100, 10))

    ## Use instead

        nn.Sequential(nn.Linear(20, 100), nn.ReLU(), nn.Linear(100, 10))

    ## Sources

    - Ben Braiek and Khomh, TheDeepChecker, TOSEM 2023 (wrong hidden activation).
    """

    code = "ACT405"
    name = "softmax-between-layers"
    severity = "warning"
    looks_at = "layers"
    faulty = (
        Case(_softmax_in_the_middle, "warning"),
        Case(_log_softmax_in_the_middle, "warning"),
    )
    clean = (
        Case(_attention),
        Case(_talking_heads),
        Case(_calibration_of_frozen_log_probabilities),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each layer that reads softmax outputs."""
        for layer in step.layers:
            if not layer.weight.requires_grad or layer.call.op not in ("linear", "conv"):
                continue
            ends = origins(layer.call.inputs[0], ops.VIEWS | ops.DROPOUTS)
            if not ends or not all(_shares_a_sum(end) for end in ends):
                continue
            softmax = ends[0].call
            if softmax is not None and not _weighs_values(step, layer.call):
                yield self._finding(softmax, layer.call)

    def _finding(self, softmax: Call, layer: Call) -> Finding:
        units = layer.inputs[0].shape[-1]
        return self.found(
            message=_("{activation} is the activation of a hidden layer").format(
                activation=softmax.op
            ),
            location=softmax.location,
            proof=_("{units} units share a sum of 1: {mean:.3g} each on average").format(
                units=units, mean=1 / units
            ),
            why=_("the next layer gets next to no signal, and units can only rise at a cost"),
            fix=replaced(softmax, "nn.ReLU()", "torch.relu({x})"),
        )


def _shares_a_sum(end: Origin) -> bool:
    """Return whether a walk ended at a softmax, or at a log-softmax that is trained."""
    trained = end.value.tensor.requires_grad
    return end.op in ("softmax", "softmin") or (end.op == "log_softmax" and trained)


def _weighs_values(step: Step, layer: Call) -> bool:
    """Return whether a layer's output multiplies something: weights of an attention."""
    return any(call.op in (*ops.PRODUCTS, "mul") for call, _given in uses(step.trace, layer.output))
