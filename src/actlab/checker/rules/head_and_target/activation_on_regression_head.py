"""ACT307: an activation at the end of a regression that nothing asks for."""

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F

from actlab.checker.analysis import losses
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.prediction import (
    Comparison,
    OutputActivation,
    made_up_reason,
    output_activations_of,
    readable_target,
)
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.rules._batches import real_batch
from actlab.i18n import _

_DELIBERATE = ("relu", "softplus", "abs", "exp", "sigmoid", "hardsigmoid", "tanh", "softsign",
               "hardtanh", "relu6", "softmax", "log_softmax", "logsigmoid")  # fmt: skip
"""Activations with a range that some targets live in: counts, shares, coordinates."""


def _leaky_relu_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.LeakyReLU(), nn.Linear(16, 1), nn.LeakyReLU())
    return Situation(net, nn.MSELoss(), real_batch())


def _gelu_head_with_huber() -> Situation:
    net = nn.Linear(20, 1)
    x, y = real_batch()
    return Situation(step=lambda: F.huber_loss(F.gelu(net(x)), y.abs()))


def _relu_head_on_signed_targets() -> Situation:
    net = nn.Sequential(nn.Linear(20, 1), nn.ReLU())
    return Situation(net, nn.MSELoss(), real_batch())


def _linear_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.LeakyReLU(), nn.Linear(16, 1))
    return Situation(net, nn.MSELoss(), real_batch())


def _density_behind_relu() -> Situation:
    net = nn.Sequential(nn.Linear(20, 1), nn.ReLU())
    x, y = real_batch()
    return Situation(net, nn.MSELoss(), (x, y.abs()))


def _boxes_behind_sigmoid() -> Situation:
    net = nn.Linear(20, 4)
    x = torch.randn(32, 20)
    return Situation(net, lambda p, y: F.l1_loss(p.sigmoid(), y), (x, torch.rand(32, 4)))


class ActivationOnRegressionHead(Rule):
    """A regression ends in an activation, and the targets do not live in its range.

    ## What it does

    Reports any activation at the end of a prediction that is compared with real targets by a
    squared, absolute or Huber loss, unless the targets of the batch lie in its range and it is one
    that has a range on purpose (ReLU for counts, sigmoid for shares, tanh for actions).

    ## Why is this bad?

    A regression needs no activation. LeakyReLU or GELU at the end bend the output for nothing:
    below zero the gradient is a hundredth, or has the wrong sign.

    ## Example

        model = nn.Sequential(nn.Linear(20, 16), nn.LeakyReLU(), nn.Linear(16, 1), nn.LeakyReLU())

    ## Use instead

        model = nn.Sequential(nn.Linear(20, 16), nn.LeakyReLU(), nn.Linear(16, 1))

    ## Sources

    - Zhang et al., "AutoTrainer: An Automatic DNN Training Problem Detection and Repair System",
      ICSE 2021 (linear head for mean errors).
    """

    code = "ACT307"
    name = "activation-on-regression-head"
    severity = "warning"
    looks_at = "regressions"
    faulty = (
        Case(_leaky_relu_head, "warning"),
        Case(_gelu_head_with_huber, "warning"),
        Case(_relu_head_on_signed_targets, "warning"),
    )
    clean = (Case(_linear_head), Case(_density_behind_relu), Case(_boxes_behind_sigmoid))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each regression that ends in an activation."""
        for loss in step.loss_calls:
            if loss.kind not in losses.REGRESSION:
                continue
            heads = output_activations_of(step, loss.input)
            if heads and step.targets.made_up and heads[0].name in _DELIBERATE:
                raise NotCheckable(made_up_reason())
            if heads and not self._justified(step, loss, heads[0]):
                yield self._finding(step, loss, heads[0])

    def _justified(self, step: Step, loss: LossCall, head: OutputActivation) -> bool:
        target = readable_target(loss)
        if target is None or loss.target is None:
            return False
        if any(other.name == head.name for other in output_activations_of(step, loss.target)):
            return True  # features are compared with features of the same kind
        if head.name not in _DELIBERATE:
            return False
        return Comparison(loss, step.range_of(loss.input), target).outside == 0.0

    def _finding(self, step: Step, loss: LossCall, head: OutputActivation) -> Finding:
        target = readable_target(loss)
        reach = step.range_of(head.call.output)
        if target is None:
            proof = _("the output reaches {range}; the targets cannot be read").format(range=reach)
        else:
            proof = _(
                "the output reaches {range}; targets run from {low:.3g} to {high:.3g}"
            ).format(range=reach, low=float(target.min()), high=float(target.max()))
        return self.found(
            message=_("a regression ends in {activation}").format(activation=head.name),
            location=head.call.location,
            proof=proof,
            why=_("the output is bent or cut off for no reason that the targets give"),
            fix=without(head.call),
        )
