"""What the layers of the trained networks do, and whether it goes with accuracy across candidates.

A candidate's property is the mean over its networks of the mean over the slot's layers; its
accuracy is the mean over its replicates, failed ones at chance. The correlation is Spearman's. It
is a weak instrument, and says so: a study has about eight candidates, so that the interval is wide;
candidates differ in more than one property, and in the learning rate and the partner that suit them
best; the intervals are not adjusted for their number. What it shows is where a conjecture about the
cause could not be right.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from actlab import verdicts
from actlab.i18n import N_
from actlab.records import LayerProbe, Mechanism, ProbeRow, Record, SlotName
from actlab.studies.confirm.replication import Replication, Runs, replicates_of, runs_of
from actlab.text import Formatter


@dataclass(frozen=True)
class Quantity:
    """A number that cannot lie outside `limits`; `name` is for people, in English until shown."""

    key: str
    name: str
    limits: tuple[float, float]


@dataclass(frozen=True)
class Property(Quantity):
    """A number of an activation layer; `value` reads it from what was seen."""

    value: Callable[[LayerProbe], float | None]


def off_centre(layer: LayerProbe) -> float | None:
    """Return |mean| / spread of the outputs: 0 for outputs that are zero-centred.

    >>> off_centre(LayerProbe("a", "conv", 0.5, 0.0, 0.0, 0.2, 0.4, None))
    0.5
    """
    if layer.mean is None or not layer.spread:
        return None
    return abs(layer.mean) / layer.spread


_SHARE, _SIZE, _NUMBER = (0.0, 1.0), (0.0, math.inf), (-math.inf, math.inf)

SPARSENESS = Property("sparseness", N_("sparseness"), _SHARE, lambda layer: layer.sparseness)
ZEROS = Property("zeros", N_("share of exact zeros"), _SHARE, lambda layer: layer.zeros)
OFF_CENTRE = Property("off_centre", N_("distance of the mean from zero"), _SIZE, off_centre)
SATURATED = Property(
    "saturated", N_("share of saturated outputs"), _SHARE, lambda layer: layer.saturated
)
DEAD = Property("dead", N_("share of dead units"), _SHARE, lambda layer: layer.dead)
MEAN = Property("mean", N_("mean of the outputs"), _NUMBER, lambda layer: layer.mean)
SPREAD = Property("spread", N_("spread of the outputs"), _SIZE, lambda layer: layer.spread)
GRADIENT = Property(
    "gradient_norm", N_("gradient norm of the weights"), _SIZE, lambda layer: layer.gradient_norm
)
GRADIENT_RATIO = Quantity("gradient_ratio", N_("gradient norm, first layer to last"), _SIZE)

OF_LAYERS = (ZEROS, SPARSENESS, DEAD, SATURATED, MEAN, SPREAD, OFF_CENTRE, GRADIENT)
CORRELATED = (SPARSENESS, ZEROS, OFF_CENTRE, SATURATED)
NAMES = {one.key: one.name for one in (*OF_LAYERS, GRADIENT_RATIO)}


def probed(replication: Replication, runs: Runs) -> tuple[Record, ...]:
    """Return the replicates of a candidate whose networks were looked into."""
    return tuple(
        record
        for record in replicates_of(replication)
        if record.setting == runs.setting and record.probes is not None
    )


def layers_of(record: Record, slot: SlotName) -> tuple[LayerProbe, ...]:
    """Return what was seen in the layers of a slot, from the input on."""
    found = record.probes.layers if record.probes is not None else ()
    return tuple(layer for layer in found if layer.slot == slot)


CLAIM_OF: dict[SlotName, int] = {"conv": 4, "fc": 5}
"""Which claim of the published study speaks of a slot's sparsity."""

FEWEST = 4
"""Below this many candidates every order is likely by chance."""

_DECIMALS = 4
"""Properties that agree to these decimals count as equal: a rank should rest on no rounding."""


def mechanisms(replication: Replication, generator: np.random.Generator) -> tuple[Mechanism, ...]:
    """Return a correlation per slot and property; none where no network was looked into."""
    return tuple(
        _mechanism(replication, slot, one, generator)
        for slot in replication.chosen
        for one in CORRELATED
        if any(probed(replication, runs) for runs in runs_of(replication, slot))
    )


def _mechanism(
    replication: Replication,
    slot: SlotName,
    one: Property,
    generator: np.random.Generator,
) -> Mechanism:
    values: dict[str, float] = {}
    accuracies = []
    for runs in runs_of(replication, slot):
        value = _of_candidate(replication, runs, slot, one)
        if value is not None:
            values[runs.activation] = round(value, _DECIMALS)
            accuracies.append(
                fmean(
                    replication.chance if score is None else replication.measured.oriented(score)
                    for score in runs.by_replicate.values()
                )
            )
    equal = len(set(accuracies)) == 1
    found = None
    if not equal and _too_few_values(values) is None:
        found = verdicts.rank_correlation(list(values.values()), accuracies, generator)
    return Mechanism(
        slot=slot,
        key=one.key,
        correlation=found.estimate if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        claim=CLAIM_OF.get(slot) if one in (SPARSENESS, ZEROS) else None,
        values=values,
        equal_accuracies=equal,
    )


