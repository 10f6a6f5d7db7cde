"""What the layers of each candidate's networks do, as rows: the mean over the seeds."""

import math
from collections.abc import Iterator

from actlab import stats
from actlab.records import ProbeRow, Record, SlotName
from actlab.text import Formatter
from actlab.verdicts.properties import GRADIENT_RATIO, OF_LAYERS, Quantity, layers_of, probed
from actlab.verdicts.replication import Replication, scores_of


def probe_rows(replication: Replication, words: Formatter) -> tuple[ProbeRow, ...]:
    """Return a row per slot, candidate, layer and property, in this order.

    The mean has Student's t interval over the networks of the candidate, from two on, cut off where
    the property cannot lie; a property that no network has, has no row. A row of a whole network
    has no layer.
    """
    return tuple(
        row
        for slot in replication.chosen
        for scores in scores_of(replication, slot)
        for row in _of_candidate(slot, scores.activation, probed(replication, scores), words)
    )


def _of_candidate(
    slot: SlotName, activation: str, records: tuple[Record, ...], words: Formatter
) -> Iterator[ProbeRow]:
    _ = words.translations.gettext
    paths = list(dict.fromkeys(layer.layer for r in records for layer in layers_of(r, slot)))
    for path in paths:
        layers = [layer for r in records for layer in layers_of(r, slot) if layer.layer == path]
        for one in OF_LAYERS:
            values = [one.value(layer) for layer in layers]
            yield from _row(slot, activation, path, one, _(one.name), values)
    ratios = [record.probes.gradient_ratio for record in records if record.probes is not None]
    yield from _row(slot, activation, None, GRADIENT_RATIO, _(GRADIENT_RATIO.name), ratios)


def _row(
    slot: SlotName,
    activation: str,
    layer: str | None,
    one: Quantity,
    name: str,
    values: list[float | None],
) -> Iterator[ProbeRow]:
    known = [value for value in values if value is not None]
    if not known:
        return
    found = stats.student_t_interval(known)
    bounded = math.isfinite(found.low)
    yield ProbeRow(
        slot=slot,
        activation=activation,
        layer=layer,
        key=one.key,
        property_name=name,
        mean=found.estimate,
        low=max(found.low, one.limits[0]) if bounded else None,
        high=min(found.high, one.limits[1]) if bounded else None,
        networks=len(known),
    )
