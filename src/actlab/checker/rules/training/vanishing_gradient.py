"""ACT503: a gradient that does not arrive at the first layers."""

from collections.abc import Iterator

import torch
from torch import nn

from actlab.checker.analysis.closed_forms import shown
from actlab.checker.analysis.step import Subject
from actlab.checker.report import Finding
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.statistics.drift import Drift, drift_of, is_stabilised
from actlab.checker.statistics.gradients import GradientMeasure
from actlab.checker.statistics.one_step import activations_of, gradients_of
from actlab.i18n import _

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


def _eight_tanhs_with_xavier() -> Situation:
    layers: list[nn.Module] = []
    for _number in range(8):
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
    thresholds = {"ratio": 1e-3, "depth": 4}  # noqa: RUF012  read only
    faulty = (Case(_six_sigmoids, "warning"), Case(_functional_sigmoids, "warning"))
    clean = (Case(_four_rectifiers), Case(_eight_tanhs_with_xavier))

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Yield a finding if the gradient fades."""
        if subject.no_gradient_reason is not None:
            raise NotCheckable(subject.no_gradient_reason)
        measure = gradients_of(subject, low=self.limits["ratio"])
        compared = measure.strongest
        if compared is None or measure.depth < self.limits["depth"]:
            return
        if compared.ratios[0] < self.limits["ratio"] and len(compared.ratios) < 3:
            raise NotCheckable(
                _("the ratio is {ratio}, but the batch cannot be halved to confirm it").format(
                    ratio=shown(compared.ratios[0])
                )
            )
        drift = drift_of(activations_of(subject).activations, stabilised=False)
        yield from self.judge(measure, drift, stabilised=is_stabilised(subject.trace))

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
                ratio=shown(compared.ratios[-1]),
                depth=measure.depth,
            ),
            why=_("the first layers stay as they were drawn at random"),
            fix="nn.ReLU()  # " + _("or norms between the layers, or skips around them"),
            severity="info" if stabilised else "warning",
        )
