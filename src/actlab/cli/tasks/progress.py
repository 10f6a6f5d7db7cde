"""Live progress of a run of tasks on standard error."""

from actlab.i18n import _
from actlab.records import Record
from actlab.studies.interface.progress import StudyProgress, duration


class TasksProgress(StudyProgress):
    """Watches a run of tasks: a live bar in a terminal, else a line now and then."""

    def describe(
        self, records: tuple[Record, ...], planned: int, seconds_left: float | None
    ) -> str:
        """Return which output layer was trained last, and the time left, in words."""
        parts = []
        if records and records[-1].output is not None:
            layer = records[-1].output
            parts.append(f"{layer.task}, {layer.head} + {layer.loss}")
        if seconds_left is not None and len(records) < planned:
            parts.append(_("{time} left").format(time=duration(seconds_left)))
        return ", ".join(parts) or _("the first output layers are training")
