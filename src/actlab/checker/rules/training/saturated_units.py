"""ACT502: units at the flat ends of a sigmoid or a tanh."""

from collections.abc import Iterable, Iterator

import torch
from torch import nn

from actlab.checker.analysis.step import Subject
from actlab.checker.report import Finding
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.statistics.one_step import activations_of
from actlab.checker.statistics.units import FLAT_SHARE, FLAT_SLOPE, ActivationMeasure
from actlab.checker.statistics.wording import percent
from actlab.i18n import _


def _inputs_of_hundreds() -> Situation:
    net = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 5))
    x = 255 * torch.rand(64, 20)
    return Situation(net, nn.CrossEntropyLoss(), (x, torch.arange(64) % 5))


def _weights_too_large() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.out = nn.Linear(20, 30), nn.Linear(30, 5)
            nn.init.normal_(self.hidden.weight[:10], std=200.0)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.out(torch.sigmoid(self.hidden(x)))
            return scores

    return Situation(Net(), nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _inputs_of_order_one() -> Situation:
    net = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 5), nn.Sigmoid())
    return Situation(net, nn.BCELoss(), (torch.randn(64, 20), torch.rand(64, 5).round()))


def _saturated_gate() -> Situation:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.value, self.gate, self.out = nn.Linear(20, 32), nn.Linear(20, 32), nn.Linear(32, 5)
            nn.init.constant_(self.gate.bias, 20.0)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.out(self.value(x) * torch.sigmoid(self.gate(x)))
            return scores

    return Situation(Gated(), nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


class SaturatedUnits(Rule):
    """Units at the flat ends of a sigmoid or a tanh.

    ## What it does

    Counts, for each activation between layers that is flat on both sides, the units whose slope is
    below one hundredth of the function's greatest on more than 95 % of the samples. Over 20 % of a
    layer is a warning, over 50 % an error. Gates (what is multiplied with another tensor) and the
    network's output are left out: there saturation is a decision, not a fault. Rectifiers are left
    out too, since their flat side is what makes them sparse.

    ## Why is this bad?

    At a saturated unit the gradient is divided by a hundred or more, for everything before it. Such
    a layer learns next to nothing, and the layers before it less. Inputs that were not scaled, and
    initial weights that are too large, are the usual causes.

    ## Example

        net = nn.Sequential(nn.Linear(784, 64), nn.Tanh(), nn.Linear(64, 10))
        scores = net(pixels)  # 0 to 255

    ## Use instead

        scores = net((pixels - mean) / std)

    ## Sources

    - Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
      networks", AISTATS 2010.
    - Earlier tools take fixed inputs (+-9.5 for tanh) or 50 % of elements; a slope relative to the
      function's own, counted by unit, holds for every function.
    """

    code = "ACT502"
    name = "saturated-units"
    severity = "error"
    thresholds = {  # noqa: RUF012  read only
        "slope": FLAT_SLOPE,
        "samples": FLAT_SHARE,
        "warning_share": 0.2,
        "error_share": 0.5,
        "observations": 20,
    }
    faulty = (Case(_inputs_of_hundreds, "error"), Case(_weights_too_large, "warning"))
    clean = (Case(_inputs_of_order_one), Case(_saturated_gate))

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Yield a finding for each activation with too many saturated units."""
        measured = activations_of(subject, self.limits["slope"], self.limits["samples"])
        yield from self.judge(measured.activations)
        if any(self._is_meant(m) and not self._enough(m) for m in measured.activations):
            raise NotCheckable(
                _("95 % of the samples means nothing with fewer than {least} of them").format(
                    least=int(self.limits["observations"])
                )
            )
        measured.require_readable()

    def judge(self, activations: Iterable[ActivationMeasure]) -> Iterator[Finding]:
        """Yield a finding for each measured activation with too many saturated units."""
        for measure in activations:
            if not self._is_meant(measure) or not self._enough(measure):
                continue
            share = (measure.saturated or 0) / measure.units
            if share > self.limits["warning_share"]:
                yield self._finding(measure, is_error=share > self.limits["error_share"])

    def _is_meant(self, measure: ActivationMeasure) -> bool:
        return measure.role == "hidden" and measure.units >= 2 and measure.saturated is not None

    def _enough(self, measure: ActivationMeasure) -> bool:
        return measure.observations >= self.limits["observations"]

    def _finding(self, measure: ActivationMeasure, *, is_error: bool) -> Finding:
        saturated = measure.saturated or 0
        return self.found(
            message=_("{saturated} of the {units} units of {label} are saturated").format(
                saturated=saturated, units=measure.units, label=measure.label
            ),
            location=measure.location,
            proof=_(
                "the slope of {share} of the units is below {slope} of {op}'s greatest on more "
                "than {samples} of the samples"
            ).format(
                share=percent(saturated, measure.units),
                slope=self.limits["slope"],
                op=measure.op,
                samples=f"{100 * self.limits['samples']:.0f} %",
            ),
            why=_("a flat unit passes on less than a hundredth of the gradient"),
            fix="x = (x - mean) / std  # "
            + _("scale what comes in, or start with smaller weights"),
            severity="error" if is_error else "warning",
        )
