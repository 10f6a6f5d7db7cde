"""ACT501 and ACT502: units that never answer, and units at the flat ends of a sigmoid or a tanh."""

from collections.abc import Iterable, Iterator

import torch
from torch import nn
from torch.nn import functional as F

from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.statistics.one_step import activations_of
from actlab.checker.statistics.units import ActivationMeasure, dead_share
from actlab.i18n import _
from actlab.text import share as share_of
from actlab.unit_statistics import FLAT_SHARE, FLAT_SLOPE

_WHOLE_LAYER_SAMPLES = 16


def _bias_far_below_zero() -> Situation:
    hidden = nn.Linear(20, 64)
    nn.init.constant_(hidden.bias, -9.0)
    net = nn.Sequential(hidden, nn.ReLU(), nn.Linear(64, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(600, 20), torch.arange(600) % 5))


def _some_channels_gone() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 20, 3)
            self.out = nn.Linear(20, 5)
            nn.init.constant_(self.conv.weight[:5], -30.0)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.out(F.relu(self.conv(x)).amax(dim=(2, 3)))
            return scores

    return Situation(
        Net(), nn.CrossEntropyLoss(), (torch.rand(512, 1, 6, 6), torch.arange(512) % 5)
    )


def _default_network() -> Situation:
    net = nn.Sequential(
        nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5)
    )
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(600, 20), torch.arange(600) % 5))


def _default_network_six_layers_deep() -> Situation:
    layers = [layer for _number in range(6) for layer in (nn.Linear(64, 64), nn.ReLU())]
    net = nn.Sequential(*layers, nn.Linear(64, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.rand(600, 64), torch.arange(600) % 5))


class DeadUnits(Rule):
    """Units that never answer, and learn nothing because of it.

    ## What it does

    Counts, for each activation between layers, the units (features, channels) whose output is not
    above zero at any sample and whose slope is zero at every sample, so that no gradient passes.
    It takes 512 samples or four batches to say so; only a layer in which every unit is dead is
    reported on fewer. Over 10 % of a layer is a warning, over 50 % an error.

    Units are counted, not elements: half of the elements behind a ReLU are zero by design. In deep
    networks with default initial weights the signal fades until the biases decide the sign, then
    about half of the units are off and half are always on, and training revives both; so units
    that are always on are set against dead ones. Gates and the network's output are left out.

    ## Why is this bad?

    A dead unit has gradient zero for every sample there is, so no step will ever bring it back: the
    network has become smaller. The usual causes are a learning rate that was too high once, or a
    bias far below zero.

    ## Example

        layer = nn.Linear(784, 256)
        nn.init.constant_(layer.bias, -10.0)
        hidden = torch.relu(layer(x))

    ## Use instead

        layer = nn.Linear(784, 256)
        hidden = F.leaky_relu(layer(x))  # and a lower learning rate

    ## Sources

    - Lu et al., "Dying ReLU and Initialization: Theory and Numerical Examples", 2019,
      https://arxiv.org/abs/1903.06733.
    - Thresholds: Amazon SageMaker Debugger's DeadRelu (1 % of activity, 50 % of a layer), counted
      by unit here; counting elements flagged 36 of 78 healthy networks of a public set.
    """

    code = "ACT501"
    name = "dead-units"
    severity = "error"
    looks_at = "hidden activations"
    thresholds = {"samples": 512, "batches": 4, "warning_share": 0.1, "error_share": 0.5}  # noqa: RUF012  read only
    faulty = (Case(_bias_far_below_zero, "error"), Case(_some_channels_gone, "warning"))
    clean = (Case(_default_network), Case(_default_network_six_layers_deep))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each activation with too many dead units."""
        measured = activations_of(step)
        yield from self.judge(measured.activations)
        few = [m for m in measured.activations if m.role == "hidden" and not self._enough(m)]
        if few:
            raise NotCheckable(
                _(
                    "a unit is called dead after {samples} samples or {batches} batches; this "
                    "batch has {given} (`actlab.watch` sees a whole training)"
                ).format(
                    samples=int(self.limits["samples"]),
                    batches=int(self.limits["batches"]),
                    given=few[0].samples,
                )
            )
        measured.require_readable()

    def judge(self, activations: Iterable[ActivationMeasure]) -> Iterator[Finding]:
        """Yield a finding for each measured activation with too many dead units."""
        for measure in activations:
            if measure.role != "hidden" or measure.units < 2 or measure.dead == 0:
                continue
            whole = measure.dead == measure.units
            if not self._enough(measure) and not (whole and self._many_in_all(measure)):
                continue
            share = dead_share(measure)
            if share > self.limits["warning_share"]:
                yield self._finding(measure, is_error=share > self.limits["error_share"])

    def _enough(self, measure: ActivationMeasure) -> bool:
        many = measure.samples >= self.limits["samples"]
        return many or measure.batches >= self.limits["batches"]

    def _many_in_all(self, measure: ActivationMeasure) -> bool:
        enough = measure.samples * measure.units >= self.limits["samples"]
        return enough and measure.samples >= _WHOLE_LAYER_SAMPLES

    def _finding(self, measure: ActivationMeasure, *, is_error: bool) -> Finding:
        return self.found(
            message=_("{dead} of the {units} units of {label} are dead").format(
                dead=measure.dead, units=measure.units, label=measure.label
            ),
            location=measure.location,
            proof=_(
                "{share} of them were never above zero and had slope zero at each of {samples} "
                "samples; {on} were always on"
            ).format(
                share=share_of(measure.dead, measure.units),
                samples=measure.samples,
                on=measure.always_on,
            ),
            why=_("no gradient passes a dead unit, so no training step can bring it back"),
            fix="F.leaky_relu(x)  # " + _("or a lower learning rate, or biases nearer to zero"),
            severity="error" if is_error else "warning",
        )


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
    looks_at = "hidden activations"
    thresholds = {  # noqa: RUF012  read only
        "slope": FLAT_SLOPE,
        "samples": FLAT_SHARE,
        "warning_share": 0.2,
        "error_share": 0.5,
        "observations": 20,
    }
    faulty = (Case(_inputs_of_hundreds, "error"), Case(_weights_too_large, "warning"))
    clean = (Case(_inputs_of_order_one), Case(_saturated_gate))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each activation with too many saturated units."""
        measured = activations_of(step, self.limits["slope"], self.limits["samples"])
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
                share=share_of(saturated, measure.units),
                slope=self.limits["slope"],
                op=measure.op,
                samples=share_of(self.limits["samples"], 1),
            ),
            why=_("a flat unit passes on less than a hundredth of the gradient"),
            fix="x = (x - mean) / std  # "
            + _("scale what comes in, or start with smaller weights"),
            severity="error" if is_error else "warning",
        )
