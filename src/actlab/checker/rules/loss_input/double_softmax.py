"""ACT101: probabilities where cross entropy expects scores."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from actlab.checker.analysis.logits import (
    Logits,
    cross_entropy_floor,
    greatest_probability,
    logits_of,
)
from actlab.checker.analysis.prediction import Prediction, prediction_of
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _
from actlab.text import decimal


def _module_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 10), nn.Softmax(dim=1))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(10))


def _functional_head_behind_a_view() -> Situation:
    net = nn.Linear(20, 10)
    x, y = class_batch(10)

    def step() -> Any:
        probabilities = torch.softmax(net(x), dim=-1)
        return F.cross_entropy(probabilities.view(4, 8, 10).flatten(0, 1), y)

    return Situation(step=step)


def _mixture_of_experts() -> Situation:
    class Mixture(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Linear(20, 3)
            self.experts = nn.ModuleList(nn.Linear(20, 5) for _ in range(3))

        def forward(self, x: torch.Tensor) -> Any:
            gates = self.gate(x).softmax(dim=1)
            votes = torch.stack([expert(x).softmax(dim=1) for expert in self.experts], dim=1)
            return (gates.unsqueeze(2) * votes).sum(dim=1)

    return Situation(Mixture(), nn.CrossEntropyLoss(), class_batch(5))


def _written_loss() -> Situation:
    def focal(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        log_p = F.log_softmax(scores, dim=1).gather(1, y[:, None]).squeeze(1)
        return -((1 - log_p.exp()) ** 2 * log_p).mean()

    net = nn.Sequential(nn.Linear(20, 4), nn.Softmax(dim=1))
    return Situation(net, focal, class_batch(4))


def _scores() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 10))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(10))


def _attention_inside() -> Situation:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.keys, self.values, self.out = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 3)

        def forward(self, x: torch.Tensor) -> Any:
            weights = torch.softmax(x @ self.keys(x).mT, dim=-1)
            return self.out((weights @ self.values(x)).mean(dim=1))

    return Situation(
        Attention(), nn.CrossEntropyLoss(), (torch.randn(6, 5, 8), torch.arange(6) % 3)
    )


class DoubleSoftmax(Rule):
    """Cross entropy is given probabilities.

    ## What it does

    Looks at what cross entropy receives, torch's or one that a loss function writes out with
    `log_softmax`, and reports it if it is a probability simplex along the class dimension. There
    are two witnesses: a softmax lies on the way from which only views, joins, gates and sums lead
    to the loss; and the numbers are non-negative and sum to 1, on the batch and on noise.

    ## Why is this bad?

    `cross_entropy` applies softmax itself. Logits that lie in [0, 1] cannot be told apart any
    further: with C classes the loss never falls below ln(1 + (C - 1) / e), 1.461 for ten, and no
    class gets a higher probability than 0.232. Training still works somewhat, slowly and to a
    worse end, so nobody notices; and a saturated inner softmax passes almost no gradient.

    ## Example

        model = nn.Sequential(nn.Linear(20, 10), nn.Softmax(dim=1))
        loss = nn.CrossEntropyLoss()(model(x), y)

    ## Use instead

        model = nn.Sequential(nn.Linear(20, 10))
        loss = nn.CrossEntropyLoss()(model(x), y)
        probabilities = model(x).softmax(dim=1)  # for people to read

    ## Sources

    - PyTorch, `torch.nn.CrossEntropyLoss`: "the input is expected to contain the unnormalized
      logits"; https://github.com/pytorch/pytorch/issues/55902 asks for this very warning.
    - Nikanjam et al., "Automatic Fault Detection for Deep Learning Programs Using Graph
      Transformations" (NeuraLint), TOSEM 2021.
    """

    code = "ACT101"
    name = "double-softmax"
    severity = "error"
    looks_at = "softmax scores"
    faulty = (
        Case(_module_head, "error"),
        Case(_functional_head_behind_a_view, "error"),
        Case(_mixture_of_experts, "error"),
        Case(_written_loss, "error"),
    )
    clean = (Case(_scores), Case(_attention_inside))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each cross entropy on probabilities."""
        for scores in logits_of(step):
            if scores.normaliser != "softmax" or scores.loss.kind == "categorical_logits":
                continue
            prediction = prediction_of(step, scores.value, scores.dim)
            if prediction is not None and prediction.kind == "simplex" and scores.classes > 1:
                yield self._finding(scores, prediction)

    def _finding(self, scores: Logits, prediction: Prediction) -> Finding:
        classes = scores.classes
        maker = prediction.maker
        place = maker.location if maker is not None else scores.consumer.location
        return self.found(
            message=_("cross entropy is given probabilities: softmax is applied twice"),
            location=place,
            proof=_(
                "the loss cannot fall below {floor} with {classes} classes, and no class can get "
                "a probability above {top} ({evidence})"
            ).format(
                floor=decimal(cross_entropy_floor(classes)),
                classes=classes,
                top=decimal(greatest_probability(classes)),
                evidence=evidence(prediction),
            ),
            why=_(
                "the second softmax flattens the first: weak gradients and a floor under the loss"
            ),
            fix=without(maker) if maker is not None else _("# give the loss the scores themselves"),
        )


def evidence(prediction: Prediction) -> str:
    """Return in words how it is known that a value is confined."""
    if prediction.by_values and prediction.on_noise:
        return _("rows sum to 1 on this batch and on noise")
    if prediction.by_values:
        return _("rows sum to 1 on this batch")
    return _("traced back from the loss to the softmax")
