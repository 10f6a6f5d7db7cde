"""ACT504: a gradient that grows out of proportion."""

import math
from collections.abc import Iterator

import torch
from torch import nn

from actlab.checker.analysis.closed_forms import shown
from actlab.checker.analysis.step import Subject
from actlab.checker.report import Finding
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.statistics.drift import Drift, drift_of
from actlab.checker.statistics.gradients import GradientMeasure
from actlab.checker.statistics.one_step import activations_of, gradients_of, summed_samples
from actlab.i18n import _

_FADED = 0.1


def _weights_of_order_one() -> Situation:
    layers: list[nn.Module] = []
    for _number in range(8):
        linear = nn.Linear(64, 64)
        nn.init.normal_(linear.weight)
        layers += [linear, nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(64, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 64), torch.arange(64) % 5))


def _targets_of_millions() -> Situation:
    net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
    prices = 1e6 * torch.rand(64, 1)
    return Situation(net, nn.MSELoss(), (torch.randn(64, 10), prices))


def _kaiming_weights() -> Situation:
    layers: list[nn.Module] = []
    for _number in range(8):
        linear = nn.Linear(64, 64)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        layers += [linear, nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(64, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 64), torch.arange(64) % 5))


def _summed_loss() -> Situation:
    net = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 784))
    x = torch.rand(256, 784).round()
    return Situation(net, nn.BCEWithLogitsLoss(reduction="sum"), (x, x))


class ExplodingGradient(Rule):
    """The gradient is out of proportion to the weights.

    ## What it does

    Reports a gradient whose norm is more than 1000 times that of the parameters, one that grows by
    more than 1000 from the last layer to the first (relative to the weights, on the whole batch and
    on both halves), and one that is not finite although the loss is. A loss that sums over the
    batch is first divided by the number of samples.

    ## Why is this bad?

    One step of an ordinary size throws the weights far away; the loss jumps, and becomes NaN soon
    after. Unscaled regression targets and initial weights that are too large are the usual causes.

    ## Example

        loss = F.mse_loss(model(x), price)  # prices are about 500000

    ## Use instead

        loss = F.mse_loss(model(x), (price - price_mean) / price_std)

    ## Sources

    - Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks",
      ICML 2013.
    - Earlier tools: a ratio of 70 (AutoTrainer) up to 1e6 (TheDeepChecker).
    """

    code = "ACT504"
    name = "exploding-gradient"
    severity = "error"
    thresholds = {"ratio": 1e3, "norm": 1e3, "depth": 4}  # noqa: RUF012  read only
    faulty = (Case(_weights_of_order_one, "warning"), Case(_targets_of_millions, "warning"))
    clean = (Case(_kaiming_weights), Case(_summed_loss))

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Yield a finding if the gradient explodes."""
        if subject.no_gradient_reason is not None:
            raise NotCheckable(subject.no_gradient_reason)
        if subject.loss is None or not bool(torch.isfinite(subject.loss).all()):
            return  # ACT508 has that
        measure = gradients_of(subject, high=self.limits["ratio"])
        drift = drift_of(activations_of(subject).activations, stabilised=False)
        yield from self.judge(measure, drift, summed=summed_samples(subject))

    def judge(
        self, measure: GradientMeasure, drift: Drift | None, *, summed: int = 1
    ) -> Iterator[Finding]:
        """Yield at most one finding; the loss was summed over `summed` samples.

        Where activations fade, the last layer's gradient fades with them and says nothing.
        """
        norm = measure.norms[-1] / summed if measure.norms else 0.0
        compared = measure.weakest
        if not math.isfinite(norm):
            proof, severity = _("the norm of the gradient is not finite; the loss is"), True
        elif norm > self.limits["norm"] * measure.parameters > 0.0:
            proof, severity = (
                _("the norm of the gradient is {norm}, that of the parameters {parameters}").format(
                    norm=f"{norm:.3g}", parameters=f"{measure.parameters:.3g}"
                ),
                False,
            )
        elif (
            compared is not None
            and not (drift is not None and drift.growth < _FADED)
            and measure.depth >= self.limits["depth"]
            and len(compared.ratios) >= 2
            and all(ratio > self.limits["ratio"] for ratio in compared.ratios)
        ):
            proof, severity = (
                _(
                    "relative to its weights, the gradient of {early} is {ratio} times {last}'s"
                ).format(
                    early=compared.early.label,
                    last=compared.last.label,
                    ratio=shown(compared.ratios[-1]),
                ),
                False,
            )
        else:
            return
        first = measure.layers[0] if measure.layers else None
        if first is None:
            return
        yield self.found(
            message=_("the gradient explodes"),
            location=first.location,
            proof=proof,
            why=_("one ordinary step throws the weights far away, and the loss soon becomes NaN"),
            fix="torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # "
            + _("and scale targets and initial weights"),
            severity="error" if severity else "warning",
        )