def _too_few_values(values: dict[str, float]) -> tuple[float, list[str]] | None:
    """Return the value that most candidates share and who differs, where that is too little."""
    if len(values) < FEWEST:
        return 0.0, []
    usual, times = Counter(values.values()).most_common(1)[0]
    apart = [candidate for candidate, value in values.items() if value != usual]
    return (usual, apart) if times > len(values) / 2 else None


def _of_candidate(
    replication: Replication, runs: Runs, slot: SlotName, one: Property
) -> float | None:
    """Return the mean over networks of the mean over layers; a network without one is left out."""
    means = []
    for record in probed(replication, runs):
        found = [one.value(layer) for layer in layers_of(record, slot)]
        known = [value for value in found if value is not None]
        if known:
            means.append(fmean(known))
    return fmean(means) if means else None


def property_name(key: str, words: Formatter) -> str:
    """Return the name of a property, for people."""
    return words.translations.gettext(NAMES[key])


def mechanism_sentence(found: Mechanism, words: Formatter) -> str:
    """Say whether a property goes with accuracy, or why there is nothing to correlate."""
    _, ngettext = words.translations.gettext, words.translations.ngettext
    name, count = property_name(found.key, words), len(found.values)
    if found.correlation is not None and found.low is not None and found.high is not None:
        return _correlation_sentence(found, words)
    if count < FEWEST:
        return ngettext(
            "The {property} is known for {count} candidate; a correlation needs at least {needed}.",
            "The {property} is known for {count} candidates; a correlation needs at least "
            "{needed}.",
            count,
        ).format(property=name, count=count, needed=FEWEST)
    if found.equal_accuracies:
        return _("All candidates have the same accuracy, so nothing goes with it.")
    usual, apart = _too_few_values(found.values) or (0.0, [])
    if not apart:
        return _("The {property} is the same, {value}, in all {count} candidates.").format(
            property=name, value=f"{usual:.4g}", count=count
        )
    return _(
        "The {property} is {value} in {times} of {count} candidates and differs in {names} "
        "alone; that is too little to correlate with accuracy."
    ).format(
        property=name,
        value=f"{usual:.4g}",
        times=count - len(apart),
        count=count,
        names=words.names(apart),
    )


def _correlation_sentence(found: Mechanism, words: Formatter) -> str:
    _ = words.translations.gettext
    low, high = found.low or 0.0, found.high or 0.0
    if low > 0:
        text = _(
            "Across {count} candidates a larger {property} goes with a higher accuracy: rank "
            "correlation {correlation} (95 % interval {low} to {high})."
        )
    elif high < 0:
        text = _(
            "Across {count} candidates a larger {property} goes with a lower accuracy: rank "
            "correlation {correlation} (95 % interval {low} to {high})."
        )
    else:
        text = _(
            "Across {count} candidates it cannot be said whether the {property} goes with "
            "accuracy: rank correlation {correlation}, but with so few candidates the 95 % "
            "interval is wide ({low} to {high})."
        )
    return text.format(
        count=len(found.values),
        property=property_name(found.key, words),
        correlation=words.correlation(found.correlation),
        low=words.correlation(low),
        high=words.correlation(high),
    )


def probe_rows(replication: Replication) -> tuple[ProbeRow, ...]:
    """Return a row per slot, candidate, layer and property, in this order.

    The mean has Student's t interval over the networks of the candidate, from two on, cut off where
    the property cannot lie; a property that no network has, has no row. A row of a whole network
    has no layer.
    """
    return tuple(
        row
        for slot in replication.chosen
        for runs in runs_of(replication, slot)
        for row in _rows_of(slot, runs.activation, probed(replication, runs))
    )


def _rows_of(slot: SlotName, activation: str, records: tuple[Record, ...]) -> Iterator[ProbeRow]:
    paths = list(dict.fromkeys(layer.layer for r in records for layer in layers_of(r, slot)))
    for path in paths:
        layers = [layer for r in records for layer in layers_of(r, slot) if layer.layer == path]
        for one in OF_LAYERS:
            values = [one.value(layer) for layer in layers]
            yield from _row(slot, activation, path, one, values)
    ratios = [record.probes.gradient_ratio for record in records if record.probes is not None]
    yield from _row(slot, activation, None, GRADIENT_RATIO, ratios)


def _row(
    slot: SlotName,
    activation: str,
    layer: str | None,
    one: Quantity,
    values: list[float | None],
) -> Iterator[ProbeRow]:
    known = [value for value in values if value is not None]
    if not known:
        return
    found = verdicts.student_t_interval(known)
    bounded = math.isfinite(found.low)
    yield ProbeRow(
        slot=slot,
        activation=activation,
        layer=layer,
        key=one.key,
        mean=found.estimate,
        low=max(found.low, one.limits[0]) if bounded else None,
        high=min(found.high, one.limits[1]) if bounded else None,
        networks=len(known),
    )
