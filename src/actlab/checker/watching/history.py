"""What was measured over the passes of one model, in the values that the rules judge."""

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from actlab.activations.modules.pointwise import Pointwise
from actlab.capture import ops
from actlab.capture.location import Location
from actlab.capture.trace import Call, Trace
from actlab.checker.analysis.layers import (
    Role,
    activation_label,
    distinct,
    layer_label,
    role_of,
)
from actlab.checker.report import Finding
from actlab.checker.rules.training.no_better_than_constant import AnswerMeasure
from actlab.checker.statistics.one_step import (
    Comparison,
    GradientMeasure,
    LayerMeasure,
    early,
    quotient,
    ways,
)
from actlab.checker.statistics.units import (
    ActivationMeasure,
    UnitStatistics,
    counted,
    is_stabilised,
    together,
)
from actlab.checker.watching.forward_sample import ActivationRun, ForwardSample
from actlab.checker.watching.sampled_pass import SampledPass, numbers
from actlab.unit_statistics import root_mean_squares, total_norm

_WINDOW = 4
"""A unit is judged on this many sampled batches, the last ones: training may revive it."""


@dataclass(eq=False)
class ActivationHistory:
    """One activation over the sampled passes: the last statistics, and its spread at the start."""

    op: str
    label: str
    location: Location
    role: Role
    first_deviation: float
    window: deque[UnitStatistics] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    def measure(self, flat_share: float) -> ActivationMeasure:
        """Return the plain numbers of the window."""
        return counted(
            together(tuple(self.window)),
            op=self.op,
            label=self.label,
            location=self.location,
            role=self.role,
            flat_share=flat_share,
        )


@dataclass(frozen=True)
class PassMeasures:
    """One sampled pass in plain numbers, ready for the rules.

    `gradients` are those along each way through the model, `answers` how much its outputs differ,
    `last` the stand-in of its last layer. `flawed` is the first layer whose output was not finite,
    and `flawed_gradient` the first parameter whose gradient was not. Locations in the measures are
    stand-ins, `calls` has the call that each stands for: to find a line in the sources takes longer
    than all the rest.
    """

    number: int
    activations: tuple[ActivationMeasure, ...]
    gradients: tuple[GradientMeasure, ...]
    answers: AnswerMeasure | None
    last: Location | None
    stabilised: bool
    flawed: tuple[str, Location] | None
    flawed_gradient: str | None
    calls: Mapping[Location, Call]

    def located(self, finding: Finding) -> Finding:
        """Return a finding with the user's line in the place of a stand-in."""
        call = self.calls.get(finding.location)
        return finding if call is None else replace(finding, location=call.location)


