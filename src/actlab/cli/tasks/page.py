"""The page of a run of tasks, from its run folder."""

from datetime import UTC, datetime
from pathlib import Path

from actlab.errors import ActlabError
from actlab.i18n import _
from actlab.studies.run_folder import RunFolder


def write_tasks_report(folder: RunFolder, target: Path, language: str) -> None:
    """Write the page of a run of tasks to `target`."""
    from actlab.report.tasks import TasksData, write_tasks
    from actlab.tasks import TASKS, right_output

    environment = folder.environment()
    if environment is None:
        message = _("The run in {path} has not begun to train; there is nothing to draw yet.")
        raise ActlabError(message.format(path=folder.path))
    data = TasksData(
        plan=folder.plan(),
        environment=environment,
        records=folder.task_records(),
        right=frozenset(right_output(task.name) for task in TASKS),
        written=datetime.now(UTC),
    )
    try:
        write_tasks(target, data, language)
    except OSError as error:
        message = _("The page {path} cannot be written: {reason}. Choose another -o.")
        raise ActlabError(message.format(path=target, reason=error.strerror)) from None
