"""The properties of a trained network's activation layers that a verdict speaks of."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from actlab.i18n import N_
from actlab.records import LayerProbe, Record, SlotName
from actlab.verdicts.replication import Replication, Scores, replicates_of


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


def probed(replication: Replication, scores: Scores) -> tuple[Record, ...]:
    """Return the replicates of a candidate whose networks were looked into."""
    return tuple(
        record
        for record in replicates_of(replication)
        if record.setting == scores.setting and record.probes is not None
    )


def layers_of(record: Record, slot: SlotName) -> tuple[LayerProbe, ...]:
    """Return what was seen in the layers of a slot, from the input on."""
    found = record.probes.layers if record.probes is not None else ()
    return tuple(layer for layer in found if layer.slot == slot)
