"""How trials are handed to workers: each to one of them, or many at once to train in lock-step.

Either way every trial has a future of its own, and one whose worker was lost is started again by
itself.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace
from typing import Protocol as Interface

from actlab.records import Environment, Plan, Record, TpeSampler, Trial
from actlab.studies import worker
from actlab.studies.executors.session import worker_count

Training = Future[tuple[bytes, Record]]
Train = Callable[..., tuple[bytes, Record]]
TrainMany = Callable[[tuple[Trial, ...]], list[tuple[bytes, Record]]]


class Dispatch(Interface):
    """Hands trials to workers."""

    at_once: int
    """How many trials are under way at a time."""

    def sampling(self, plan: Plan) -> Plan:
        """Return the plan with the sampler's options that this way of training needs."""

    def start(self, trials: Sequence[Trial], until_epoch: int | None = None) -> list[Training]:
        """Start trials, to the end of their first segment; return a future for each."""

    def again(
        self, trial: Trial, state: bytes | None = None, until_epoch: int | None = None
    ) -> Training:
        """Go on with a trial from a state, or start it once more where there is none."""

    def landed(self, flying: Sequence[Training]) -> list[Training]:
        """Wait until it is time to look; return the futures that are done."""


class OneByOne:
    """Each trial alone in a worker; a new one starts as soon as one ends."""

    def __init__(self, executor: Executor, workers: int, train: Train | None = None) -> None:
        self._executor, self.at_once = executor, workers
        self._train = train or worker.train

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
        return self._executor.submit(self._train, trial, state, until_epoch)

    def landed(self, flying: Sequence[Training]) -> list[Training]:
        """Wait for the first that is done."""
        return _done(flying, FIRST_COMPLETED)


class Populations(OneByOne):
    """As many trials as `at_once` in one worker, in lock-step; the next when all have ended."""

    def __init__(
        self,
        executor: Executor,
        together: int,
        train: Train | None = None,
        train_many: TrainMany | None = None,
    ) -> None:
        super().__init__(executor, together, train)
        self._train_many = train_many or worker.train_many

    def sampling(self, plan: Plan) -> Plan:
        """Return the plan with a sampler that reckons with the trials under way.

        Many settings are asked for before the first of them is told; without the constant liar
        they would crowd around the same place.
        """
        if not isinstance(plan.sampler, TpeSampler):
            return plan
        return replace(plan, sampler=replace(plan.sampler, constant_liar=True))

    def start(self, trials: Sequence[Trial], until_epoch: int | None = None) -> list[Training]:
        """Hand all trials to one worker."""
        assert until_epoch is None, "a population trains to its end"
        if not trials:
            return []
        futures: list[Training] = [Future() for _trial in trials]
        together = self._executor.submit(self._train_many, tuple(trials))
        together.add_done_callback(lambda done: _share_out(done, futures))
        return futures

    def landed(self, flying: Sequence[Training]) -> list[Training]:
        """Wait for all of them."""
        return _done(flying, ALL_COMPLETED)


def dispatch_of(plan: Plan, environment: Environment, executor: Executor) -> Dispatch:
    """Return how the trials of a study are trained best where it runs."""
    together = plan.together(environment.device)
    if together > 1:
        return Populations(executor, together)
    return OneByOne(executor, worker_count(plan, plan.trials))


def _done(flying: Sequence[Training], when: str) -> list[Training]:
    """Return what is done, in the order in which it was started."""
    done, _pending = wait(flying, return_when=when)
    return [future for future in flying if future in done]


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
