"""ACT602: SELU without what makes it self-normalising."""

from collections.abc import Iterator

import torch
from torch import nn

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.step import Activation, Layer, Step
from actlab.checker.analysis.tensor_tests import sample
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.statistics.initial_weights import feeding_layers, variance_times_fan_in
from actlab.i18n import _
from actlab.text import decimal

_NEARBY = ops.VIEWS | ops.POOLS


def _glorot_weights() -> Situation:
    hidden = nn.Linear(100, 400)
    nn.init.xavier_normal_(hidden.weight)
    net = nn.Sequential(hidden, nn.SELU(), nn.Linear(400, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 100), torch.arange(64) % 5))


def _plain_dropout() -> Situation:
    hidden = nn.Linear(20, 64)
    nn.init.kaiming_normal_(hidden.weight, nonlinearity="linear")
    net = nn.Sequential(hidden, nn.SELU(), nn.Dropout(0.1), nn.Linear(64, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _batch_norm_after() -> Situation:
    hidden = nn.Linear(20, 64)
    nn.init.kaiming_normal_(hidden.weight, nonlinearity="linear")
    net = nn.Sequential(hidden, nn.SELU(), nn.BatchNorm1d(64), nn.Linear(64, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _raw_pixels() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.out = nn.Linear(64, 64), nn.Linear(64, 5)
            nn.init.kaiming_normal_(self.hidden.weight, nonlinearity="linear")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.out(torch.selu(self.hidden(x)))
            return scores

    x = 255 * torch.rand(64, 64)
    return Situation(Net(), nn.CrossEntropyLoss(), (x, torch.arange(64) % 5))


def _as_published() -> Situation:
    hidden = nn.Linear(20, 64)
    nn.init.kaiming_normal_(hidden.weight, nonlinearity="linear")
    net = nn.Sequential(hidden, nn.SELU(), nn.AlphaDropout(0.1), nn.Linear(64, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _relu_with_all_of_it() -> Situation:
    net = nn.Sequential(
        nn.Linear(20, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Dropout(0.1), nn.Linear(64, 5)
    )
    return Situation(net, nn.CrossEntropyLoss(), (torch.rand(64, 20), torch.arange(64) % 5))


class SeluContract(Rule):
    """SELU without the conditions that make a network self-normalising.

    ## What it does

    For every SELU: the layer before it has weights of variance 0.7 to 1.4 over the fan-in (beyond
    what chance explains for so many weights); no plain dropout, which shifts the mean, and no batch
    norm come after it; and what enters the first such layer is standardised: mean within +-0.5,
    standard deviation from 0.5 to 2.

    ## Why is this bad?

    SELU keeps mean 0 and variance 1 from layer to layer, and so needs no norms, only under these
    conditions. Without them it is an ELU with odd constants.

    ## Example

        nn.Sequential(nn.Linear(100, 400), nn.SELU(), nn.Dropout(0.1))

    ## Use instead

        net = nn.Sequential(nn.Linear(100, 400), nn.SELU(), nn.AlphaDropout(0.1))
        nn.init.kaiming_normal_(net[0].weight, nonlinearity="linear")  # variance 1 / fan-in

    ## Sources

    - Klambauer et al., "Self-Normalizing Neural Networks", NeurIPS 2017, sections 2 and 3.
    - https://github.com/deepchem/deepchem/issues/601: Glorot weights under SELU.
    """

    code = "ACT602"
    name = "selu-contract"
    severity = "warning"
    looks_at = "selus"
    thresholds = {"low": 0.7, "high": 1.4, "mean": 0.5, "low_std": 0.5, "high_std": 2.0}  # noqa: RUF012  read only
    faulty = (
        Case(_glorot_weights, "warning", "deepchem/deepchem#601"),
        Case(_plain_dropout, "warning"),
        Case(_batch_norm_after, "warning"),
        Case(_raw_pixels, "warning"),
    )
    clean = (Case(_as_published), Case(_relu_with_all_of_it))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each condition that does not hold."""
        runs = [run for run in step.activations if run.name == "selu"]
        for number, run in enumerate(runs):
            layers = feeding_layers(step, run)
            for layer in layers:
                yield from self._weights(layer)
            if number == 0 and layers:
                yield from self._input(layers[0])
            yield from self._followers(step, run)

    def _weights(self, layer: Layer) -> Iterator[Finding]:
        size = variance_times_fan_in(layer)
        if size is None:
            return
        chance = 1.0 + 3.0 * (2.0 / layer.weight.numel()) ** 0.5
        if self.limits["low"] / chance <= size <= self.limits["high"] * chance:
            return
        yield self.found(
            message=_("the weights before SELU do not have variance 1 / fan-in"),
            location=layer.call.location,
            proof=_("variance x fan-in of {label} is {size}, not {low} to {high}").format(
                label=layer.module or layer.call.op,
                size=decimal(size),
                low=self.limits["low"],
                high=self.limits["high"],
            ),
            why=_("SELU keeps mean 0 and variance 1 only with weights of that size"),
            fix='nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")',
        )

    def _input(self, layer: Layer) -> Iterator[Finding]:
        numbers = sample(layer.call.inputs[0].tensor)
        if numbers is None or numbers.numel() < 2 or not layer.call.inputs[0].intact:
            return
        mean, deviation = float(numbers.mean()), float(numbers.std())
        limits = self.limits
        if abs(mean) <= limits["mean"] and limits["low_std"] <= deviation <= limits["high_std"]:
            return
        yield self.found(
            message=_("what enters a network of SELU is not standardised"),
            location=layer.call.location,
            proof=_("its mean is {mean}, its standard deviation {deviation}").format(
                mean=decimal(mean), deviation=decimal(deviation)
            ),
            why=_("SELU keeps mean 0 and variance 1; it takes longer to get there from elsewhere"),
            fix="x = (x - mean) / std",
        )

    def _followers(self, step: Step, run: Activation) -> Iterator[Finding]:
        for call in _next_calls(step, run.output):
            if call.op == "dropout" and call.argument("p", 1, 0.5) > 0.0:
                message = _("plain dropout after SELU")
                why = _(
                    "it sets units to 0, which is not SELU's resting value, and shifts the mean"
                )
                fix = "nn.AlphaDropout(p)"
            elif call.op == "batch_norm":
                message = _("batch norm after SELU")
                why = _("SELU normalises by itself; the two undo each other's work")
                fix = "nn.Identity()"
            else:
                continue
            yield self.found(
                message=message,
                location=call.location,
                proof=_("{op} is applied to the output of {label}").format(
                    op=call.op, label=run.module or run.name
                ),
                why=why,
                fix=fix,
            )


def _next_calls(step: Step, value: Value, depth: int = 0) -> Iterator[Call]:
    for call in step.trace.users_of(value):
        if call.op in _NEARBY and depth < 10:
            for output in call.outputs:
                yield from _next_calls(step, output, depth + 1)
        else:
            yield call
