"""ACT603: units that start alike and stay alike."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from actlab.checker.analysis.layers import feeds_a_layer, layer_label
from actlab.checker.analysis.step import Layer, Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.i18n import _


def _constant_hidden_layer() -> Situation:
    hidden = nn.Linear(20, 16)
    nn.init.constant_(hidden.weight, 0.1)
    nn.init.zeros_(hidden.bias)
    net = nn.Sequential(hidden, nn.Tanh(), nn.Linear(16, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _zeros_everywhere() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.out = nn.Conv2d(1, 8, 3), nn.Linear(8 * 16, 5)
            for parameter in self.parameters():
                nn.init.zeros_(parameter)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.out(torch.relu(self.conv(x)).flatten(1))
            return scores

    return Situation(Net(), nn.CrossEntropyLoss(), (torch.randn(32, 1, 6, 6), torch.arange(32) % 5))


def _random_weights() -> Situation:
    head = nn.Linear(16, 5)
    nn.init.zeros_(head.weight)
    net = nn.Sequential(nn.Linear(20, 16), nn.Tanh(), head)
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _residual_branch_that_starts_at_zero() -> Situation:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.back, self.out = nn.Linear(16, 32), nn.Linear(32, 16), nn.Linear(16, 5)
            nn.init.zeros_(self.back.weight)
            nn.init.zeros_(self.back.bias)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.out(x + self.back(torch.relu(self.inner(x))))
            return scores

    return Situation(Block(), nn.CrossEntropyLoss(), (torch.randn(64, 16), torch.arange(64) % 5))


class ConstantInit(Rule):
    """The units of a hidden layer start alike.

    ## What it does

    Reports a hidden layer whose units all have the same weights. Where these are zero, as in a
    residual branch that starts closed, it also takes gradients that are the same for all units:
    only then nothing will ever tell them apart. Depthwise convolutions are left out, since their
    units see different inputs, and so is the last layer.

    ## Why is this bad?

    Units with the same weights compute the same, and with the same weights behind them get the same
    gradient: the layer remains one unit, copied.

    ## Example

        nn.init.constant_(hidden.weight, 0.1)

    ## Use instead

        nn.init.kaiming_uniform_(hidden.weight, nonlinearity="relu")

    ## Sources

    - Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 8.4: break symmetry.
    - NeuraLint and TheDeepChecker have this rule.
    """

    code = "ACT603"
    name = "constant-init"
    severity = "error"
    looks_at = "layers"
    faulty = (Case(_constant_hidden_layer, "error"), Case(_zeros_everywhere, "error"))
    clean = (Case(_random_weights), Case(_residual_branch_that_starts_at_zero))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each hidden layer whose units are alike."""
        for layer in step.layers:
            if not _is_trained(layer) or not _alike(_rows(layer)):
                continue
            if not feeds_a_layer(step.trace, layer.call.output):
                continue
            if not bool(layer.weight.any()) and not _stays_alike(step, layer):
                continue
            rows = _rows(layer)
            yield self.found(
                message=_("the {units} units of {label} have the same weights").format(
                    units=rows.shape[0], label=layer_label(layer.call)
                ),
                location=layer.call.location,
                proof=_(
                    "all {units} rows of its weights are equal, the first weight is {value}"
                ).format(units=rows.shape[0], value=f"{float(rows[0, 0]):.3g}"),
                why=_("units that start alike get the same gradient: the layer stays one unit"),
                fix='nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")',
            )


def _is_trained(layer: Layer) -> bool:
    if not layer.weight.requires_grad or layer.weight.ndim < 2:
        return False
    groups = layer.call.argument("groups", 6, 1) if layer.call.op == "conv" else 1
    return layer.call.op in ("linear", "conv", "addmm") and groups == 1


def _rows(layer: Layer) -> Tensor:
    weight = layer.weight.detach()
    return weight.mT if layer.call.op == "addmm" else weight.flatten(1)


def _alike(rows: Tensor) -> bool:
    return rows.shape[0] >= 2 and bool((rows == rows[0]).all())


def _stays_alike(step: Step, layer: Layer) -> bool:
    gradient = step.gradients.get(step.name_of(layer.weight) or "")
    if gradient is None:
        return False
    rows = gradient.mT if layer.call.op == "addmm" else gradient.flatten(1)
    return _alike(rows)
