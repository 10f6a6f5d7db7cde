"""The page of a run of tasks, from its run folder."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from actlab.errors import writing
from actlab.records import (
    Claim,
    Environment,
    OutputLayer,
    OutputSetting,
    Plan,
    ProtocolName,
    TaskName,
)
from actlab.studies.run_folder import RunFolder
from actlab.studies.tasks.run import records_of, tasks_of, test_figure, valid_figure

if TYPE_CHECKING:
    from actlab.studies.report import FindingText
    from actlab.studies.report.tasks import SettingSpreads, Spread

_SHOWN = {"error", "warning"}


def write_tasks_report(
    folder: RunFolder,
    target: Path,
    language: str,
    claims: Mapping[ProtocolName, tuple[Claim, ...]],
    published: Mapping[OutputLayer, tuple[float, float]],
) -> None:
    """Write the page of a run of tasks to `target`.

    `claims` are judged by this run, `published` has (validation, test) figures to compare with its
    own.
    """
    from actlab.data.targets import LABELS
    from actlab.studies.report.tasks import TasksData, write_tasks
    from actlab.studies.tasks import right_output
    from actlab.tasks import TASKS

    environment = folder.known_environment()
    plan = folder.plan()
    has_targets = plan.data.targets is not None
    data = TasksData(
        plan=plan,
        environment=environment,
        records=folder.task_records(),
        right=frozenset(right_output(task.name) for task in TASKS),
        written=datetime.now(UTC),
        spreads=_spreads(folder, plan),
        published=published,
        claims=claims,
        findings=_findings(folder, plan),
        targets={} if has_targets else _targets(environment),
        labels=_numbered(folder) if has_targets else tuple(LABELS),
    )
    with writing(target, "-o"):
        write_tasks(target, data, language)


def _numbered(folder: RunFolder) -> tuple[str, ...]:
    """Return numbers as the names of labels that nobody named."""
    figures = [record.figures for record in folder.task_records() if record.figures]
    most = max((len(found.summary.labels) for found in figures), default=0)
    return tuple(str(number) for number in range(most))


def _spreads(folder: RunFolder, plan: Plan) -> "dict[OutputSetting, SettingSpreads]":
    from actlab.studies.report.tasks import SettingSpreads

    records = folder.task_records()
    splits = plan.data.splits
    found = {}
    for setting in tasks_of(plan).settings:
        own = records_of(plan, setting, records)
        steps = (1.0 / splits.valid_epoch, 1.0 / splits.test)
        if setting.output.task == "regression":
            steps = (0.0, 0.0)
        found[setting] = SettingSpreads(
            spread([valid_figure(record) for record in own], steps[0]),
            spread([test_figure(record) for record in own], steps[1]),
        )
    return found


def spread(values: "Sequence[float | None]", step: float) -> "Spread | None":
    """Return mean and 95 % interval of the figures that there are; None without one.

    `step` is the distance of two neighbouring values. A single figure, and one that is infinite,
    has no interval.
    """
    from actlab.studies.report.tasks import Spread
    from actlab.verdicts import student_t_interval

    known = [value for value in values if value is not None]
    if not known:
        return None
    if len(known) == 1 or not all(math.isfinite(value) for value in known):
        return Spread(sum(known) / len(known))
    found = student_t_interval(known, resolution=step)
    return Spread(found.estimate, found.low, found.high)


def _findings(
    folder: RunFolder, plan: Plan
) -> "dict[OutputSetting, tuple[FindingText, ...]] | None":
    """Return errors and warnings by setting; what is merely worth knowing stays in the file."""
    from actlab.studies.report import FindingText

    found = folder.findings()
    if found is None:
        return None
    return {
        setting: tuple(
            FindingText(
                code=finding["code"],
                severity=finding["severity"],
                message=f"{finding['message']}: {finding['proof']}",
            )
            for finding in found
            if finding["setting"] == asdict(setting) and finding["severity"] in _SHOWN
        )
        for setting in tasks_of(plan).settings
    }


def _targets(environment: Environment) -> dict[TaskName, Mapping[float, int]]:
    """Return the test images counted by target, and for multilabel by the number of true labels."""
    import numpy as np

    from actlab.data.targets import target_of_digits

    counts = np.asarray(environment.class_counts["test"])
    digits = np.arange(len(counts))
    by_task: dict[TaskName, Mapping[float, int]] = {}
    names: tuple[TaskName, ...] = ("regression", "probability", "multilabel")
    for name in names:
        found: Counter[float] = Counter()
        values = target_of_digits(name, digits).sum(axis=1)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            found[value] += count
        by_task[name] = dict(sorted(found.items()))
    return by_task
