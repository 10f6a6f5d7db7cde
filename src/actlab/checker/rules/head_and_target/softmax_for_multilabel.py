"""ACT302: softmax where several labels may be right at once."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.layers import feeds_a_layer
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.origins import HANDED_ON, origins
from actlab.checker.analysis.prediction import made_up_reason, prediction_of
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding, Severity
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _

_COMPARED = HANDED_ON | {"gt", "ge", "lt", "le", "round", "log", "rsub", "neg", "eq", "int", "long"}


def _multi_hot(samples: int = 32, columns: int = 5) -> Tensor:
    positives = torch.arange(samples)[:, None] + torch.arange(columns)
    return ((positives % 3 == 0) | (positives % 4 == 0)).float()


def _softmax_with_bce() -> Situation:
    net = nn.Sequential(nn.Linear(20, 5), nn.Softmax(dim=1))
    return Situation(net, nn.BCELoss(), (class_batch(5)[0], _multi_hot()))


def _cross_entropy_on_multi_hot() -> Situation:
    return Situation(nn.Linear(20, 5), nn.CrossEntropyLoss(), (class_batch(5)[0], _multi_hot()))


def _softmax_at_evaluation() -> Situation:
    net = nn.Linear(20, 5)
    x, y = class_batch(5)[0], _multi_hot()

    def step() -> Any:
        with torch.no_grad():
            predicted = F.softmax(net(x), dim=1) > 0.5
            return (predicted == y.bool()).float().mean()

    return Situation(step=step, task="multilabel")


def _targets_normalised_to_one() -> Situation:
    y = _multi_hot() + 1e-12
    y = y * (y > 0.5)
    y = y / y.sum(1, keepdim=True).clamp(min=1)
    return Situation(nn.Linear(20, 5), nn.CrossEntropyLoss(), (class_batch(5)[0], y))


def _sigmoid_for_each_label() -> Situation:
    return Situation(nn.Linear(20, 5), nn.BCEWithLogitsLoss(), (class_batch(5)[0], _multi_hot()))


def _one_hot_targets() -> Situation:
    x, y = class_batch(5)
    return Situation(nn.Linear(20, 5), nn.CrossEntropyLoss(), (x, F.one_hot(y, 5).float()))


def _overlap_without_the_background() -> Situation:
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        p, mask = scores.softmax(1)[:, 1:], F.one_hot(y, 3).permute(0, 3, 1, 2)[:, 1:].float()
        return 1 - ((2 * (p * mask).sum((0, 2, 3)) + 1) / ((p + mask).sum((0, 2, 3)) + 1)).mean()

    y = torch.arange(2 * 36).reshape(2, 6, 6) % 3
    return Situation(nn.Conv2d(1, 3, 1), loss, (torch.randn(2, 1, 6, 6), y))


class SoftmaxForMultilabel(Rule):
    """Softmax is used where a sample may have several labels, or none.

    ## What it does

    Reports a softmax whose output is compared with rows of zeros and ones that have other than one
    1, in a loss or in an evaluation, and cross entropy on such rows. Targets that are normalised
    to sum to 1 are a deliberate choice of some authors, and a warning.

    ## Why is this bad?

    Softmax outputs sum to 1: with two right labels neither can get more than 1/2 without taking
    from the other, and a sample without labels still gets a sum of 1. The document's own
    experiment lost twenty points that way.

    ## Example

        loss = F.cross_entropy(model(x), multi_hot)

    ## Use instead

        loss = F.binary_cross_entropy_with_logits(model(x), multi_hot)

    ## Sources

    - https://github.com/Spijkervet/CLMR/issues/3 (ROC-AUC rises when sigmoid replaces softmax).
    - Mahajan et al., "Exploring the Limits of Weakly Supervised Pretraining", ECCV 2018: the
      deliberate use, with targets 1/k.
    """

    code = "ACT302"
    name = "softmax-for-multilabel"
    severity = "error"
    looks_at = "losses"
    faulty = (
        Case(_softmax_with_bce, "error"),
        Case(_cross_entropy_on_multi_hot, "error"),
        Case(_softmax_at_evaluation, "error"),
        Case(_targets_normalised_to_one, "warning"),
    )
    clean = (
        Case(_sigmoid_for_each_label),
        Case(_one_hot_targets),
        Case(_overlap_without_the_background),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each softmax that meets several labels at once."""
        if step.targets.made_up and not (step.task_given and step.task == "multilabel"):
            raise NotCheckable(made_up_reason())
        for loss in step.loss_calls:
            target = _target_of(step, loss)
            if target is None or target.shape != loss.input.shape or target.ndim < 2:
                continue
            if loss.kind == "overlap" and not _has_several(target):
                continue  # the background has no label
            by_loss = loss.kind == "cross_entropy"
            prediction = None if by_loss else prediction_of(step, loss.input, 1)
            if not by_loss and (prediction is None or prediction.kind != "simplex"):
                continue
            if tensor_tests.is_multi_hot(target):
                maker = (
                    loss.call
                    if prediction is None or prediction.maker is None
                    else prediction.maker
                )
                yield self._finding(maker, target, by_loss)
            elif by_loss and tensor_tests.is_normalised_multi_hot(target):
                yield self._finding(loss.call, target, by_loss, "warning")
        yield from self._evaluations(step)

    def _evaluations(self, step: Step) -> Iterator[Finding]:
        """Yield a finding where the step compares softmax outputs with several labels itself."""
        for call in step.trace.calls:
            if len(call.inputs) != 2 or call.op in ops.LOSSES or not step.in_loss_code(call):
                continue
            for given, other in (call.inputs, call.inputs[::-1]):
                target = _plain_target(step, other)
                if target is None or not tensor_tests.is_multi_hot(target):
                    continue
                if not _has_several(target) or feeds_a_layer(step.trace, call.output):
                    continue  # rows without a label are left out, and masks of an attention
                made = [end.call for end in origins(given, _COMPARED) if end.op == "softmax"]
                if made and made[0] is not None and made[0].output.shape == target.shape:
                    yield self._finding(made[0], target, by_loss=False)

    def _finding(
        self, call: Call, target: Tensor, by_loss: bool, severity: Severity = "error"
    ) -> Finding:
        counts = (target > 0).sum(1)
        return self.found(
            severity=severity,
            message=_("softmax is used where several labels may be right at once"),
            location=call.location,
            proof=_(
                "rows of the target have {low} to {high} positives; softmax outputs sum to 1, so "
                "{high} right labels cannot all get more than {share}"
            ).format(
                low=int(counts.min()),
                high=int(counts.max()),
                share=f"1/{int(counts.max())}" if int(counts.max()) else "0",
            ),
            why=_("labels that do not exclude each other are made to compete"),
            fix="loss = F.binary_cross_entropy_with_logits(logits, y)"
            if by_loss
            else replaced(call, "nn.Sigmoid()", "torch.sigmoid({x})"),
        )


def _has_several(target: Tensor) -> bool:
    """Return whether some row has several labels."""
    return bool(((target > 0).sum(1) > 1).any())


def _target_of(step: Step, loss: LossCall) -> Tensor | None:
    if loss.target is not None:
        return loss.target.tensor if loss.target.intact else None
    shaped = [t for t in step.targets.tensors if t.shape == loss.input.shape]
    return shaped[0] if shaped else None


def _plain_target(step: Step, value: Value) -> Tensor | None:
    """Return the tensor that a value is a copy of, if it may be a target."""
    ends = origins(value, HANDED_ON | {"bool", "int", "long", "rsub"})
    if len(ends) != 1 or ends[0].call is not None or step.is_live(ends[0].value):
        return None
    source = ends[0].value
    if step.is_input(source) or source.tensor.ndim < 2 or not source.intact:
        return None
    return source.tensor
