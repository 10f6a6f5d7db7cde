"""Training a list of trials, some at a time, each to its record."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

from actlab.records import Record, Trial
from actlab.studies.attempts import outcome


def train_all(
    executor: Executor,
    trials: Iterable[Trial],
    workers: int,
    train: Callable[..., tuple[bytes, Record]],
) -> Iterator[tuple[Record, bytes]]:
    """Yield record and weights of every trial, as they come; `workers` of them `train` at a time.

    A trial whose worker is lost is started again, and recorded as failed in the end. Raises
    ActlabError where data or device are not there.
    """
    waiting = deque((trial, 1) for trial in trials)
    flights: dict[Future[tuple[bytes, Record]], tuple[Trial, int]] = {}
    while waiting or flights:
        while waiting and len(flights) < workers:
            trial, attempt = waiting.popleft()
            flights[executor.submit(train, trial, None, None)] = (trial, attempt)
        done, _pending = wait(flights, return_when=FIRST_COMPLETED)
        for future in done:
            trial, attempt = flights.pop(future)
            landed = outcome(future, trial, attempt)
            if landed is None:
                waiting.appendleft((trial, attempt + 1))
            else:
                state, record = landed
                yield record, state
