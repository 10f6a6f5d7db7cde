"""Where a study ran."""

from dataclasses import dataclass
from typing import Any, Literal

from actlab.records.plan import FORMAT_VERSION, Precision
from actlab.records.slot import Coverage, GatedWidth, NetworkHash


@dataclass(frozen=True)
class LayerRow:
    """One row of a network's layer table; multiply-adds are for the whole batch."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class NetworkSummary:
    """The layer table of a network, and its totals."""

    layers: tuple[LayerRow, ...]
    parameters: int
    multiply_adds: int
    batch_size: int


@dataclass(frozen=True)
class Environment:
    """Where a study ran: versions, machine, data and the command that started it.

    `pool` is how many rows there are to train and to choose on, None where that was not noted;
    `coverage` which of the network's activations are compared; `network_hash` is there for a
    network of the user's; `gated` says what width a gated candidate has for how many parameters.

    Of data of the user's own, `baseline` is what the best constant prediction, `constant`, reaches,
    `class_names` are the labels in the order of the classes, `divided_by` says what decides on the
    splits (group, time, split), and `unequal_inputs` has the smallest and the greatest size of an
    input where these are not `scaled`.
    """

    versions: dict[str, str]
    machine: dict[str, Any]
    fingerprint: str
    class_counts: dict[str, tuple[int, ...]]
    network: NetworkSummary
    precision: Precision
    device: Literal["cpu", "cuda"]
    command: str
    started: str
    pool: int | None = None
    coverage: Coverage | None = None
    network_hash: NetworkHash | None = None
    gated: tuple[GatedWidth, ...] = ()
    baseline: float | None = None
    constant: str = ""
    class_names: tuple[str, ...] = ()
    divided_by: str = ""
    scaled: bool = False
    unequal_inputs: tuple[float, float] | None = None
    format_version: int = FORMAT_VERSION
