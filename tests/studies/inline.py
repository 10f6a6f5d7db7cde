"""An executor that runs each task at once, in this process."""

import concurrent.futures
from collections.abc import Callable
from typing import Any

from actlab.studies.executors.in_process import InThisProcess


class Inline(InThisProcess):
    """Runs tasks in this process and counts them by function name."""

    def __init__(self, *_sizes: float) -> None:
        super().__init__()
        self.calls: list[str] = []

    def submit(
        self, function: Callable[..., Any], /, *arguments: Any, **named: Any
    ) -> concurrent.futures.Future[Any]:
        self.calls.append(function.__name__)
        return super().submit(function, *arguments, **named)


class Silent:
    """An observer that remembers how many records it was shown."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def on_records(self, records: tuple[Any, ...], planned: int) -> None:
        self.counts.append(len(records))
