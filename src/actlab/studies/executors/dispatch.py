"""How trials are handed to workers, started again where a worker is lost, and come to a record.

Each trial goes to one worker, or many go to one at once to train in lock-step; either way every
trial has a future of its own, and one whose worker was lost is started again by itself.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace
from importlib.metadata import version
from typing import Any, TypeVar
from typing import Protocol as Interface

from actlab.addresses import UserCodeError
from actlab.errors import ActlabError, EngineError
from actlab.i18n import _
from actlab.records import Environment, Plan, Record, TpeSampler, Trial, failed_record
from actlab.studies import worker
from actlab.studies.executors.cluster import ClusterExecutor
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.executors.worker_process import WorkerLostError
from actlab.studies.worker.environment import available_cores

Result = TypeVar("Result")

ATTEMPTS = 3


def worker_count(plan: Plan, trainings: int) -> int:
    """Return how many workers train: as many as cores, unless the plan says otherwise."""
    return min(plan.execution.workers or available_cores(), trainings)


def persist(
    executor: Executor,
    function: Callable[..., Result],
    *arguments: Any,
    meanwhile: Callable[[], None] | None = None,
) -> Result:
    """Return `function(*arguments)` from a worker, started again where the worker is lost.

    `meanwhile` is done here, as soon as the worker has begun. Raises EngineError where the last
    attempt is lost, too.
    """
    lost: WorkerLostError | None = None
    for _attempt in range(ATTEMPTS):
        try:
            future = executor.submit(function, *arguments)
            if meanwhile is not None:
                meanwhile()
            return future.result()
        except WorkerLostError as error:
            lost = error
    message = _("A worker must come back with an answer; {times} were lost: {reason}.")
    raise EngineError(message.format(times=ATTEMPTS, reason=lost))


def outcome(
    future: Future[tuple[bytes, Record]], trial: Trial, attempt: int
) -> tuple[bytes, Record] | None:
    """Return state and record of a training that is done; None where it is to be started again.

    A training whose last attempt is lost, or that raises, fails alone: its record says why. What
    the user has to put right (ActlabError) is raised.
    """
    try:
        return future.result()
    except WorkerLostError as error:
        if attempt < ATTEMPTS:
            return None
        reason = _("its worker was lost {times} times; the last time: {error}")
        return b"", _failed(trial, reason.format(times=ATTEMPTS, error=error))
    except UserCodeError as error:
        return b"", _failed(trial, str(error))
    except ActlabError:
        raise
    except Exception as error:  # the trial fails alone; its record says why
        return b"", _failed(trial, f"{type(error).__name__}: {error}")


def _failed(trial: Trial, reason: str) -> Record:
    return failed_record(trial, reason, version("actlab"))


Training = Future[tuple[bytes, Record]]
Train = Callable[..., tuple[bytes, Record]]
TrainMany = Callable[[tuple[Trial, ...]], list[tuple[bytes, Record]]]


class Dispatch(Interface):
    """Hands trials to workers."""

    @property
    def at_once(self) -> int:
        """How many trials are under way at a time."""

    def sampling(self, plan: Plan) -> Plan:
        """Return the plan with the sampler's options that this way of training needs."""

    def start(self, trials: Sequence[Trial], until_epoch: int | None = None) -> list[Training]:
        """Start trials, to the end of their first segment; return a future for each."""

    def again(
        self, trial: Trial, state: bytes | None = None, until_epoch: int | None = None
    ) -> Training:
        """Go on with a trial from a state, or start it once more where there is none."""

    def completed(self, pending: Sequence[Training]) -> list[Training]:
        """Wait until it is time to look; return the futures that are done."""


class SegmentLimit:
    """How many seconds a segment of a training may take before its worker counts as hung.

    It follows the slowest epoch that was measured: SLACK times as long for every epoch that the
    segment can have, at least FEWEST_SECONDS, and never more than the plan allows a trial. Where a
    training has no last epoch, it can have SLACK times as many as the longest so far.

    >>> limit = SegmentLimit(3600.0)
    >>> limit.seconds(epochs=5)
    3600.0
    >>> limit.note(epochs=8, slowest=2.0)
    >>> limit.seconds(epochs=5), limit.seconds(epochs=None)
    (100.0, 1600.0)
    """

    SLACK = 10
    FEWEST_SECONDS = 60.0

    def __init__(self, most: float) -> None:
        self._most = most
        self._slowest, self._longest = 0.0, 0

    def note(self, epochs: int, slowest: float) -> None:
        """Take how many epochs a training had so far, and the seconds of its slowest."""
        self._slowest = max(self._slowest, slowest)
        self._longest = max(self._longest, epochs)

    def seconds(self, epochs: int | None) -> float:
        """Return the limit for a segment of at most so many epochs; None: of any number."""
        if not self._longest:
            return self._most
        expected = self._slowest * (epochs or self.SLACK * self._longest)
        return min(self._most, max(self.FEWEST_SECONDS, self.SLACK * expected))


