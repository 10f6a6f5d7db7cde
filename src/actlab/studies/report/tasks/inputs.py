"""What the page of a run of tasks is drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from actlab.records import (
    Claim,
    Environment,
    OutputLayer,
    OutputSetting,
    Plan,
    ProtocolName,
    Record,
    TaskName,
)
from actlab.studies.report.inputs import FindingText


@dataclass(frozen=True)
class Spread:
    """The mean of a figure over the seeds with its 95 % interval; None ends where there is none."""

    mean: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class SettingSpreads:
    """The figures of a setting on valid_epoch and on the test split; None without a training."""

    valid: Spread | None = None
    test: Spread | None = None


@dataclass(frozen=True)
class TasksData:
    """Everything that one page shows; the plan is that of a run of tasks.

    `right` holds the output layers that fit their tasks. `written` is the time that the page
    prints as its own. `published` has the figures (valid, test) that are comparable with this
    run's, `claims` the judged claims of each protocol, `findings` what the checker found in a
    setting, None where it did not run. `targets` counts the test images by their target: by value,
    for several labels, whose names are `labels`, by how many of them are true.
    """

    plan: Plan
    environment: Environment
    records: tuple[Record, ...]
    right: frozenset[OutputLayer]
    written: datetime
    spreads: Mapping[OutputSetting, SettingSpreads] = field(default_factory=dict)
    published: Mapping[OutputLayer, tuple[float, float]] = field(default_factory=dict)
    claims: Mapping[ProtocolName, tuple[Claim, ...]] = field(default_factory=dict)
    findings: Mapping[OutputSetting, tuple[FindingText, ...]] | None = None
    targets: Mapping[TaskName, Mapping[float, int]] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
