"""Local processes that run trials, one thread each.

An executor is anything with the interface of `concurrent.futures.Executor`. Here every worker is a
process with pipes of its own, so that nothing is shared that a lost worker could break: a killed
or hung process fails its own task alone and is replaced when the next task comes. (Pools with one
queue for all workers were tried: a worker killed at the wrong moment took the whole pool along.)
Workers end when their parent is gone, however it went.
"""

import concurrent.futures
import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from actlab.studies.executors.worker_process import WorkerProcess

Result = TypeVar("Result")


class LocalProcesses(concurrent.futures.Executor):
    """A number of `workers`; a task that takes longer than `limit` seconds is lost.

    `limit` is at first the `timeout`, and may be set for the tasks that are submitted next.

    The future of a task whose worker was killed, crashed or hung raises `WorkerLostError`.
    """

    def __init__(self, workers: int, timeout: float) -> None:
        self.limit = timeout
        self._workers = [WorkerProcess() for _worker in range(workers)]
        # The last one in is the first one out: it is warm, and where tasks come one at a time no
        # second process is started.
        self._idle: queue.LifoQueue[WorkerProcess] = queue.LifoQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="actlab-worker")

    def submit(
        self, function: Callable[..., Result], /, *arguments: Any, **named: Any
    ) -> "Future[Result]":
        """Run `function(*arguments, **named)` in a worker."""
        return self._threads.submit(self._run, self.limit, function, arguments, named)

    def _run(
        self,
        limit: float,
        function: Callable[..., Result],
        arguments: tuple[Any, ...],
        named: dict[str, Any],
    ) -> Result:
        worker = self._idle.get()
        try:
            answer: Result = worker.run(function, arguments, named, limit)
            return answer
        finally:
            self._idle.put(worker)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers: after their tasks, or at once with `cancel_futures`."""
        if cancel_futures:
            for worker in self._workers:
                worker.retire()
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        for worker in self._workers:
            worker.retire()
