"""ACT303: a head whose range and the targets' scale were meant for different ranges."""

from collections.abc import Iterator

import torch
from torch import nn

from actlab.checker.analysis import losses
from actlab.checker.analysis.prediction import (
    Comparison,
    OutputActivation,
    comparisons,
    output_activations_of,
)
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, Rule, Situation
from actlab.i18n import _

_SIGNED = ("tanh", "softsign", "hardtanh")
_UNSIGNED = ("sigmoid", "hardsigmoid")


def _tanh_decoder_on_unit_pixels() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 20), nn.Tanh())
    x = torch.rand(32, 20)
    return Situation(net, nn.MSELoss(), (x, x))


def _sigmoid_decoder_on_signed_pixels() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 20), nn.Sigmoid())
    x = torch.rand(32, 20) * 2 - 1
    return Situation(net, nn.MSELoss(), (x, x))


def _tanh_decoder_on_signed_pixels() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 20), nn.Tanh())
    x = torch.rand(32, 20) * 2 - 1
    return Situation(net, nn.MSELoss(), (x, x))


def _sigmoid_decoder_on_unit_pixels() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 20), nn.Sigmoid())
    x = torch.rand(32, 20)
    return Situation(net, nn.MSELoss(), (x, x))


class ScaleMismatch(Rule):
    """The head has a signed range and the targets have none, or the other way round.

    ## What it does

    Reports a tanh head whose targets all lie in [0, 1] (a warning), and a sigmoid head whose
    targets lie in [-1, 1] and are partly negative (an error).

    ## Why is this bad?

    Tanh on [0, 1] wastes half of its range, and its saturated end is where black pixels are not.
    Sigmoid cannot say anything negative. Both show that inputs and head were normalised for
    different conventions.

    ## Example

        decoder = nn.Sequential(nn.Linear(8, 784), nn.Tanh())
        loss = F.mse_loss(decoder(z), pixels / 255)

    ## Use instead

        decoder = nn.Sequential(nn.Linear(8, 784), nn.Sigmoid())
        loss = F.mse_loss(decoder(z), pixels / 255)

    ## Sources

    - https://github.com/AntixK/PyTorch-VAE/issues/48
    """

    code = "ACT303"
    name = "scale-mismatch"
    severity = "error"
    looks_at = "regressions"
    faulty = (
        Case(_tanh_decoder_on_unit_pixels, "warning"),
        Case(_sigmoid_decoder_on_signed_pixels, "error"),
    )
    clean = (Case(_tanh_decoder_on_signed_pixels), Case(_sigmoid_decoder_on_unit_pixels))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each head of the other convention."""
        for comparison in comparisons(step):
            if comparison.loss.kind not in losses.REGRESSION or comparison.target.numel() < 2:
                continue
            for head in output_activations_of(step, comparison.loss.input)[:1]:
                yield from self._judge(comparison, head)

    def _judge(self, comparison: Comparison, head: OutputActivation) -> Iterator[Finding]:
        low, high, reach = comparison.low, comparison.high, comparison.reach
        signed = head.name in _SIGNED and reach.low == -1.0 and reach.high == 1.0
        if signed and low >= 0.0 and 0.0 < high <= 1.0:
            yield self.found(
                severity="warning",
                message=_("{activation} in front of targets in [0, 1]").format(
                    activation=head.name
                ),
                location=head.call.location,
                proof=_(
                    "the output reaches {range}; targets run from {low:.3g} to {high:.3g}"
                ).format(range=reach, low=low, high=high),
                why=_("half of the range is never asked for, and 0 is not where it saturates"),
                fix=replaced(head.call, "nn.Sigmoid()", "torch.sigmoid({x})"),
            )
        elif head.name in _UNSIGNED and -1.0 <= low < -0.01 and high <= 1.0:
            yield self.found(
                message=_("{activation} in front of targets in [-1, 1]").format(
                    activation=head.name
                ),
                location=head.call.location,
                proof=_(
                    "the output reaches {range}; targets run from {low:.3g} to {high:.3g}"
                ).format(range=reach, low=low, high=high),
                why=_("negative targets are out of reach"),
                fix=replaced(head.call, "nn.Tanh()", "torch.tanh({x})"),
            )
