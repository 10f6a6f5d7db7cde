"""What a training showed, as plain frozen values: tables, findings, and what was not watched."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from statistics import fmean
from typing import Any, Literal

from actlab.checker.report import Finding
from actlab.checker.statistics.units import SATURATING
from actlab.checker.watching.deduplicated import DeduplicatedFindings
from actlab.checker.watching.history import PassHistory
from actlab.checker.watching.model_hooks import ModelHooks
from actlab.checker.watching.samplers import Sparing
from actlab.i18n import _, ngettext

SUMMARY_VERSION = 1
"""Version of a summary's dictionary. ActivationHistory: 1, the first (2026-11)."""


@dataclass(frozen=True)
class ActivationRow:
    """One activation: its units on the last sampled batches, and its spread then and at first.

    `role` is "hidden", "gate", "head" or "other"; only hidden activations are judged. `saturated`
    is None where the function cannot saturate.
    """

    model: str
    activation: str
    role: str
    units: int
    dead: int
    saturated: int | None
    always_on: int
    samples: int
    first_deviation: float
    last_deviation: float


@dataclass(frozen=True)
class LayerRow:
    """One layer with weights: root mean squares of weights and gradient, at the last sampling."""

    model: str
    layer: str
    weight: float
    gradient: float


@dataclass(frozen=True)
class SlopeRow:
    """The slopes that one activation learns: their mean at first, and their mean and range now."""

    model: str
    name: str
    count: int
    first_mean: float
    last_mean: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class ModelRow:
    """One model: its passes with and without gradients, and how many of them were sampled."""

    model: str
    training_passes: int
    inference_passes: int
    sampled: int


@dataclass(frozen=True)
class Summary:
    """What `actlab.watch` saw.

    `findings` are those of the rules, each with the passes that showed it. `unwatched` says what
    could not be watched and why: silence is never approval.
    """

    every: int
    models: tuple[ModelRow, ...]
    activations: tuple[ActivationRow, ...]
    layers: tuple[LayerRow, ...]
    slopes: tuple[SlopeRow, ...]
    findings: tuple[Finding, ...]
    unwatched: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, ready for JSON."""
        return {"summary_version": SUMMARY_VERSION, **asdict(self)}

    def to_pandas(
        self, table: Literal["activations", "layers", "slopes", "findings"] = "activations"
    ) -> Any:
        """Return one of the tables as a DataFrame; needs pandas."""
        rows: Iterable[Any] = getattr(self, table)
        return import_module("pandas").DataFrame([asdict(row) for row in rows])

    def __str__(self) -> str:
        return str(import_module("actlab.checker.watching.rendering").as_text(self))

    def _repr_html_(self) -> str:
        return str(import_module("actlab.checker.watching.rendering").as_html(self))


@dataclass(frozen=True, eq=False)
class Watched:
    """One model with its hooks, what was measured, and what the rules said."""

    hooks: ModelHooks
    history: PassHistory
    deduplicated: DeduplicatedFindings


def summary_of(watched: tuple[Watched, ...], every: int) -> Summary:
    """Return the summary of some models."""
    return Summary(
        every=every,
        models=tuple(_model(item) for item in watched),
        activations=tuple(row for item in watched for row in _activations(item)),
        layers=tuple(row for item in watched for row in _layers(item)),
        slopes=tuple(row for item in watched for row in _slopes(item)),
        findings=tuple(
            finding
            for item in watched
            for finding in item.deduplicated.findings(max(item.hooks.counts.values()))
        ),
        unwatched=tuple(
            _("{model}: {reason}").format(model=item.hooks.name, reason=reason)
            for item in watched
            for reason in _unwatched(item)
        ),
    )


def _model(item: Watched) -> ModelRow:
    counts = item.hooks.counts
    return ModelRow(item.hooks.name, counts["training"], counts["inference"], item.history.sampled)


def _activations(item: Watched) -> Iterator[ActivationRow]:
    for history in item.history.histories.values():
        measure = item.history.measure(history)
        yield ActivationRow(
            model=item.hooks.name,
            activation=measure.label,
            role=measure.role,
            units=measure.units,
            dead=measure.dead,
            saturated=measure.saturated if measure.op in SATURATING else None,
            always_on=measure.always_on,
            samples=measure.samples,
            first_deviation=history.first_deviation,
            last_deviation=measure.deviation,
        )


def _layers(item: Watched) -> Iterator[LayerRow]:
    for layer in item.history.layers:
        yield LayerRow(item.hooks.name, layer.label, layer.weight, layer.gradient)


def _slopes(item: Watched) -> Iterator[SlopeRow]:
    for name, slope in item.history.slopes.known.items():
        now = slope.parameter.detach().float().flatten().tolist()
        yield SlopeRow(
            model=item.hooks.name,
            name=name,
            count=len(now),
            first_mean=fmean(slope.start),
            last_mean=fmean(now),
            lowest=min(now),
            highest=max(now),
        )


def _unwatched(item: Watched) -> Iterator[str]:
    """Yield what could not be watched, in sentences."""
    yield from item.hooks.faults
    history = item.history
    if not any(item.hooks.counts.values()) and not item.hooks.faults:
        yield _(
            "no pass was seen: it was not called, or it runs inside a compiled function (watch the "
            "compiled model itself, not the original)"
        )
    elif history.sampled and not history.has_gradients and item.hooks.counts["training"]:
        yield _("no gradient was seen: no backward pass followed a sampled pass")
    if not item.hooks.counts["training"] and item.hooks.counts["inference"]:
        yield _("gradients: every pass ran without them")
    if history.scaled:
        yield _("the size of gradients: float16 training scales the loss by an unknown factor")
    for name in sorted(history.closed):
        yield _("the activations inside {name}, which is one call").format(name=name)
    if isinstance(item.hooks.sampler, Sparing) and item.hooks.sampler.passed_over:
        yield ngettext(
            "{count} pass that was due: watching had taken its share of the time",
            "{count} passes that were due: watching had taken its share of the time",
            item.hooks.sampler.passed_over,
        ).format(count=item.hooks.sampler.passed_over)
    for name in sorted(history.unobservable_modules):
        yield _("{name}, which runs no torch function that can be seen").format(name=name)
    for name in sorted(history.unmeasured):
        yield _("the units of {name}, whose numbers cannot be read where it runs").format(name=name)
    for text in sorted(history.faults):
        yield _("a fault of actlab's own in listening ({text})").format(text=text)
