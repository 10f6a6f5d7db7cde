"""Two contracts of an executor that trials can run on: its futures, and a worker that is killed.

`make` starts an executor with at least two workers; both functions shut down what they start.
"""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, wait
from contextlib import suppress

PATIENCE_SECONDS = 180.0
"""How long an answer is waited for; a cluster may have to start a worker first."""


def assert_futures(make: Callable[[], Executor]) -> None:
    """Raise AssertionError where an executor's futures are not those of `concurrent.futures`.

    Results come back whole, an error is raised where the result is asked for and spares the
    executor, callbacks are called, and tasks run in parallel in other processes.

    >>> from concurrent.futures import ProcessPoolExecutor
    >>> from multiprocessing import get_context
    >>> assert_futures(lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")))
    """
    executor = make()
    try:
        future = executor.submit(pow, 2, 3, mod=5)
        assert future.result(PATIENCE_SECONDS) == 3, "arguments and named ones arrive"
        seen: list[Future[bytes]] = []
        large = executor.submit(bytes, 5_000_000)
        large.add_done_callback(seen.append)
        assert large.result(PATIENCE_SECONDS) == bytes(5_000_000), "large results come back whole"
        error = executor.submit(divmod, 1, 0).exception(PATIENCE_SECONDS)
        assert isinstance(error, ZeroDivisionError), f"an error is raised as it is; got {error!r}"
        together = [executor.submit(time.sleep, 0.5) for _task in range(2)]
        assert not wait(together, PATIENCE_SECONDS).not_done, "tasks come to their end"
        process = executor.submit(os.getpid).result(PATIENCE_SECONDS)
        assert process != os.getpid(), "tasks run in processes of their own"
        assert seen == [large], "a callback is called once, with its future"
    finally:
        executor.shutdown()


def kill_own_process() -> None:
    """Kill the process that calls this."""
    os.kill(os.getpid(), signal.SIGKILL)


def assert_survives_a_killed_worker(make: Callable[[], Executor]) -> None:
    """Raise AssertionError where a killed process costs more than its own task.

    Executors of the standard library and loky break as a whole; actlab's own do not.
    """
    executor = make()
    try:
        slow = executor.submit(time.sleep, 2)
        killed = executor.submit(kill_own_process)
        error: BaseException | None = None
        with suppress(CancelledError):
            error = killed.exception(PATIENCE_SECONDS)
            assert error is not None, "the task of a killed process has no result"
        assert slow.exception(PATIENCE_SECONDS) is None, f"it costs its own task alone; {error!r}"
        later = [executor.submit(pow, 2, power) for power in range(4)]
        found = [future.result(PATIENCE_SECONDS) for future in later]
        assert found == [1, 2, 4, 8], "and later tasks find a worker"
    finally:
        executor.shutdown(cancel_futures=True)
