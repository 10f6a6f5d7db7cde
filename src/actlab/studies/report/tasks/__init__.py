"""The page of a run of tasks: right and wrong output layers on the same seeds.

    from actlab.studies.report.tasks import TasksData, write_tasks

    write_tasks(Path("report.html"), data, "ko")

As every page it reads nothing but its arguments and asks for nothing when it is opened.
"""

from actlab.studies.report.tasks.page import render_tasks, write_tasks
from actlab.studies.report.tasks.rows import SettingSpreads, Spread, TasksData

__all__ = ["SettingSpreads", "Spread", "TasksData", "render_tasks", "write_tasks"]
