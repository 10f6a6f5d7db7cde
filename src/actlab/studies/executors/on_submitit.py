"""Jobs of submitit (Slurm, or processes of this machine) as futures of `concurrent.futures`."""

import concurrent.futures
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")

TICK_SECONDS = 1.0
"""How often jobs are asked whether they have ended."""


class SubmititExecutor(concurrent.futures.Executor):
    """An executor of submitit, which has jobs where others have futures.

    A future has the result of its job, or raises what submitit raises: also for a job that was
    killed, ran out of time or never came back. Submitit's folder must be there for the jobs.
    """

    def __init__(self, executor: Any, tick: float = TICK_SECONDS) -> None:
        self._executor = executor
        self._tick = tick
        self._jobs: dict[Future[Any], Any] = {}
        self._lock = threading.Lock()
        self._watching: threading.Thread | None = None

    def submit(
        self, function: Callable[..., Result], /, *arguments: Any, **named: Any
    ) -> "Future[Result]":
        """Submit `function(*arguments, **named)` as a job."""
        job = self._executor.submit(function, *arguments, **named)
        future: Future[Result] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            self._jobs[future] = job
            if self._watching is None:
                self._watching = threading.Thread(target=self._watch, daemon=True)
                self._watching.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Cancel the jobs under way with `cancel_futures`, else wait for them."""
        with self._lock:
            jobs = dict(self._jobs)
        if cancel_futures:
            for job in jobs.values():
                job.cancel()
        if wait:
            concurrent.futures.wait(jobs)

    def _watch(self) -> None:
        """Settle the futures of the jobs that have ended, until there are none."""
        while True:
            with self._lock:
                jobs = dict(self._jobs)
                if not jobs:
                    self._watching = None
                    return
            for future, job in jobs.items():
                if job.done():
                    _settle(future, job)
                    with self._lock:
                        del self._jobs[future]
            time.sleep(self._tick)


def _settle(future: Future[Any], job: Any) -> None:
    try:
        result = job.result()
    except Exception as error:  # whatever the function or submitit raises
        future.set_exception(error)
    else:
        future.set_result(result)
