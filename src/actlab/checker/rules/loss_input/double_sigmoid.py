"""ACT104: probabilities where binary cross entropy on logits expects logits."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from actlab.checker.analysis.logits import Logits, logits_of, sigmoid
from actlab.checker.analysis.prediction import Prediction, prediction_of
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import label_batch
from actlab.i18n import _
from actlab.text import decimal


def _module_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
    return Situation(net, nn.BCEWithLogitsLoss(), label_batch())


def _score_squeezed_by_a_view() -> Situation:
    net = nn.Linear(20, 1)
    x, y = label_batch()

    def step() -> Any:
        score = torch.sigmoid(net(x)).squeeze(-1)
        return F.binary_cross_entropy_with_logits(score, y[:, 0])

    return Situation(step=step)


def _focal_loss_that_applies_sigmoid() -> Situation:
    def focal(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        p = torch.sigmoid(scores)
        loss = F.binary_cross_entropy_with_logits(p, y, reduction="none")
        return (loss * (1 - p) ** 2).mean()

    return Situation(nn.Linear(20, 3), focal, label_batch(3))


def _sigmoid_in_model_and_in_step() -> Situation:
    net = nn.Sequential(nn.Linear(20, 1), nn.Sigmoid())
    return Situation(net, lambda p, y: F.binary_cross_entropy(torch.sigmoid(p), y), label_batch())


def _logits() -> Situation:
    return Situation(nn.Linear(20, 3), nn.BCEWithLogitsLoss(), label_batch(3))


def _probabilities_to_bce() -> Situation:
    net = nn.Sequential(nn.Linear(20, 1), nn.Sigmoid())
    return Situation(net, nn.BCELoss(), label_batch())


class DoubleSigmoid(Rule):
    """Binary cross entropy on logits is given probabilities.

    ## What it does

    Reports a tensor that cannot leave [0, 1] (sigmoid, softmax, what views, joins and products
    keep of them) and is given to `binary_cross_entropy_with_logits`, or to another sigmoid whose
    output goes to `binary_cross_entropy`.

    ## Why is this bad?

    Sigmoid of a number in [0, 1] lies in [0.5, 0.731]. A negative sample costs at least ln 2 =
    0.693, a positive one at least 0.313, and every sample is predicted positive.

    ## Example

        model = nn.Sequential(nn.Linear(20, 1), nn.Sigmoid())
        loss = nn.BCEWithLogitsLoss()(model(x), y)

    ## Use instead

        model = nn.Linear(20, 1)
        loss = nn.BCEWithLogitsLoss()(model(x), y)

    ## Sources

    - PyTorch, `torch.nn.BCEWithLogitsLoss`: "combines a Sigmoid layer and the BCELoss".
    - https://github.com/NVIDIA-Merlin/models/pull/1175 (a library's default had it).
    """

    code = "ACT104"
    name = "double-sigmoid"
    severity = "error"
    looks_at = "sigmoid scores"
    faulty = (
        Case(_module_head, "error"),
        Case(_score_squeezed_by_a_view, "error"),
        Case(_focal_loss_that_applies_sigmoid, "error"),
        Case(_sigmoid_in_model_and_in_step, "error"),
    )
    clean = (Case(_logits), Case(_probabilities_to_bce))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each sigmoid on what is already in [0, 1]."""
        for scores in logits_of(step):
            if scores.normaliser != "sigmoid":
                continue
            prediction = prediction_of(step, scores.value, scores.dim)
            if prediction is not None and prediction.kind in ("unit", "simplex"):
                yield self._finding(step, scores, prediction)

    def _finding(self, step: Step, scores: Logits, prediction: Prediction) -> Finding:
        maker = prediction.maker
        reach = step.range_of(scores.value)
        low, high = max(reach.low, 0.0), min(reach.high, 1.0)
        place = maker.location if maker is not None else scores.consumer.location
        return self.found(
            message=_("sigmoid is applied to what is already in [0, 1]"),
            location=place,
            proof=_(
                "probabilities are confined to [{bottom}, {top}]: a negative sample costs at least "
                "{negative}, a positive one at least {positive}"
            ).format(
                bottom=decimal(sigmoid(low)).rstrip("0"),
                top=decimal(sigmoid(high)),
                negative=decimal(_softplus(low)),
                positive=decimal(_softplus(-high)),
            ),
            why=_("every sample is predicted positive, and the loss has a floor"),
            fix=without(maker) if maker is not None else _("# give the loss the logits"),
        )


def _softplus(x: float) -> float:
    return float(F.softplus(torch.tensor(x, dtype=torch.float64)))
