"""The rows of a run of tasks: what each setting reached on all of its seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

from actlab.records import Outcome, OutputSetting, Record
from actlab.report.tasks.inputs import TasksData


@dataclass(frozen=True)
class TaskRow:
    """One setting; `records` are those that there are, seed by seed."""

    setting: OutputSetting
    right: bool
    records: tuple[Record, ...]

    @property
    def valid(self) -> tuple[float, ...]:
        """Return the figures on valid_epoch of the completed trainings."""
        figures = (record.valid_metric for record in self.completed)
        return tuple(figure for figure in figures if figure is not None)

    @property
    def test(self) -> tuple[float, ...]:
        """Return the figures on the test split of the completed trainings."""
        return tuple(record.figures.test for record in self.completed if record.figures)

    @property
    def completed(self) -> tuple[Record, ...]:
        """Return the records of trainings that completed."""
        return tuple(record for record in self.records if record.outcome is Outcome.COMPLETED)


def mean(values: Sequence[float]) -> float | None:
    """Return the mean, None of nothing.

    >>> mean([1.0, 2.0]), mean([])
    (1.5, None)
    """
    return sum(values) / len(values) if values else None


def task_rows(data: TasksData) -> dict[str, tuple[TaskRow, ...]]:
    """Return the rows of each task, in the order of the plan."""
    assert data.plan.tasks is not None, "the page is that of a run of tasks"
    rows: dict[str, list[TaskRow]] = {}
    for setting in data.plan.tasks.settings:
        own = tuple(record for record in data.records if _is_of(record, setting))
        row = TaskRow(setting, setting.output in data.right, own)
        rows.setdefault(setting.output.task, []).append(row)
    return {task: tuple(own) for task, own in rows.items()}


def _is_of(record: Record, setting: OutputSetting) -> bool:
    return (
        record.output == setting.output
        and record.protocol.name == setting.protocol
        and record.setting.fc_activation == setting.fc_activation
    )
