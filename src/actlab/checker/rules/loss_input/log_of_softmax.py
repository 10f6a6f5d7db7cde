"""ACT109 and ACT110: the logarithm of a softmax or a sigmoid, taken in two steps."""

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.frames import is_torch
from actlab.checker.analysis.origins import origins
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch, label_batch
from actlab.i18n import _

_STABLE = {"softmax": "log_softmax", "sigmoid": "logsigmoid"}


def _log_of_softmax() -> Situation:
    net = nn.Sequential(nn.Linear(20, 5), nn.Softmax(dim=1))
    return Situation(net, lambda p, y: F.nll_loss(p.log(), y), class_batch(5))


def _log_of_sigmoid() -> Situation:
    def loss(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return -(y * torch.log(torch.sigmoid(z)) + (1 - y) * torch.log(1 - torch.sigmoid(z))).mean()

    return Situation(nn.Linear(20, 1), loss, label_batch())


def _log_softmax() -> Situation:
    return Situation(nn.Linear(20, 5), lambda z, y: F.nll_loss(z.log_softmax(1), y), class_batch(5))


def _guarded_by_epsilon() -> Situation:
    net = nn.Sequential(nn.Linear(20, 5), nn.Softmax(dim=1))
    return Situation(net, lambda p, y: F.nll_loss(torch.log(p + 1e-8), y), class_batch(5))


class LogOfSoftmax(Rule):
    """A logarithm is taken of softmax or sigmoid outputs.

    ## What it does

    Reports `log` applied to the output of `softmax` or `sigmoid` in the user's code, without an
    epsilon or a clamp in between.

    ## Why is this bad?

    A probability that underflows to 0 becomes -inf, and its gradient NaN: in float32 for a score
    104 below the largest, in float16 from 17 on. `log_softmax` and `logsigmoid` compute the same
    without the detour.

    ## Example

        log_p = torch.log(F.softmax(scores, dim=1))

    ## Use instead

        log_p = F.log_softmax(scores, dim=1)

    ## Sources

    - PyTorch, `torch.nn.functional.log_softmax`: "mathematically equivalent to log(softmax(x)),
      doing these two operations separately is slower and numerically unstable".
    - https://github.com/skorch-dev/skorch/issues/481
    """

    code = "ACT109"
    name = "log-of-softmax"
    severity = "warning"
    looks_at = "losses"
    faulty = (Case(_log_of_softmax, "warning"), Case(_log_of_sigmoid, "warning"))
    clean = (Case(_log_softmax), Case(_guarded_by_epsilon))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each logarithm of a softmax or a sigmoid."""
        for call in step.trace.calls:
            if call.op not in ("log", "log2", "log10") or is_torch(call.origin):
                continue
            ends = origins(call.inputs[0], ops.VIEWS, nudges=False)
            if not ends or any(end.op not in _STABLE for end in ends) or ends[0].call is None:
                continue
            activation = ends[0].op
            stable = _STABLE[activation]
            argument = ", dim=-1" if activation == "softmax" else ""
            yield self.found(
                message=_("log({activation}) is computed in two steps").format(
                    activation=activation
                ),
                location=call.location,
                proof=_(
                    "a probability below 1e-45 (a score 104 below the largest) is 0 in float32: "
                    "its log is -inf and the gradient NaN"
                ),
                why=_("{stable} gives the same number for every score").format(stable=stable),
                fix=f"log_p = F.{stable}(scores{argument})",
            )


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
    looks_at = "binary cross entropies"
    faulty = (Case(_sigmoid_then_bce, "info"),)
    clean = (Case(_fused),)

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each binary cross entropy right behind a sigmoid."""
        for loss in step.loss_calls:
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
