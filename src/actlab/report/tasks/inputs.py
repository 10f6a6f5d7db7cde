"""What the page of a run of tasks is drawn from."""

from dataclasses import dataclass
from datetime import datetime

from actlab.records import Environment, OutputLayer, Plan, Record


@dataclass(frozen=True)
class TasksData:
    """Everything that one page shows; the plan is that of a run of tasks.

    `right` holds the output layers that fit their tasks. `written` is the time that the page
    prints as its own.
    """

    plan: Plan
    environment: Environment
    records: tuple[Record, ...]
    right: frozenset[OutputLayer]
    written: datetime
