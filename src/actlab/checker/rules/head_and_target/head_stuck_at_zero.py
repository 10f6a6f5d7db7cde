"""ACT304: a rectified head that says 0 for every sample."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.layers import role_of
from actlab.checker.analysis.prediction import (
    OutputActivation,
    holds_back_negatives,
    output_activations_of,
)
from actlab.checker.analysis.step import Step
from actlab.checker.analysis.tensor_tests import readable
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced, without
from actlab.checker.rule import Case, NotCheckable, Rule, Situation, limits
from actlab.checker.rules._batches import real_batch
from actlab.i18n import _
from actlab.text import share as share_of


def _bias_far_below_zero() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(20, 1)
            nn.init.constant_(self.fc.bias, -20.0)

        def forward(self, x: torch.Tensor) -> Any:
            return torch.relu(self.fc(x)).squeeze(1)

    x, y = real_batch()
    return Situation(Net(), nn.MSELoss(), (x, y[:, 0].abs()))


def _alive() -> Situation:
    net = nn.Sequential(nn.Linear(20, 1), nn.ReLU())
    x, y = real_batch()
    return Situation(net, nn.MSELoss(), (x, y.abs()))


_EXACT = frozenset({"relu", "relu6", "threshold"})
_MANY = 16


class HeadStuckAtZero(Rule):
    """A rectified output is 0 for the whole batch and gets no gradient.

    ## What it does

    Reports a rectifier at the end of the model of whose outputs at least 99 % are exactly 0 on the
    batch while no gradient passes through it, and which stays at 0 when the inputs are turned
    around and enlarged: an unlucky small batch is not enough.

    ## Why is this bad?

    Without a gradient the weights never change again: the model says 0 for ever. It happens at the
    first step with an unlucky start or a negative bias, or later after one large update.

    ## Example

        model = nn.Sequential(nn.Linear(20, 1), nn.ReLU())

    ## Use instead

        model = nn.Linear(20, 1)
        model = nn.Sequential(nn.Linear(20, 1), nn.Softplus())  # if outputs must be positive

    ## Sources

    - https://github.com/keras-team/keras/issues/3687
    """

    code = "ACT304"
    name = "head-stuck-at-zero"
    severity = "error"
    looks_at = "rectifiers"
    thresholds = limits(zero_share=0.99)
    faulty = (Case(_bias_far_below_zero, "error"),)
    clean = (Case(_alive),)

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each rectified head that is dead."""
        for loss in step.loss_calls:
            for head in output_activations_of(step, loss.input):
                if not holds_back_negatives(head) or not head.call.output.intact:
                    continue
                zeros = tensor_tests.share_of_zeros(head.call.output.tensor)
                if zeros < self.limits["zero_share"] or not self._no_gradient(step, head):
                    continue
                if not _wakes_up(step, head):
                    yield self.found(
                        message=_("the rectified output is stuck at 0"),
                        location=head.call.location,
                        proof=_(
                            "{share} of the outputs are exactly 0 and the gradient in front of "
                            "the {activation} is 0"
                        ).format(share=share_of(zeros, 1), activation=head.name),
                        why=_("without a gradient the model says 0 for ever"),
                        fix=without(head.call),
                    )

        yield from self._inside(step)

    def _inside(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each dead rectifier that is neither a hidden layer's nor the last."""
        for run in step.activations:
            if run.name not in _EXACT or run.head or run.output.tensor.numel() < _MANY:
                continue
            if role_of(step.trace, run.call, run.head) == "hidden" or not run.output.intact:
                continue
            if not step.is_live(run.input) or not readable(run.output.tensor):
                continue
            head = OutputActivation(run.call, ())
            if bool(run.output.tensor.any()) or not self._no_gradient(step, head):
                continue
            if not _wakes_up(step, head):
                yield self.found(
                    message=_("the rectified output is stuck at 0"),
                    location=run.call.location,
                    proof=_(
                        "{share} of the outputs are exactly 0 and the gradient in front of "
                        "the {activation} is 0"
                    ).format(share=share_of(1, 1), activation=run.name),
                    why=_("without a gradient the model says 0 for ever"),
                    fix=replaced(run.call, "nn.Softplus()", "F.softplus({x})"),
                )

    def _no_gradient(self, step: Step, head: OutputActivation) -> bool:
        if step.no_gradient_reason is not None:
            raise NotCheckable(
                _("there are no gradients: {reason}").format(reason=step.no_gradient_reason)
            )
        gradient = step.gradient_of(head.call.inputs[0])
        return gradient is None or not bool(gradient.any())


def _wakes_up(step: Step, head: OutputActivation) -> bool:
    """Return whether other inputs, of other signs and sizes, get the head off zero."""
    for factor in (-1.0, -3.0, 3.0):
        run = step.reruns.scaled(factor)
        twin = run.counterpart(head.call, step.trace) if run is not None else None
        if twin is not None and bool(twin.output.tensor.any()):
            return True
    return False