class PassHistory:
    """Everything that was measured of one model."""

    def __init__(self, model: nn.Module, flat_share: float) -> None:
        self.histories: dict[str, ActivationHistory] = {}
        self.layers: tuple[LayerMeasure, ...] = ()
        self.slopes = Slopes(model)
        self.unobservable_modules: set[str] = set()
        self.unmeasured: set[str] = set()
        self.faults: set[str] = set()
        self.closed: set[str] = set()
        self.scaled = False
        self.has_gradients = False
        self.sampled = 0
        self._flat_share = flat_share
        self._ratios: dict[str, tuple[float, float]] = {}
        self._first_spread: float | None = None
        self._calls: dict[Location, Call] = {}

    def add(self, done: SampledPass) -> PassMeasures:
        """Write a pass down, and return it as the rules want it."""
        forward = done.forward
        self.sampled += 1
        self.scaled |= forward.scaled
        self.unobservable_modules |= forward.unobservable_modules
        self.unmeasured |= forward.unmeasured
        self.faults |= forward.faults
        self.closed |= set(_closed_calls(forward.trace))
        self.slopes.add(forward)
        activations = tuple(self._activations(forward))
        totals = numbers(total for __, total in forward.totals)
        pairs = zip(forward.totals, totals, strict=True)
        bad = [call for (call, __), total in pairs if not math.isfinite(total)]
        return PassMeasures(
            number=done.number,
            activations=activations,
            gradients=tuple(self._gradients(done)),
            answers=self._answers(done),
            last=self._last(forward),
            stabilised=is_stabilised(forward.trace),
            flawed=(bad[0].module or bad[0].op, bad[0].location) if bad else None,
            flawed_gradient=_flawed_gradient(done),
            calls=self._calls,
        )

    def measure(self, history: ActivationHistory) -> ActivationMeasure:
        """Return the plain numbers of one activation's window."""
        return history.measure(self._flat_share)

    def _activations(self, forward: ForwardSample) -> Iterator[ActivationMeasure]:
        for run, label in zip(forward.runs, _labels(forward.runs), strict=True):
            history = self.histories.get(label)
            units = run.statistics.highest.shape
            if history is None or history.window[-1].highest.shape != units:
                call = run.call
                history = ActivationHistory(
                    op=call.op,
                    label=label,
                    location=self._stand_in(label, call),
                    role=role_of(forward.trace, run.call),
                    first_deviation=float(run.statistics.deviation),
                )
                self.histories[label] = history
            history.window.append(run.statistics)
            yield history.measure(self._flat_share)

    def _answers(self, done: SampledPass) -> AnswerMeasure | None:
        """Return how much the outputs differ, relative to how much they did at first."""
        if done.answers is None:
            return None
        measured = done.answers.numbers()
        if measured is None:
            return None
        spread, cancelled = measured
        first = self._first_spread
        if first is None:
            first = self._first_spread = spread
        return AnswerMeasure(done.answers.rows, quotient(spread, first), cancelled)

    def _last(self, forward: ForwardSample) -> Location | None:
        if not forward.layers:
            return None
        call = forward.layers[-1].call
        return self._stand_in(layer_label(call), call)

    def _gradients(self, done: SampledPass) -> Iterator[GradientMeasure]:
        if not done.arrived:
            return
        self.has_gradients = True
        keys = list(done.arrived)
        weights = root_mean_squares([done.parameters[key] for key in keys])
        found = numbers([*done.arrived.values(), *weights])
        gradient = dict(zip(keys, found[: len(keys)], strict=True))
        weight = dict(zip(keys, found[len(keys) :], strict=True))
        counts = {key: done.parameters[key].numel() for key in keys}
        layers = dict(self._layers(done, gradient, weight))
        places = {key: place for place, key in enumerate(layers)}
        self.layers = tuple(layers.values())
        norm = total_norm([(gradient[key], counts[key]) for key in keys])
        runs = [
            (r.call, places[id(r.weight)]) for r in done.forward.layers if id(r.weight) in places
        ]
        before, self._ratios = self._ratios, {}
        for way, depth in ways(done.forward.trace, runs):
            measures = tuple(self.layers[place] for place in way)
            strongest, weakest = self._compared(measures, before)
            yield GradientMeasure(
                layers=measures,
                strongest=strongest,
                weakest=weakest,
                norms=() if done.forward.scaled else (norm,),
                parameters=total_norm([(weight[key], counts[key]) for key in keys]),
                longest=depth,
            )

    def _layers(
        self, done: SampledPass, gradient: dict[int, float], weight: dict[int, float]
    ) -> Iterator[tuple[int, LayerMeasure]]:
        seen: set[int] = set()
        for layer in done.forward.layers:
            key = id(layer.weight)
            if key in seen or key not in gradient or weight[key] == 0.0:
                continue
            seen.add(key)
            label = layer_label(layer.call)
            place = self._stand_in(label, layer.call)
            yield key, LayerMeasure(label, place, weight[key], gradient[key])

    def _stand_in(self, label: str, call: Call) -> Location:
        place = Location(module=label)
        self._calls.setdefault(place, call)
        return place

    def _compared(
        self, layers: tuple[LayerMeasure, ...], before: Mapping[str, tuple[float, float]]
    ) -> tuple[Comparison | None, Comparison | None]:
        """Compare early layers of a way with its last, on this pass and on the one before."""
        if len(layers) < 2:
            return None, None
        last = layers[-1]
        first = sorted(layers[: early(len(layers))], key=lambda layer: layer.pull)
        ratios = (quotient(first[-1].pull, last.pull), quotient(first[0].pull, last.pull))
        self._ratios[last.label] = ratios
        known = before.get(last.label)
        pairs = zip(known, ratios, strict=True) if known else ((ratio,) for ratio in ratios)
        strongest, weakest = (tuple(pair) for pair in pairs)
        return Comparison(first[-1], last, strongest), Comparison(first[0], last, weakest)


def _labels(runs: list[ActivationRun]) -> list[str]:
    return distinct(activation_label(run.call) for run in runs)


def _closed_calls(trace: Trace) -> Iterator[str]:
    """Yield the calls that hide activations inside them."""
    for call in trace.calls:
        if call.op in ops.RECURRENT or call.op.endswith("_encoder_layer_fwd"):
            yield f"{call.module} ({call.op})" if call.module else call.op


def _flawed_gradient(done: SampledPass) -> str | None:
    if done.forward.scaled:
        return None
    for key, size in zip(done.arrived, numbers(done.arrived.values()), strict=True):
        if not math.isfinite(size):
            return done.names[key]
    return None


@dataclass
class Slope:
    """The slopes that one activation learns: where they began."""

    parameter: Tensor
    start: tuple[float, ...]


class Slopes:
    """The parameters of the model's activations, as they were and as they are."""

    def __init__(self, model: nn.Module) -> None:
        self.known: dict[str, Slope] = {}
        for path, module in model.named_modules():
            if isinstance(module, (nn.PReLU, Pointwise)):
                for name, parameter in module.named_parameters(recurse=False):
                    self._learn(f"{path}.{name}" if path else name, parameter)
        self._names = {id(parameter): name for name, parameter in model.named_parameters()}

    def add(self, forward: ForwardSample) -> None:
        """Note the slopes of functional calls, whose parameters have any name."""
        for weight in forward.slopes:
            name = self._names.get(id(weight))
            if name is not None:
                self._learn(name, weight)

    def _learn(self, name: str, parameter: Tensor) -> None:
        known = {id(slope.parameter) for slope in self.known.values()}
        if id(parameter) not in known and not nn.parameter.is_lazy(parameter):
            start = tuple(parameter.detach().float().flatten().tolist())
            self.known[name] = Slope(parameter, start)
