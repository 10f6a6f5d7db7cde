"""ACT601: initial weights that do not fit the activation after them."""

from collections.abc import Iterator

import torch
from torch import nn

from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.statistics.initial_weights import Fit, fits_of
from actlab.checker.statistics.one_step import activations_of
from actlab.checker.statistics.units import Drift, drift_of, is_stabilised
from actlab.i18n import _
from actlab.text import decimal


def _twelve_rectifiers_with_default_weights() -> Situation:
    layers = [layer for _number in range(12) for layer in (nn.Linear(512, 512), nn.ReLU())]
    net = nn.Sequential(*layers, nn.Linear(512, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(16, 512), torch.arange(16) % 5))


def _five_rectifiers_with_default_weights() -> Situation:
    layers = [layer for _number in range(5) for layer in (nn.Linear(512, 512), nn.ReLU())]
    net = nn.Sequential(*layers, nn.Linear(512, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(16, 512), torch.arange(16) % 5))


def _twelve_rectifiers_with_kaiming_weights() -> Situation:
    layers: list[nn.Module] = []
    for _number in range(12):
        linear = nn.Linear(256, 256)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        layers += [linear, nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(256, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(16, 256), torch.arange(16) % 5))


def _two_rectifiers_with_default_weights() -> Situation:
    net = nn.Sequential(
        nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5)
    )
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


class InitGainMismatch(Rule):
    """The initial weights do not fit the activation after them.

    ## What it does

    Compares the variance of each hidden layer's weights, times its fan-in, with the gain of the
    activation that follows: 2 for ReLU, 2 / (1 + a^2) for leaky ReLU, 25/9 for tanh, 1 for SELU and
    sigmoid, and for others 1 / E[f(z)^2] with a standard normal z. It speaks only where it matters,
    that is where activations are seen to grow or fade by more than a factor of 10 on the batch
    (ACT505): as a warning in networks of ten and more activations without norms or skips, as an
    info in others. The defaults of torch are smaller than the gain by a factor of 6 under a ReLU,
    and fine at usual depth.

    ## Why is this bad?

    Each layer multiplies the signal's variance by (variance of the weights x fan-in) / gain, so in
    a deep network it fades or explodes exponentially, and with it the gradient.

    ## Example

        layers = [nn.Linear(512, 512), nn.ReLU()] * 12

    ## Use instead

        for layer in layers[::2]:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    ## Sources

    - He et al., "Delving Deep into Rectifiers", ICCV 2015; `torch.nn.init.calculate_gain`.
    - "It matters very little unless you go beyond 20 or so layers", Lasagne's maintainers,
      https://github.com/Lasagne/Lasagne/issues/658; the defaults:
      https://github.com/pytorch/pytorch/issues/15314.
    """

    code = "ACT601"
    name = "init-gain-mismatch"
    severity = "warning"
    looks_at = "hidden activations"
    thresholds = {"mismatch": 2.706, "factor": 10.0, "depth": 10}  # noqa: RUF012  read only
    faulty = (
        Case(_twelve_rectifiers_with_default_weights, "warning"),
        Case(_five_rectifiers_with_default_weights, "info"),
    )
    clean = (
        Case(_twelve_rectifiers_with_kaiming_weights),
        Case(_two_rectifiers_with_default_weights),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding if weights do not fit and the activations show it."""
        measured = activations_of(step)
        drift = drift_of(measured.activations, is_stabilised(step.trace))
        if drift is None:
            measured.require_readable()
            return
        if not drift.factor > self.limits["factor"]:
            return
        off = [fit for fit in fits_of(step) if self._explains(fit, drift)]
        if off:
            yield self._finding(off, drift)

    def _explains(self, fit: Fit, drift: Drift) -> bool:
        if drift.growth > 1.0:
            return fit.ratio > self.limits["mismatch"]
        return 0.0 < fit.ratio < 1.0 / self.limits["mismatch"]

    def _finding(self, off: list[Fit], drift: Drift) -> Finding:
        fit = off[0]
        deep = drift.depth >= self.limits["depth"] and not drift.stabilised
        return self.found(
            message=_("the initial weights do not fit {op}").format(op=fit.run.name),
            location=fit.layer.call.location,
            proof=_(
                "variance x fan-in is {size} where {op} wants {gain}, in {count} layers; from the "
                "first hidden layer to the last the standard deviation changes by a factor of "
                "{factor}"
            ).format(
                size=decimal(fit.size),
                op=fit.run.name,
                gain=decimal(fit.gain),
                count=len(off),
                factor=f"{drift.factor:.3g}",
            ),
            why=_("the signal, and with it the gradient, changes exponentially with depth"),
            fix=f"nn.init.normal_(layer.weight, std=({fit.gain:.3g} / fan_in) ** 0.5)",
            severity="warning" if deep else "info",
        )
