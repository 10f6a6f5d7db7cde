"""What the page of a run of tasks is drawn from, and its rows: a setting on all of its seeds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from actlab.records import (
    Claim,
    Environment,
    Outcome,
    OutputFigures,
    OutputLayer,
    OutputSetting,
    Plan,
    ProtocolName,
    Record,
    TaskName,
)
from actlab.studies.report.inputs import FindingText
from actlab.text import Formatter


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


@dataclass(frozen=True)
class TaskRow:
    """One setting; `records` are those that there are, seed by seed.

    `findings` are the checker's errors and warnings, None where it did not run.
    """

    setting: OutputSetting
    right: bool
    records: tuple[Record, ...]
    spreads: SettingSpreads
    published: tuple[float, float] | None
    findings: tuple[FindingText, ...] | None

    @property
    def completed(self) -> tuple[Record, ...]:
        """Return the records of trainings that completed."""
        return tuple(record for record in self.records if record.outcome is Outcome.COMPLETED)

    @property
    def figures(self) -> tuple[OutputFigures, ...]:
        """Return what the completed trainings do on the test split."""
        return tuple(record.figures for record in self.completed if record.figures is not None)


def task_rows(data: TasksData) -> dict[str, tuple[TaskRow, ...]]:
    """Return the rows of each task, in the order of the plan."""
    assert data.plan.tasks is not None, "the page is that of a run of tasks"
    rows: dict[str, list[TaskRow]] = {}
    for setting in data.plan.tasks.settings:
        rows.setdefault(setting.output.task, []).append(_row(data, setting))
    return {task: tuple(own) for task, own in rows.items()}


def layer_label(layer: OutputLayer, form: Formatter) -> str:
    """Return head and loss, and the form of the target where there are two.

    >>> from gettext import NullTranslations
    >>> layer = OutputLayer("regression", "none", "mse", "raw")
    >>> layer_label(layer, Formatter(NullTranslations()))
    'none + mse, raw'
    """
    _ = form.translations.gettext
    words = {None: "", "raw": _("raw"), "standardised": _("standardised")}
    form_of_target = words[layer.target]
    return f"{layer.head} + {layer.loss}" + (f", {form_of_target}" if form_of_target else "")


def setting_label(setting: OutputSetting, form: Formatter) -> str:
    """Return the label of a setting, with the hidden activation where that is not the usual one."""
    _ = form.translations.gettext
    label = layer_label(setting.output, form)
    if setting.fc_activation == "sigmoid":
        return label
    return _("{layer}, behind {hidden}").format(layer=label, hidden=setting.fc_activation)


def _row(data: TasksData, setting: OutputSetting) -> TaskRow:
    return TaskRow(
        setting=setting,
        right=setting.output in data.right,
        records=tuple(record for record in data.records if _is_of(record, setting)),
        spreads=data.spreads.get(setting, SettingSpreads()),
        published=data.published.get(setting.output) if setting.published else None,
        findings=None if data.findings is None else data.findings.get(setting, ()),
    )


def _is_of(record: Record, setting: OutputSetting) -> bool:
    return (
        record.output == setting.output
        and record.protocol.name == setting.protocol
        and record.setting.fc_activation == setting.fc_activation
    )
