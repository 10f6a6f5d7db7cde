"""ACT508: numbers that are none."""

from collections.abc import Iterator

import torch
from torch import nn

from actlab.checker.analysis.step import Subject
from actlab.checker.report import Finding
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.statistics.finiteness import Flaw, flaw_of
from actlab.i18n import _


def _logarithm_of_zero() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 5), nn.ReLU())

    def loss(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return -(output.log().gather(1, y[:, None])).mean()

    return Situation(net, loss, (torch.randn(64, 20), torch.arange(64) % 5))


def _missing_value_in_the_data() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 5))
    x = torch.randn(64, 20)
    x[3, 4] = float("nan")
    return Situation(net, nn.CrossEntropyLoss(), (x, torch.arange(64) % 5))


def _gradient_of_a_root_at_zero() -> Situation:
    net = nn.Linear(20, 5)
    x = torch.zeros(8, 20)

    def loss(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (output - output.detach()).square().sum(dim=1).sqrt().mean() + 0.0 * y.sum()

    return Situation(net, loss, (x, torch.zeros(8)))


def _masked_scores() -> Situation:
    net = nn.Linear(20, 5)
    allowed = torch.tensor([True, True, True, False, True])

    def loss(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        masked = output.masked_fill(~allowed, float("-inf"))
        return nn.functional.cross_entropy(masked, y)

    return Situation(net, loss, (torch.randn(64, 20), torch.arange(64) % 3))


def _plain_network() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


class NotFinite(Rule):
    """NaN or infinity in the step.

    ## What it does

    Looks at the loss, the gradients, the parameters, and at what layers and activations put out. A
    NaN or an infinity is traced back to the first call that made one of finite numbers, or to the
    input that brought it. Minus infinity as a mask before a softmax is no fault.

    ## Why is this bad?

    A NaN spreads: the next step makes every weight NaN, and the training is lost from there on.

    ## Example

        loss = -torch.log(probabilities).mean()

    ## Use instead

        loss = -F.log_softmax(scores, dim=1).mean()

    ## Sources

    - All earlier tools have this rule; DeepLocalize (Wardat et al., ICSE 2021) names the layer.
    - Roots and norms at zero: https://github.com/pytorch/pytorch/issues/4864.
    """

    code = "ACT508"
    name = "not-finite"
    severity = "error"
    faulty = (
        Case(_logarithm_of_zero, "error"),
        Case(_missing_value_in_the_data, "error"),
        Case(_gradient_of_a_root_at_zero, "error"),
    )
    clean = (Case(_plain_network), Case(_masked_scores))

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Yield a finding where a number is none."""
        flaw = flaw_of(subject)
        if flaw is not None:
            yield self.judge(flaw)
        elif subject.no_gradient_reason is not None:
            raise NotCheckable(
                _("no gradients: {reason}").format(reason=subject.no_gradient_reason)
            )

    def judge(self, flaw: Flaw) -> Finding:
        """Return the finding for one flaw."""
        return self.found(
            message=_("{what} is not finite").format(what=flaw.what),
            location=flaw.location,
            proof=flaw.origin,
            why=_("NaN spreads: the next step makes every weight NaN"),
            fix=_("# scale the inputs, or add a small number before log, sqrt and division"),
        )
