"""Jobs that are asked whether they are done, as futures."""

from collections.abc import Callable
from concurrent.futures import wait
from typing import Any

import pytest

from actlab.studies.executors.on_submitit import SubmititExecutor


class Job:
    """A job as submitit has it: done when it is asked for the third time."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call, self._asked, self.is_cancelled = call, 0, False

    def done(self) -> bool:
        self._asked += 1
        return self._asked > 2 or self.is_cancelled

    def result(self) -> Any:
        return self._call()

    def cancel(self) -> None:
        self.is_cancelled = True


class Jobs:
    """An executor as submitit has it."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def submit(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Job:
        self.jobs.append(Job(lambda: function(*arguments, **named)))
        return self.jobs[-1]


def test_results_errors_and_callbacks() -> None:
    executor, seen = SubmititExecutor(Jobs(), tick=0.01), []
    good = executor.submit(pow, 2, 3, mod=5)
    bad = executor.submit(divmod, 1, 0)
    good.add_done_callback(seen.append)
    assert good.result(5) == 3
    assert isinstance(bad.exception(5), ZeroDivisionError)
    assert seen == [good]
    later = [executor.submit(pow, 2, power) for power in range(3)]
    assert not wait(later, 5).not_done
    assert [future.result() for future in later] == [1, 2, 4]
    executor.shutdown()


def test_jobs_are_cancelled_with_the_executor() -> None:
    jobs = Jobs()
    executor = SubmititExecutor(jobs, tick=0.01)
    future = executor.submit(pow, 2, 3)
    executor.shutdown(cancel_futures=True)
    assert jobs.jobs[0].is_cancelled
    assert future.done()


@pytest.mark.parametrize("attempt", range(3))
def test_a_watch_that_ended_begins_again(attempt: int) -> None:
    executor = SubmititExecutor(Jobs(), tick=0.0)
    for number in range(5):
        assert executor.submit(pow, number, 2).result(5) == number**2, attempt
