"""ACT110: sigmoid and binary cross entropy in two steps: correct, and improvable."""

from collections.abc import Iterator

from torch import nn

from actlab.capture import ops
from actlab.checker.analysis.origins import origins
from actlab.checker.analysis.step import Subject
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import label_batch
from actlab.i18n import _


def _sigmoid_then_bce() -> Situation:
    net = nn.Sequential(nn.Linear(20, 1), nn.Sigmoid())
    return Situation(net, nn.BCELoss(), label_batch())


def _fused() -> Situation:
    return Situation(nn.Linear(20, 1), nn.BCEWithLogitsLoss(), label_batch())


class SplitSigmoidBce(Rule):
    """Sigmoid is followed by binary cross entropy.

    ## What it does

    Reports `sigmoid` whose output reaches `binary_cross_entropy`.

    ## Why is this bad?

    It is correct. In float32, sigmoid is exactly 1 from 16.7 on, and the gradient of such a sample
    is 0 however wrong it is; `binary_cross_entropy_with_logits` keeps it.

    ## Example

        loss = F.binary_cross_entropy(torch.sigmoid(logits), y)

    ## Use instead

        loss = F.binary_cross_entropy_with_logits(logits, y)

    ## Sources

    - PyTorch, `torch.nn.BCEWithLogitsLoss`: "more numerically stable than using a plain Sigmoid
      followed by a BCELoss".
    """

    code = "ACT110"
    name = "split-sigmoid-bce"
    severity = "info"
    faulty = (Case(_sigmoid_then_bce, "info"),)
    clean = (Case(_fused),)

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Yield a finding for each binary cross entropy right behind a sigmoid."""
        for loss in subject.loss_calls:
            if loss.kind != "bce" or loss.custom:
                continue
            ends = origins(loss.input, ops.VIEWS)
            if len(ends) == 1 and ends[0].op == "sigmoid" and ends[0].call is not None:
                yield self.found(
                    message=_("sigmoid and binary cross entropy are computed in two steps"),
                    location=ends[0].call.location,
                    proof=_("in float32 sigmoid is exactly 1 from 16.7 on: no gradient is left"),
                    why=_("correct; the fused loss is exact for every logit"),
                    fix="loss = F.binary_cross_entropy_with_logits(logits, y)",
                )
