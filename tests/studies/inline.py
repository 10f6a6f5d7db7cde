"""An executor that runs each task at once, in this process."""

import concurrent.futures
from collections.abc import Callable
from typing import Any


class Inline(concurrent.futures.Executor):
    """What `LocalProcesses` is, without processes; counts its tasks by function name."""

    def __init__(self, *_sizes: float) -> None:
        self.calls: list[str] = []

    def submit(  # the signature of the standard library's executors
        self, function: Callable[..., Any], /, *arguments: Any, **named: Any
    ) -> concurrent.futures.Future[Any]:
        self.calls.append(function.__name__)
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            future.set_result(function(*arguments, **named))
        except Exception as error:
            future.set_exception(error)
        return future


class Silent:
    """An observer that remembers how many records it was shown."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def on_records(self, records: tuple[Any, ...], planned: int) -> None:
        self.counts.append(len(records))
