"""Training a list of trials, some at a time, each to its record."""

from collections import deque
from collections.abc import Iterable, Iterator

from actlab.records import Record, Trial
from actlab.studies.executors.dispatch import Dispatch, Training
from actlab.studies.executors.retries import outcome


def train_all(dispatch: Dispatch, trials: Iterable[Trial]) -> Iterator[tuple[Record, bytes]]:
    """Yield record and weights of every trial, as they come.

    A trial whose worker is lost is started again, and recorded as failed in the end. Raises
    ActlabError where data or device are not there.
    """
    waiting = deque(trials)
    flights: dict[Training, tuple[Trial, int]] = {}
    while waiting or flights:
        room = min(dispatch.at_once - len(flights), len(waiting))
        fresh = [waiting.popleft() for _place in range(room)]
        for trial, future in zip(fresh, dispatch.start(fresh), strict=True):
            flights[future] = (trial, 1)
        for future in dispatch.landed(tuple(flights)):
            trial, attempt = flights.pop(future)
            landed = outcome(future, trial, attempt)
            if landed is None:
                flights[dispatch.again(trial)] = (trial, attempt + 1)
            else:
                state, record = landed
                yield record, state
