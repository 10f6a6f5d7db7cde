"""ACT503 and ACT504: a gradient that fades on its way to the first layers, or grows."""

import math
from collections.abc import Iterator

import torch
from torch import nn

from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.statistics.one_step import (
    GradientMeasure,
    activations_of,
    gradients_of,
    loss_scale,
)
from actlab.checker.statistics.units import Drift, drift_of, is_stabilised
from actlab.i18n import _
from actlab.text import decimal

_INFLATED = 10.0


def _six_sigmoids() -> Situation:
    layers = [layer for _number in range(6) for layer in (nn.Linear(20, 20), nn.Sigmoid())]
    net = nn.Sequential(*layers, nn.Linear(20, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _functional_sigmoids() -> Situation:
    layers = nn.ModuleList(nn.Linear(20, 20) for _number in range(6))
    out = nn.Linear(20, 5)
    x, y = torch.randn(64, 20), torch.arange(64) % 5

    def step() -> torch.Tensor:
        hidden = x
        for layer in layers:
            hidden = torch.sigmoid(layer(hidden))
        return nn.functional.cross_entropy(out(hidden), y)

    return Situation(step=step)


def _four_rectifiers() -> Situation:
    layers = [layer for _number in range(4) for layer in (nn.Linear(20, 20), nn.ReLU())]
    net = nn.Sequential(*layers, nn.Linear(20, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _seven_tanhs_with_xavier() -> Situation:
    layers: list[nn.Module] = []
    for _number in range(7):
        linear = nn.Linear(32, 32)
        nn.init.xavier_normal_(linear.weight)
        layers += [linear, nn.Tanh()]
    net = nn.Sequential(*layers, nn.Linear(32, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 32), torch.arange(64) % 5))


class VanishingGradient(Rule):
    """The gradient fades on its way to the first layers.

    ## What it does

    Compares, in a network of at least four layers with weights, the gradient of the first with that
    of the last, each relative to the size of its weights (root mean squares). A ratio below 1/1000
    is reported if it is found on the whole batch and on both of its halves. "The first" is the best
    supplied of the first quarter of the layers, since those for queries and keys in attention
    get next to nothing at the start by design; layers that are frozen or zero do not count. In a
    network with skips or norms the finding is an info: there it is a matter of the initial weights.

    ## Why is this bad?

    The first layers stay as they were drawn at random while the last ones learn to make do with
    them. With a sigmoid, whose slope is at most 1/4, five layers in a row are enough.

    ## Example

        layers = [nn.Linear(64, 64), nn.Sigmoid()] * 8

    ## Use instead

        layers = [nn.Linear(64, 64), nn.ReLU()] * 8  # or norms, or skips

    ## Sources

    - Hochreiter, "Untersuchungen zu dynamischen neuronalen Netzen", 1991; Glorot and Bengio, 2010.
    - The ratio is AutoTrainer's (Zhang et al., ICSE 2021); absolute thresholds such as 1e-7 depend
      on the scale of the loss.
    """

    code = "ACT503"
    name = "vanishing-gradient"
    severity = "warning"
    looks_at = "layers"
    thresholds = {"ratio": 1e-3, "depth": 4}  # noqa: RUF012  read only
    faulty = (Case(_six_sigmoids, "warning"), Case(_functional_sigmoids, "warning"))
    clean = (Case(_four_rectifiers), Case(_seven_tanhs_with_xavier))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding if the gradient fades."""
        if step.no_gradient_reason is not None:
            raise NotCheckable(step.no_gradient_reason)
        drift = drift_of(activations_of(step).activations, stabilised=False)
        stabilised = is_stabilised(step.trace)
        unconfirmed = None
        for measure in gradients_of(step, low=self.limits["ratio"]):
            compared = measure.strongest
            if compared is None or measure.depth < self.limits["depth"]:
                continue
            if compared.ratios[0] < self.limits["ratio"] and len(compared.ratios) < 3:
                unconfirmed = compared.ratios[0]
            else:
                yield from self.judge(measure, drift, stabilised=stabilised)
        if unconfirmed is not None:
            raise NotCheckable(
                _("the ratio is {ratio}, but the batch cannot be halved to confirm it").format(
                    ratio=decimal(unconfirmed)
                )
            )

    def judge(
        self, measure: GradientMeasure, drift: Drift | None, *, stabilised: bool
    ) -> Iterator[Finding]:
        """Yield a finding if every measured ratio is too small; at least two are needed.

        Where activations grow, the last layer's gradient is inflated by them and says nothing.
        """
        if drift is not None and drift.growth > _INFLATED:
            return
        compared = measure.strongest
        if compared is None or measure.depth < self.limits["depth"] or len(compared.ratios) < 2:
            return
        if not all(ratio < self.limits["ratio"] for ratio in compared.ratios):
            return
        yield self.found(
            message=_("the gradient vanishes on the way to {label}").format(
                label=compared.early.label
            ),
            location=compared.early.location,
            proof=_(
                "relative to its weights, the gradient of {early} is {ratio} of that of {last}, "
                "{depth} layers with weights in all"
            ).format(
                early=compared.early.label,
                last=compared.last.label,
                ratio=decimal(compared.ratios[-1]),
                depth=measure.depth,
            ),
            why=_("the first layers stay as they were drawn at random"),
            fix="nn.ReLU()  # " + _("or norms between the layers, or skips around them"),
            severity="info" if stabilised else "warning",
        )


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
    looks_at = "layers"
    thresholds = {"ratio": 1e3, "norm": 1e3, "depth": 4}  # noqa: RUF012  read only
    faulty = (Case(_weights_of_order_one, "warning"), Case(_targets_of_millions, "warning"))
    clean = (Case(_kaiming_weights), Case(_summed_loss))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding if the gradient explodes."""
        if step.no_gradient_reason is not None:
            raise NotCheckable(step.no_gradient_reason)
        if step.loss is None or not bool(torch.isfinite(step.loss).all()):
            return  # ACT508 has that
        drift = drift_of(activations_of(step).activations, stabilised=False)
        scale = loss_scale(step)
        for measure in gradients_of(step, high=self.limits["ratio"]):
            yield from self.judge(measure, drift, scale=scale)

    def judge(
        self, measure: GradientMeasure, drift: Drift | None, *, scale: float = 1.0
    ) -> Iterator[Finding]:
        """Yield at most one finding; the loss was multiplied with `scale`, or summed over so many.

        Where activations fade, the last layer's gradient fades with them and says nothing.
        """
        norm = measure.norms[-1] / scale if measure.norms else 0.0
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
                    ratio=decimal(compared.ratios[-1]),
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
