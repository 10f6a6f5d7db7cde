"""The five tasks as values: what the target is, and the head, loss and metric that fit it."""

from actlab.tasks.definitions import TASKS, Task, task

__all__ = ["TASKS", "Task", "task"]