class OneByOne:
    """Each trial alone in a worker; a new one starts as soon as one ends.

    `workers` is how many train at a time; None: as many as the engine has places for, which may
    change while it runs.
    """

    def __init__(self, executor: Executor, workers: int | None, train: Train | None = None) -> None:
        self._executor, self._workers = executor, workers
        self._train = train or worker.train
        self._limit = SegmentLimit(getattr(executor, "limit", float("inf")))

    @property
    def at_once(self) -> int:
        """How many trials are under way at a time."""
        if self._workers is None:
            assert isinstance(self._executor, ClusterExecutor)
            return self._executor.capacity()
        return self._workers

    def sampling(self, plan: Plan) -> Plan:
        """Return the plan as it is."""
        return plan

    def start(self, trials: Sequence[Trial], until_epoch: int | None = None) -> list[Training]:
        """Hand each trial to a worker."""
        return [self.again(trial, None, until_epoch) for trial in trials]

    def again(
        self, trial: Trial, state: bytes | None = None, until_epoch: int | None = None
    ) -> Training:
        """Hand a trial to a worker."""
        if isinstance(self._executor, ClusterExecutor | LocalProcesses):
            self._executor.limit = self._limit.seconds(until_epoch or trial.protocol.max_epochs)
        training = self._executor.submit(self._train, trial, state, until_epoch)
        training.add_done_callback(self._measure)
        return training

    def _measure(self, training: Training) -> None:
        """Learn from a segment that ended how long one may take."""
        if not training.cancelled() and training.exception() is None:
            _state, record = training.result()
            if record.curve:
                slowest = max(epoch.seconds for epoch in record.curve)
                self._limit.note(len(record.curve), slowest)

    def completed(self, pending: Sequence[Training]) -> list[Training]:
        """Wait for the first that is done."""
        return _done(pending, FIRST_COMPLETED)


class Populations(OneByOne):
    """As many trials as `together` in one worker, in lock-step; the next when all have ended.

    Where the engine has several places, each has a population of its own.
    """

    def __init__(
        self,
        executor: Executor,
        together: int,
        train: Train | None = None,
        train_many: TrainMany | None = None,
    ) -> None:
        super().__init__(executor, together, train)
        self._together = together
        self._train_many = train_many or worker.train_many

    @property
    def at_once(self) -> int:
        """How many trials are under way at a time."""
        places = self._executor.capacity() if isinstance(self._executor, ClusterExecutor) else 1
        return self._together * places

    def sampling(self, plan: Plan) -> Plan:
        """Return the plan with a sampler that reckons with the trials under way.

        Many settings are asked for before the first has a result; without the constant liar
        they would crowd around the same place.
        """
        if not isinstance(plan.sampler, TpeSampler):
            return plan
        return replace(plan, sampler=replace(plan.sampler, constant_liar=True))

    def start(self, trials: Sequence[Trial], until_epoch: int | None = None) -> list[Training]:
        """Hand all trials to one worker."""
        assert until_epoch is None, "a population trains to its end"
        parts = (
            trials[first : first + self._together]
            for first in range(0, len(trials), self._together)
        )
        return [future for part in parts for future in self._start_population(part)]

    def _start_population(self, trials: Sequence[Trial]) -> list[Training]:
        futures: list[Training] = [Future() for _trial in trials]
        together = self._executor.submit(self._train_many, tuple(trials))
        together.add_done_callback(lambda done: _share_out(done, futures))
        return futures

    def completed(self, pending: Sequence[Training]) -> list[Training]:
        """Wait for all of them."""
        return _done(pending, ALL_COMPLETED)


def dispatch_of(plan: Plan, environment: Environment, executor: Executor) -> Dispatch:
    """Return how the trials of a study are trained best where it runs."""
    together = plan.together(environment.device)
    if together > 1:
        return Populations(executor, together)
    return OneByOne(executor, workers_of(plan, executor, plan.trials))


def workers_of(plan: Plan, executor: Executor, trainings: int) -> int | None:
    """Return how many trainings an executor has at a time; None: as many as it has places."""
    if isinstance(executor, ClusterExecutor):
        return plan.execution.workers
    return worker_count(plan, trainings)


def _done(pending: Sequence[Training], when: str) -> list[Training]:
    """Return what is done, in the order in which it was started."""
    done, _rest = wait(pending, return_when=when)
    return [future for future in pending if future in done]


def _share_out(together: "Future[list[tuple[bytes, Record]]]", futures: list[Training]) -> None:
    """Hand the result of a population, or its end, to the futures of its trials."""
    if together.cancelled():
        for future in futures:
            future.cancel()
        return
    error = together.exception()
    if error is not None:
        for future in futures:
            future.set_exception(error)
        return
    for future, found in zip(futures, together.result(), strict=True):
        future.set_result(found)


def train_all(dispatch: Dispatch, trials: Iterable[Trial]) -> Iterator[list[tuple[Record, bytes]]]:
    """Yield record and weights of every trial, those that came together in one list.

    The next are under way while the caller keeps those that ended. A trial whose worker is lost is
    started again, and recorded as failed in the end. Raises ActlabError where data or device are
    not there.
    """
    waiting = deque(trials)
    in_flight: dict[Training, tuple[Trial, int]] = {}

    def fill() -> None:
        room = min(dispatch.at_once - len(in_flight), len(waiting))
        fresh = [waiting.popleft() for _place in range(room)]
        for trial, future in zip(fresh, dispatch.start(fresh), strict=True):
            in_flight[future] = (trial, 1)

    fill()
    while in_flight:
        ended: list[tuple[Record, bytes]] = []
        for future in dispatch.completed(tuple(in_flight)):
            trial, attempt = in_flight.pop(future)
            result = outcome(future, trial, attempt)
            if result is None:
                in_flight[dispatch.again(trial)] = (trial, attempt + 1)
            else:
                state, record = result
                ended.append((record, state))
        fill()
        if ended:
            yield ended
