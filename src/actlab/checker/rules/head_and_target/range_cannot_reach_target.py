"""ACT301: targets outside the range that the head can reach."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from actlab.checker.analysis import losses, tensor_tests
from actlab.checker.analysis.prediction import (
    Comparison,
    comparisons,
    output_activations_of,
    prediction_of,
)
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding, Severity
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation, limits
from actlab.checker.rules._batches import label_batch, real_batch
from actlab.i18n import _
from actlab.text import share as share_of


def _relu_head_on_standardised_targets() -> Situation:
    net = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 1), nn.ReLU())
    return Situation(net, nn.MSELoss(), real_batch())


def _sigmoid_head_on_real_targets() -> Situation:
    net = nn.Linear(20, 6)
    x, y = real_batch(6)
    return Situation(step=lambda: F.l1_loss(net(x).sigmoid().view(32, 6), y * 10))


def _written_loss() -> Situation:
    net = nn.Sequential(nn.Linear(20, 1), nn.Tanh())
    x, y = real_batch()
    return Situation(net, lambda p, t: ((p - t) ** 2).mean(), (x, 5 * y))


def _signed_labels_to_bce() -> Situation:
    x, y = label_batch()
    return Situation(nn.Linear(20, 1), nn.BCEWithLogitsLoss(), (x, 2 * y - 1))


def _softmax_head_for_regression() -> Situation:
    net = nn.Sequential(nn.Linear(20, 3), nn.Softmax(dim=1))
    return Situation(net, nn.MSELoss(), real_batch(3))


def _expected_bin(highest: float) -> Situation:
    net, x, ages = nn.Linear(20, 24), torch.randn(32, 20), 90 * torch.rand(32)
    bins = torch.linspace(0, highest, 24)

    def step() -> torch.Tensor:
        return F.l1_loss((net(x).softmax(1) * bins).sum(1), ages)

    return Situation(step=step, model=net)


def _bins_below_the_targets() -> Situation:
    return _expected_bin(1.0)


def _bins_of_all_targets() -> Situation:
    return _expected_bin(100.0)


def _linear_head() -> Situation:
    return Situation(nn.Linear(20, 1), nn.MSELoss(), real_batch())


def _actions_within_their_scale() -> Situation:
    class Actor(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(20, 2)
            self.register_buffer("scale", torch.tensor([2.0, 3.0]))

        def forward(self, x: torch.Tensor) -> Any:
            return torch.tanh(self.fc(x)) * self.get_buffer("scale")

    x, y = real_batch(2)
    return Situation(Actor(), nn.MSELoss(), (x, y))


def _counts_behind_relu() -> Situation:
    net = nn.Sequential(nn.Linear(20, 1), nn.ReLU())
    x, y = real_batch()
    return Situation(net, nn.MSELoss(), (x, y.abs()))


class RangeCannotReachTarget(Rule):
    """Targets lie outside the range that the model's output can reach.

    ## What it does

    Derives the closed range of a prediction from the calls that made it (activations, scaling,
    shifting, clamping) and compares it with the targets of the batch. Reports an error if more than
    5 % of them are out of reach, or more than 1 % by more than one standard deviation of the
    targets; a warning for fewer. A softmax is also compared by its sum. Losses written by the user
    and labels given to binary cross entropy are compared likewise.

    ## Why is this bad?

    The loss can never get near zero. ReLU in front of standardised targets gives up the lower half
    of them: every negative target is predicted 0, and its samples give no gradient.

    ## Example

        model = nn.Sequential(nn.Linear(20, 1), nn.ReLU())
        loss = F.mse_loss(model(x), (y - y.mean()) / y.std())

    ## Use instead

        model = nn.Linear(20, 1)
        loss = F.mse_loss(model(x), (y - y.mean()) / y.std())

    ## Sources

    - Wardat et al., "DeepDiagnosis: Automatically Diagnosing Faults and Recommending Actionable
      Fixes in Deep Learning Programs", ICSE 2022.
    - https://stackoverflow.com/q/50555434
    """

    code = "ACT301"
    name = "range-cannot-reach-target"
    severity = "error"
    looks_at = "targets"
    thresholds = limits(outside_share=0.05, far_share=0.01)
    faulty = (
        Case(_relu_head_on_standardised_targets, "error"),
        Case(_sigmoid_head_on_real_targets, "error"),
        Case(_written_loss, "error"),
        Case(_signed_labels_to_bce, "error"),
        Case(_softmax_head_for_regression, "error"),
        Case(_bins_below_the_targets, "error"),
    )
    clean = (
        Case(_linear_head),
        Case(_actions_within_their_scale),
        Case(_counts_behind_relu),
        Case(_bins_of_all_targets),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each prediction that cannot reach its targets."""
        for comparison in comparisons(step):
            if comparison.outside > 0.0:
                yield self._finding(step, comparison)
            elif comparison.loss.kind in losses.REGRESSION:
                yield from self._sum_finding(step, comparison)

    def _severity(self, comparison: Comparison) -> Severity:
        much = comparison.outside > self.limits["outside_share"]
        far = comparison.far_outside > self.limits["far_share"]
        return "error" if much or far else "warning"

    def _finding(self, step: Step, comparison: Comparison) -> Finding:
        loss = comparison.loss
        heads = output_activations_of(step, loss.input)
        labels = loss.kind in ("bce", "bce_logits")
        call = heads[0].call if heads and not labels else loss.call
        return self.found(
            severity=self._severity(comparison),
            message=_("labels lie outside [0, 1]")
            if labels
            else _("targets lie outside the range of the output"),
            location=call.location,
            proof=_(
                "the output reaches {range}; targets run from {low:.3g} to {high:.3g}, "
                "{share} of them out of reach"
            ).format(
                range=comparison.reach,
                low=comparison.low,
                high=comparison.high,
                share=share_of(comparison.outside, 1),
            ),
            why=_("no training can bring the loss near zero; unreachable targets give no gradient"),
            fix="y = (y + 1) / 2"
            if labels
            else without(call)
            if heads
            else "y = (y - low) / scale",
        )

    def _sum_finding(self, step: Step, comparison: Comparison) -> Iterator[Finding]:
        """Yield a finding where softmax outputs sum to 1 and the targets do not."""
        loss, target = comparison.loss, comparison.target
        if target.ndim < 2 or target.shape[-1] < 2 or target.shape != loss.input.shape:
            return
        prediction = prediction_of(step, loss.input, target.ndim - 1)
        if prediction is None or prediction.kind != "simplex" or tensor_tests.is_multi_hot(target):
            return
        off = float(((target.sum(-1) - 1).abs() > 0.05).float().mean())
        if off > self.limits["outside_share"]:
            maker = prediction.maker or loss.call
            yield self.found(
                message=_("softmax outputs sum to 1, the targets do not"),
                location=maker.location,
                proof=_("{share} of the target rows do not sum to 1").format(
                    share=share_of(off, 1)
                ),
                why=_("outputs that compete for a sum of 1 cannot follow independent targets"),
                fix=without(maker),
            )
