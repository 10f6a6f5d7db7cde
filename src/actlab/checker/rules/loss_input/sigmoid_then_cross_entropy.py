"""ACT103: sigmoid outputs where cross entropy expects scores."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from actlab.checker.analysis.logits import cross_entropy_floor, greatest_probability, logits_of
from actlab.checker.analysis.prediction import prediction_of
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _
from actlab.text import decimal

_SIGMOIDS = ("sigmoid", "hardsigmoid", "exp", "tanh")
"""What a sigmoid is, or is written out with: 1 / (1 + exp(-x)), (tanh(x / 2) + 1) / 2."""


def _module_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 3), nn.Sigmoid())
    return Situation(net, nn.CrossEntropyLoss(), class_batch(3))


def _detector_with_masked_classes() -> Situation:
    net = nn.Linear(20, 12)
    x, y = class_batch(7)

    def step() -> Any:
        boxes, classes = net(x)[:, :5], net(x)[..., 5:].sigmoid()
        kept = torch.arange(len(x)) % 2 == 0
        return boxes.square().mean() + F.cross_entropy(classes[kept], y[kept])

    return Situation(step=step)


def _scores() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.Sigmoid(), nn.Linear(16, 3))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(3))


def _gate_before_the_scores() -> Situation:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.score, self.gate = nn.Linear(20, 3), nn.Linear(20, 3)

        def forward(self, x: torch.Tensor) -> Any:
            return self.score(x) * torch.sigmoid(self.gate(x))

    return Situation(Gated(), nn.CrossEntropyLoss(), class_batch(3))


class SigmoidThenCrossEntropy(Rule):
    """Cross entropy is given sigmoid outputs.

    ## What it does

    Reports sigmoid outputs, or what views, joins and products of them are confined to [0, 1], that
    reach softmax cross entropy: torch's, a user-written one, or softmax followed by a log loss.

    ## Why is this bad?

    `cross_entropy` applies softmax to what it is given. Logits in [0, 1] hold the loss above
    ln(1 + (C - 1) / e), 1.461 for ten classes; and sigmoid's gradient, at most 0.25, weakens what
    is left.

    ## Example

        loss = F.cross_entropy(torch.sigmoid(model(x)), y)

    ## Use instead

        loss = F.cross_entropy(model(x), y)  # one class of several
        loss = F.binary_cross_entropy_with_logits(model(x), y)  # each class by itself

    ## Sources

    - https://github.com/eriklindernoren/PyTorch-YOLOv3/issues/10 (class loss never reaches 0).
    - Wardat et al., "DeepLocalize: Fault Localization for Deep Neural Networks", ICSE 2021.
    """

    code = "ACT103"
    name = "sigmoid-then-cross-entropy"
    severity = "error"
    looks_at = "softmax scores"
    faulty = (Case(_module_head, "error"), Case(_detector_with_masked_classes, "error"))
    clean = (Case(_scores), Case(_gate_before_the_scores))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each softmax cross entropy on sigmoid outputs."""
        for scores in logits_of(step):
            if scores.normaliser != "softmax" or scores.classes < 2:
                continue
            prediction = prediction_of(step, scores.value, scores.dim)
            if prediction is None or prediction.kind != "unit" or prediction.maker is None:
                continue
            if prediction.maker.op not in _SIGMOIDS:
                continue
            yield self.found(
                message=_("softmax cross entropy is given sigmoid outputs"),
                location=prediction.maker.location,
                proof=_(
                    "scores are confined to {range}: the loss cannot fall below {floor} with "
                    "{classes} classes, and no class can get a probability above {top}"
                ).format(
                    range=step.range_of(scores.value),
                    floor=decimal(cross_entropy_floor(scores.classes)),
                    classes=scores.classes,
                    top=decimal(greatest_probability(scores.classes)),
                ),
                why=_("softmax needs scores of any size; sigmoid squeezes them together first"),
                fix=without(prediction.maker),
            )
