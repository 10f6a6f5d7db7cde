"""Local processes that run trials, one thread each.

An executor is anything with the interface of `concurrent.futures.Executor`. This one keeps a lost
worker's damage to its own task: a killed or hung process fails its own future alone and is
replaced. Workers end when their parent is gone, however it went.
"""

import concurrent.futures
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

Result = TypeVar("Result")

WORKER_LOST = (ProcessExpired, concurrent.futures.TimeoutError)
"""What a future raises whose worker was killed, crashed or hung."""


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


class LocalProcesses(concurrent.futures.Executor):
    """A pool of `workers` processes; a task that takes longer than `timeout` seconds is lost."""

    def __init__(self, workers: int, timeout: float) -> None:
        self._timeout = timeout
        self._pool = ProcessPool(
            max_workers=workers,
            initializer=_start_worker,
            context=multiprocessing.get_context("spawn"),
        )

    def submit(
        self, function: Callable[..., Result], /, *arguments: Any, **named: Any
    ) -> "Future[Result]":
        """Run `function(*arguments, **named)` in a worker."""
        future: Future[Result] = self._pool.submit(function, self._timeout, *arguments, **named)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers: after their tasks, or at once with `cancel_futures`."""
        if cancel_futures:
            self._pool.stop()
        else:
            self._pool.close()
        if wait:
            self._pool.join()


def _start_worker() -> None:
    # Ctrl-C reaches the whole process group; only the driver decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    from actlab import worker

    worker.initialise()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
