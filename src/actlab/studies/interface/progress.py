"""Live progress of a study on standard error: trials done, time left, best so far."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from actlab.i18n import _, process_language, translation
from actlab.pages.words import setting_words
from actlab.records import FittedSampler, Record, Stage, best_record
from actlab.studies.confirm.remaining import trainings_left
from actlab.studies.executors.dispatch import worker_count
from actlab.studies.run_folder import RunFolder
from actlab.text import process_formatter, significant

_LINE_EVERY_SECONDS = 15.0

_BEST_FROM_WIDTH = 90
"""A terminal as wide as this has room for the best setting, too."""

TRAININGS_PER_WORKER = 3
"""So many trainings have to end for each worker before the time that is left means something."""


class Pace:
    """How long trainings take in this session, by the clock; nothing before it means something.

    The clock runs from the first count on, so that the first trainings, which also start the
    workers, weigh less with every one that ends.
    """

    def __init__(self, workers: int) -> None:
        self._needed = TRAININGS_PER_WORKER * max(workers, 1)
        self._begun: tuple[float, int] | None = None

    def seconds_left(self, now: float, ended: int, left: int) -> float | None:
        """Return the seconds that `left` trainings take where `ended` have ended by now.

        >>> pace = Pace(workers=1)
        >>> [pace.seconds_left(10.0 * n, ended=n, left=9 - n) for n in range(5)]
        [None, None, None, 60.0, 50.0]
        """
        if self._begun is None:
            self._begun = (now, ended)
        began, had = self._begun
        if ended - had < self._needed:
            return None
        return (now - began) / (ended - had) * left


class StudyProgress:
    """Watches a search and its confirmation: a live bar in a terminal, else a line now and then.

    With the study's `folder` it knows the phases that are still to come.
    """

    def __init__(self, folder: RunFolder | None = None, console: Console | None = None) -> None:
        self._folder = folder
        self._console = console or Console(stderr=True)
        self._live = self._console.is_terminal
        # Count and time come first and are never cut; the best setting goes where there is room.
        self._bar = Progress(
            TextColumn("{task.fields[count]}", table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[left]}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None if self._console.width >= _BEST_FROM_WIDTH else 10),
            TextColumn(
                "{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")
            ),
            console=self._console,
            disable=not self._live,
            expand=self._console.width >= _BEST_FROM_WIDTH,
        )
        self._task = self._bar.add_task("", total=1, count=_("starting"), left="")
        self._pace = Pace(self._workers())
        self._last_line = 0.0

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
        left = self._seconds_left(len(records), planned - len(records))
        self._show(len(records), planned, self._step(1), left, self.describe(records))

    def describe(self, records: tuple[Record, ...]) -> str:
        """Return what is shown with count and time."""
        return describe(records)

    def on_replicates(self, stage: Stage, done: int, planned: int) -> None:
        """Show how far a stage of the confirmation is."""
        text = _("choosing settings") if stage == "choose" else _("training on new seeds")
        step = self._step(2 if stage == "choose" else self._steps())
        self._show(done, planned, step, self._seconds_left(done, planned - done), text)

    def _show(self, done: int, planned: int, step: str, left: float | None, text: str) -> None:
        count = f"{done}/{planned}" + (f" {step}" if step else "")
        time_left = "" if left is None or left <= 0 else _("{time} left").format(time=_time(left))
        shown = text if self._console.width >= _BEST_FROM_WIDTH else ""
        self._bar.update(
            self._task,
            completed=done,
            total=planned,
            description=shown,
            count=count,
            left=time_left,
        )
        line = ", ".join(part for part in (count, time_left, text) if part)
        self._line(line, is_last=done == planned)

    def _line(self, text: str, *, is_last: bool) -> None:
        now = time.monotonic()
        if not self._live and (is_last or now - self._last_line >= _LINE_EVERY_SECONDS):
            self._last_line = now
            print(text, file=sys.stderr)

    def _step(self, number: int) -> str:
        """Return which of the phases this is, nothing where there is only one."""
        if self._folder is None or not self._seeds():
            return ""
        return _("(step {number} of {steps})").format(number=number, steps=self._steps())

    def _steps(self) -> int:
        """Return how many phases there are: a `FittedSampler` trains none to choose settings by."""
        fitted = self._folder is not None and isinstance(self._folder.plan().sampler, FittedSampler)
        return 2 if fitted else 3

    def _seeds(self) -> int:
        assert self._folder is not None, "a study has a folder"
        asked = self._folder.confirmation()
        return max(self._folder.plan().replicates, asked.seeds if asked is not None else 0)

    def _workers(self) -> int:
        plan = None if self._folder is None else self._folder.plan()
        return 1 if plan is None else worker_count(plan, plan.trials)

    def _seconds_left(self, done: int, waiting: int) -> float | None:
        """Return the seconds that all phases take from here, None where it cannot be told yet."""
        ended, left = done, waiting
        if self._folder is not None:
            records = self._folder.all_records()
            ended = len(records)
            left = trainings_left(self._folder.plan(), records, self._folder.confirmation())
        return self._pace.seconds_left(time.monotonic(), ended, left)


def describe(records: tuple[Record, ...]) -> str:
    """Return the best so far, in words."""
    best = best_record(records)
    if best is None or best.valid_metric is None:
        return _("first trials are training")
    return _("best {accuracy} ({activations})").format(
        accuracy=process_formatter().percent(best.valid_accuracy)
        if best.valid_accuracy is not None
        else significant(best.valid_metric, 5),
        activations=setting_words(best.setting, translation(process_language())),
    )


def _time(seconds: float) -> str:
    """Return a length of time as exactly as an estimate is: to about a twentieth."""
    step = 1 if seconds < 20 else 5 if seconds < 120 else 15 if seconds < 600 else 60
    return duration(step * round(seconds / step))


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
