"""ACT505: activations that grow or fade from layer to layer."""

from collections.abc import Iterator

import torch
from torch import nn

from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding, Severity
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.statistics.one_step import activations_of
from actlab.checker.statistics.units import Drift, drift_of, is_stabilised
from actlab.i18n import _
from actlab.text import decimal


def _weights_of_order_one() -> Situation:
    layers: list[nn.Module] = []
    for _number in range(5):
        linear = nn.Linear(64, 64)
        nn.init.normal_(linear.weight)
        layers += [linear, nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(64, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 64), torch.arange(64) % 5))


def _tiny_weights() -> Situation:
    first, second, third, out = (nn.Linear(64, 64) for _number in range(4))
    for layer in (first, second, third):
        nn.init.normal_(layer.weight, std=0.001)
        nn.init.zeros_(layer.bias)
    x, y = torch.randn(64, 64), torch.randint(10, (64,))

    def step() -> torch.Tensor:
        hidden = torch.tanh(third(torch.tanh(second(torch.tanh(first(x))))))
        return nn.functional.cross_entropy(out(hidden), y)

    return Situation(step=step)


def _default_weights_four_layers_wide() -> Situation:
    net = nn.Sequential(
        nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(),
        nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 5),
    )  # fmt: skip
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 64), torch.arange(64) % 5))


def _default_weights() -> Situation:
    net = nn.Sequential(
        nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5)
    )
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _norms_between() -> Situation:
    layers: list[nn.Module] = []
    for _number in range(5):
        linear = nn.Linear(64, 64)
        nn.init.normal_(linear.weight)
        layers += [linear, nn.BatchNorm1d(64), nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(64, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 64), torch.arange(64) % 5))


class ActivationDrift(Rule):
    """Activations grow or fade from layer to layer.

    ## What it does

    Compares the standard deviation behind the first hidden activation with that behind the last,
    and reports a change by more than a factor of 10. The default initial weights of torch shrink
    the signal under a ReLU by 0.41 for each layer until the biases take over, which is fine at
    usual depth: so shrinking by less than 100 is an info in networks of fewer than ten layers and
    in those with norms or skips.

    ## Why is this bad?

    What fades carries no information about the input any more, and what grows overflows or
    saturates further on; the gradient does the same on the way back.

    ## Example

        for layer in hidden_layers:
            nn.init.normal_(layer.weight)

    ## Use instead

        for layer in hidden_layers:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    ## Sources

    - He et al., "Delving Deep into Rectifiers", ICCV 2015, section 2.2.
    - The factor is that of Amazon SageMaker Debugger's PoorWeightInitialization.
    - The default of `nn.Linear`: https://github.com/pytorch/pytorch/issues/15314.
    """

    code = "ACT505"
    name = "activation-drift"
    severity = "warning"
    looks_at = "hidden activations"
    thresholds = {"factor": 10.0, "faded": 100.0, "depth": 10}  # noqa: RUF012  read only
    faulty = (
        Case(_weights_of_order_one, "warning"),
        Case(_tiny_weights, "warning"),
        Case(_default_weights_four_layers_wide, "info"),
    )
    clean = (Case(_default_weights), Case(_norms_between))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding if the spread changes too much."""
        measured = activations_of(step)
        drift = drift_of(measured.activations, is_stabilised(step.trace))
        if drift is not None:
            yield from self.judge(drift)
        measured.require_readable()

    def judge(self, drift: Drift, *, trained: bool = False) -> Iterator[Finding]:
        """Yield a finding if the spread changes too much.

        A network that has been trained some way may well grow its last activations: there only a
        factor above the limit `faded` is more than an info.
        """
        if not drift.factor > self.limits["factor"]:
            return
        yield self.found(
            message=_("activations grow from layer to layer")
            if drift.growth > 1.0
            else _("activations fade from layer to layer"),
            location=drift.last.location,
            proof=_(
                "the standard deviation is {first} behind {first_label} and {last} behind "
                "{last_label}, {depth} activations on"
            ).format(
                first=decimal(drift.first.deviation),
                last=decimal(drift.last.deviation),
                first_label=drift.first.label,
                last_label=drift.last.label,
                depth=drift.depth - 1,
            ),
            why=_("what fades carries nothing, what grows overflows, and gradients do the same"),
            fix='nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")  # '
            + _("or norms between the layers"),
            severity=self._severity(drift, trained=trained),
        )

    def _severity(self, drift: Drift, *, trained: bool) -> Severity:
        grows = drift.growth > 1.0 and not trained
        if grows or drift.factor > self.limits["faded"]:
            return "info" if drift.stabilised else "warning"
        if trained:
            return "info"
        shallow = drift.depth < self.limits["depth"]
        return "info" if shallow or drift.stabilised else "warning"
