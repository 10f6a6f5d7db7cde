"""What was seen in the layers of each candidate's networks, as one table per slot."""

from dataclasses import dataclass

from actlab.records import SlotName, Verdict


@dataclass(frozen=True)
class LayerRow:
    """A layer of a candidate (None: its whole network) with the means of its properties by key."""

    activation: str
    layer: str | None
    means: dict[str, float]


@dataclass(frozen=True)
class LayerTable:
    """The names of the properties by key, in the order of the columns, and a row per layer."""

    properties: dict[str, str]
    rows: tuple[LayerRow, ...]


def layer_table(slot: SlotName, verdict: Verdict) -> LayerTable:
    """Return the table of a slot, without rows where nothing was seen."""
    seen = [row for row in verdict.probes if row.slot == slot]
    means: dict[tuple[str, str | None], dict[str, float]] = {}
    for row in seen:
        means.setdefault((row.activation, row.layer), {})[row.key] = row.mean
    return LayerTable(
        {row.key: row.property_name for row in seen},
        tuple(LayerRow(activation, layer, found) for (activation, layer), found in means.items()),
    )
