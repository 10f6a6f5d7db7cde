"""Live progress of a study on standard error: trials done, best so far, time left."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from actlab.i18n import _
from actlab.records import Record, Stage, best_record
from actlab.text import process_formatter

_LINE_EVERY_SECONDS = 15.0


class StudyProgress:
    """Watches a search and its confirmation: a live bar in a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._live = self._console.is_terminal
        self._bar = Progress(
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            BarColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._live,
        )
        self._task = self._bar.add_task(_("starting"), total=1)
        self._begun: tuple[float, int] | None = None
        self._last_line = 0.0
        self._stage: Stage = "search"

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def on_records(self, records: tuple[Record, ...], planned: int) -> None:
        """Show the records so far."""
        now = time.monotonic()
        if self._begun is None:
            self._begun = (now, len(records))
        text = self.describe(records, planned, self._seconds_left(now, len(records), planned))
        self._bar.update(self._task, completed=len(records), total=planned, description=text)
        self._line(f"{len(records)}/{planned} {text}", now, is_last=len(records) == planned)

    def describe(
        self, records: tuple[Record, ...], planned: int, seconds_left: float | None
    ) -> str:
        """Return what is shown with the count."""
        return describe(records, planned, seconds_left)

    def on_replicates(self, stage: Stage, done: int, planned: int) -> None:
        """Show how far a stage of the confirmation is."""
        now = time.monotonic()
        if self._stage != stage:
            self._stage, self._begun = stage, (now, done)
        left = self._seconds_left(now, done, planned)
        text = _("choosing settings") if stage == "choose" else _("training on new seeds")
        if left is not None and done < planned:
            text += ", " + _("{time} left").format(time=duration(left))
        self._bar.update(self._task, completed=done, total=planned, description=text)
        self._line(f"{done}/{planned} {text}", now, is_last=done == planned)

    def _line(self, text: str, now: float, *, is_last: bool) -> None:
        due = is_last or now - self._last_line >= _LINE_EVERY_SECONDS
        if not self._live and due:
            self._last_line = now
            print(text, file=sys.stderr)

    def _seconds_left(self, now: float, done: int, planned: int) -> float | None:
        if self._begun is None:
            return None
        began, had = self._begun
        if done == had:
            return None
        return (now - began) / (done - had) * (planned - done)


def describe(records: tuple[Record, ...], planned: int, seconds_left: float | None) -> str:
    """Return the best so far and the time left, in words."""
    best = best_record(records)
    parts = []
    if best is not None and best.valid_accuracy is not None:
        parts.append(
            _("best {accuracy} (conv {conv}, fc {fc})").format(
                accuracy=process_formatter().percent(best.valid_accuracy),
                conv=best.setting.conv_activation,
                fc=best.setting.fc_activation,
            )
        )
    if seconds_left is not None and len(records) < planned:
        parts.append(_("{time} left").format(time=duration(seconds_left)))
    return ", ".join(parts) or _("first trials are training")


def duration(seconds: float) -> str:
    """Return a length of time as a person says it.

    >>> duration(75), duration(4000)
    ('1 min 15 s', '1 h 6 min')
    """
    whole = round(seconds)
    if whole < 60:
        return _("{s} s").format(s=whole)
    if whole < 3600:
        return _("{m} min {s} s").format(m=whole // 60, s=whole % 60)
    return _("{h} h {m} min").format(h=whole // 3600, m=whole % 3600 // 60)
