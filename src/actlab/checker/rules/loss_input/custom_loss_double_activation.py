"""ACT112: a loss function applies an activation that the model has applied already."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from actlab.capture import ops
from actlab.capture.frames import is_torch
from actlab.capture.trace import Call
from actlab.checker.analysis.logits import softmax_dim
from actlab.checker.analysis.mixtures import summands
from actlab.checker.analysis.origins import origins
from actlab.checker.analysis.prediction import prediction_of
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced, without
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import label_batch
from actlab.i18n import _

_SOFTMAXES = ("softmax", "log_softmax", "softmin")
_SIGMOIDS = ("sigmoid", "logsigmoid")


def _dice_on_probabilities() -> Situation:
    class Dice(nn.Module):
        def forward(self, scores: torch.Tensor, y: torch.Tensor) -> Any:
            p = torch.sigmoid(scores)
            return 1 - 2 * (p * y).sum() / (p.sum() + y.sum() + 1.0)

    net = nn.Sequential(nn.Linear(20, 6), nn.Sigmoid())
    return Situation(net, Dice(), label_batch(6))


def _softmax_in_model_and_loss() -> Situation:
    def tversky(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        p = scores.softmax(dim=1)
        hit = (p * y).sum(0)
        return 1 - (hit / (hit + 0.3 * ((1 - y) * p).sum(0) + 0.7 * (y * (1 - p)).sum(0))).mean()

    net = nn.Sequential(nn.Linear(20, 3), nn.Softmax(dim=1))
    x, _y = label_batch()
    return Situation(net, tversky, (x, torch.eye(3)[torch.arange(32) % 3]))


def _conditional_random_field(probabilities: bool) -> Situation:
    score, x, y = nn.Linear(20, 4), torch.randn(8, 6, 20), torch.arange(48).view(8, 6) % 4
    moves = nn.Parameter(torch.zeros(4, 4))

    def step() -> torch.Tensor:
        said = score(x).softmax(-1) if probabilities else score(x)
        total = said[:, 0]
        for place in range(1, 6):
            total = torch.logsumexp(total.unsqueeze(2) + moves, dim=1) + said[:, place]
        right = said.gather(2, y.unsqueeze(2)).sum((1, 2)) + moves[y[:, :-1], y[:, 1:]].sum(1)
        loss: torch.Tensor = (torch.logsumexp(total, dim=1) - right).mean()
        return loss

    return Situation(step=step, model=score)


def _random_field_on_probabilities() -> Situation:
    return _conditional_random_field(probabilities=True)


def _random_field_on_scores() -> Situation:
    return _conditional_random_field(probabilities=False)


def _dice_on_logits() -> Situation:
    def dice(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        p = torch.sigmoid(scores)
        return 1 - 2 * (p * y).sum() / (p.sum() + y.sum() + 1.0)

    return Situation(nn.Linear(20, 6), dice, label_batch(6))


def _dice_on_probabilities_as_they_are() -> Situation:
    def dice(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return 1 - 2 * (p * y).sum() / (p.sum() + y.sum() + 1.0)

    return Situation(nn.Sequential(nn.Linear(20, 6), nn.Sigmoid()), dice, label_batch(6))


class CustomLossDoubleActivation(Rule):
    """A loss function applies softmax or sigmoid to what is already in [0, 1].

    ## What it does

    The loss is traced like the model. Reports a softmax or sigmoid (or the logarithm of one) in
    the loss's own code whose input is a simplex, or cannot leave [0, 1]; and a log-sum-exp of
    softmax outputs plus something else, as the forward algorithm of a random field has it.

    ## Why is this bad?

    As ACT101 and ACT104: what the loss computes with is flattened into a narrow range. A perfect
    prediction is no longer the best one; Dice, for one, cannot come near 0.

    ## Example

        def dice(scores, y):
            p = torch.sigmoid(scores)  # the model ends in sigmoid, too
            return 1 - 2 * (p * y).sum() / (p.sum() + y.sum())

    ## Use instead

        def dice(p, y):
            return 1 - 2 * (p * y).sum() / (p.sum() + y.sum())

    ## Sources

    - https://github.com/qubvel-org/segmentation_models.pytorch/issues/1263
    """

    code = "ACT112"
    name = "custom-loss-double-activation"
    severity = "warning"
    looks_at = "losses"
    faulty = (
        Case(_dice_on_probabilities, "warning"),
        Case(_softmax_in_model_and_loss, "warning"),
        Case(_random_field_on_probabilities, "warning"),
    )
    clean = (
        Case(_dice_on_logits),
        Case(_dice_on_probabilities_as_they_are),
        Case(_random_field_on_scores),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each activation in the loss that repeats one of the model."""
        for call in step.trace.calls:
            if call.op == "logsumexp" and not is_torch(call.origin):
                yield from self._of_sum(step, call)
            if call.op not in (*_SOFTMAXES, *_SIGMOIDS) or is_torch(call.origin):
                continue
            if step.in_loss_code(call) and step.is_live(call.inputs[0]):
                yield from self._judge(step, call)

    def _of_sum(self, step: Step, call: Call) -> Iterator[Finding]:
        """Yield a finding where probabilities are added to scores inside a log-sum-exp."""
        views = origins(call.inputs[0], ops.VIEWS, nudges=False)
        parts = [part for view in views for part in summands(view.value)]
        for part in parts if len(parts) > 1 else ():
            maker = next((end.call for end in origins(part) if end.op == "softmax"), None)
            if maker is None or not step.is_live(maker.output):
                continue
            yield self.found(
                message=_("the loss applies {activation} to what is already in [0, 1]").format(
                    activation=call.op
                ),
                location=maker.location,
                proof=_("its input was made by {maker} and reaches {range}").format(
                    maker=maker.op, range=step.range_of(maker.output)
                ),
                why=_(
                    "the loss sees a flattened copy of the prediction; the best one costs too much"
                ),
                fix=without(maker),
            )

    def _judge(self, step: Step, call: Call) -> Iterator[Finding]:
        given = call.inputs[0]
        if given.tensor.ndim == 0:
            return
        dim = softmax_dim(call) if call.op in _SOFTMAXES else given.tensor.ndim - 1
        prediction = prediction_of(step, given, dim)
        if (
            prediction is None
            or prediction.kind not in ("simplex", "unit")
            or prediction.maker is None
        ):
            return
        yield self.found(
            message=_("the loss applies {activation} to what is already in [0, 1]").format(
                activation=call.op
            ),
            location=call.location,
            proof=_("its input was made by {maker} and reaches {range}").format(
                maker=prediction.maker.op, range=step.range_of(prediction.maker.output)
            ),
            why=_("the loss sees a flattened copy of the prediction; the best one costs too much"),
            fix=replaced(call, "torch.log", "torch.log({x})")
            if call.op in ("log_softmax", "logsigmoid")
            else without(call),
        )
