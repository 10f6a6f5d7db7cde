"""ACT603: units that start alike and stay alike."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from actlab.capture import ops
from actlab.capture.trace import Call
from actlab.checker.analysis.layers import feeds_a_layer, layer_label
from actlab.checker.analysis.origins import HANDED_ON, origins
from actlab.checker.analysis.step import Layer, Step, layer_of
from actlab.checker.analysis.tensor_tests import readable
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


class _Adapted(nn.Module):
    """A frozen layer with a low-rank adapter."""

    def __init__(self, reading: Tensor) -> None:
        super().__init__()
        self.base = nn.Linear(20, 16).requires_grad_(False)
        self.reading, self.writing = nn.Parameter(reading), nn.Parameter(torch.zeros(16, 4))
        self.out = nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        change = (x @ self.reading.T) @ self.writing.T * 2
        scores: torch.Tensor = self.out(torch.relu(self.base(x) + change))
        return scores


def _adapter_of_zeros() -> Situation:
    net = _Adapted(torch.zeros(4, 20))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _adapter_with_one_factor_zero() -> Situation:
    net = _Adapted(torch.randn(4, 20))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _modulation_behind_a_last_layer_of_zeros() -> Situation:
    class Modulated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.modulation, self.out = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 4)
            for layer in (self.modulation, self.out):
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            said: torch.Tensor = self.out(x + self.modulation(x) * torch.relu(self.body(x)))
            return said

    return Situation(Modulated(), nn.MSELoss(), (torch.randn(64, 8), torch.randn(64, 4)))


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
    units see different inputs, and so is the last layer. Reports two layers in a row, too, whose
    weights are both zero (both factors of a low-rank adapter): what one gets for a gradient is
    multiplied with the other.

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
    faulty = (
        Case(_constant_hidden_layer, "error"),
        Case(_zeros_everywhere, "error"),
        Case(_adapter_of_zeros, "error"),
    )
    clean = (
        Case(_random_weights),
        Case(_residual_branch_that_starts_at_zero),
        Case(_adapter_with_one_factor_zero),
        Case(_modulation_behind_a_last_layer_of_zeros),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each hidden layer whose units are alike, or can never move."""
        for first, second in _shut_pairs(step):
            yield self.found(
                message=_("the weights of {first} and of {second} are all zero").format(
                    first=layer_label(first), second=layer_label(second)
                ),
                location=second.location,
                proof=_("what the second reads is 0, and the gradient of the first is exactly 0"),
                why=_("the gradient of each is multiplied with the other: neither ever moves"),
                fix="nn.init.kaiming_uniform_(first.weight, a=5**0.5)",
            )
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
    return bool(rows.any()) and _alike(rows)


_ZERO_STAYS_ZERO = (
    HANDED_ON
    | (ops.ELEMENTWISE_ACTIVATIONS - {"sigmoid", "hardsigmoid", "logsigmoid", "softplus"})
    | ops.POOLS
    | {"mul", "div"}
)


def _shut_pairs(step: Step) -> Iterator[tuple[Call, Call]]:
    """Yield two layers, the second behind the first, of which neither can get a gradient."""
    if step.no_gradient_reason is not None:
        return
    layers = [layer for call in step.trace.calls if (layer := layer_of(call)) is not None]
    weights = {id(layer.weight): layer.weight for layer in layers}  # a recurrence has few
    zeros = {number for number, weight in weights.items() if _is_zero(weight)}
    zero = {id(layer.call): layer for layer in layers if id(layer.weight) in zeros}
    closed: set[int] = set()
    for number, layer in zero.items():
        data = layer.data.tensor.detach() if layer.data.intact else None
        if data is None or not data.is_floating_point() or bool(data.any()):
            continue
        ends = origins(layer.data, _ZERO_STAYS_ZERO)
        before = next((zero[id(end.call)] for end in ends if id(end.call) in zero), None)
        if before is None or id(before.call) in closed:
            closed.add(number)
            continue
        gradient = step.gradient_of(before.call.output)
        if gradient is None or not bool(gradient.any()):
            closed.add(number)
            yield before.call, layer.call


def _is_zero(weight: Tensor) -> bool:
    return weight.requires_grad and readable(weight) and not bool(weight.detach().any())
