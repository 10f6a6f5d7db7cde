"""From what was measured to the tables of a summary."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from actlab.checker.statistics.units import SATURATING
from actlab.checker.watching.deduplicated import Sightings
from actlab.checker.watching.history import Ledger
from actlab.checker.watching.model_hooks import Tap
from actlab.checker.watching.samplers import Sparing
from actlab.checker.watching.summary import ActivationRow, LayerRow, ModelRow, SlopeRow, Summary
from actlab.i18n import _, ngettext


@dataclass(frozen=True, eq=False)
class Watched:
    """One model with its tap, what was measured, and what the rules said."""

    tap: Tap
    ledger: Ledger
    sightings: Sightings


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
            for finding in item.sightings.findings(max(item.tap.counts.values()))
        ),
        unwatched=tuple(
            _("{model}: {reason}").format(model=item.tap.name, reason=reason)
            for item in watched
            for reason in _unwatched(item)
        ),
    )


def _model(item: Watched) -> ModelRow:
    counts = item.tap.counts
    return ModelRow(item.tap.name, counts["training"], counts["inference"], item.ledger.sampled)


def _activations(item: Watched) -> Iterator[ActivationRow]:
    for history in item.ledger.histories.values():
        measure = item.ledger.measure(history)
        yield ActivationRow(
            model=item.tap.name,
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
    for layer in item.ledger.layers:
        yield LayerRow(item.tap.name, layer.label, layer.weight, layer.gradient)


def _slopes(item: Watched) -> Iterator[SlopeRow]:
    for name, slope in item.ledger.slopes.known.items():
        now = slope.parameter.detach().float().flatten().tolist()
        yield SlopeRow(
            model=item.tap.name,
            name=name,
            count=len(now),
            first_mean=fmean(slope.start),
            last_mean=fmean(now),
            lowest=min(now),
            highest=max(now),
        )


def _unwatched(item: Watched) -> Iterator[str]:
    """Yield what could not be watched, in sentences."""
    yield from item.tap.faults
    ledger = item.ledger
    if not any(item.tap.counts.values()) and not item.tap.faults:
        yield _(
            "no pass was seen: it was not called, or it runs inside a compiled function (watch the "
            "compiled model itself, not the original)"
        )
    elif ledger.sampled and not ledger.has_gradients and item.tap.counts["training"]:
        yield _("no gradient was seen: no backward pass followed a sampled pass")
    if not item.tap.counts["training"] and item.tap.counts["inference"]:
        yield _("gradients: every pass ran without them")
    if ledger.scaled:
        yield _("the size of gradients: float16 training scales the loss by an unknown factor")
    for name in sorted(ledger.closed):
        yield _("the activations inside {name}, which is one call").format(name=name)
    if isinstance(item.tap.sampler, Sparing) and item.tap.sampler.passed_over:
        yield ngettext(
            "{count} pass that was due: watching had taken its share of the time",
            "{count} passes that were due: watching had taken its share of the time",
            item.tap.sampler.passed_over,
        ).format(count=item.tap.sampler.passed_over)
    for name in sorted(ledger.deaf):
        yield _("{name}, which runs no torch function that can be seen").format(name=name)
    for name in sorted(ledger.unmeasured):
        yield _("the units of {name}, whose numbers cannot be read where it runs").format(name=name)
    for text in sorted(ledger.faults):
        yield _("a fault of actlab's own in listening ({text})").format(text=text)
