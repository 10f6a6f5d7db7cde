"""The search: ask for a setting, train it in a worker, record, tell; until the planned number.

The order of writing is the order of truth: the record is on the disk first, then the weights,
then Optuna is told. Whatever a kill leaves undone is done on resume.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Protocol as Interface

from actlab.records import Environment, Outcome, Plan, Record, Setting, Trial, best_record
from actlab.studies.executors.dispatch import Dispatch, Training, outcome
from actlab.studies.run_folder import RunFolder
from actlab.studies.search import best_weights
from actlab.studies.search.optuna_study import Ledger
from actlab.studies.search.pruning import after_segment, segment_end
from actlab.studies.table import write_table
from actlab.studies.trials import search_trial


class Observer(Interface):
    """Somebody who wants to know how a search goes on."""

    def on_records(self, records: tuple[Record, ...], planned: int) -> None:
        """Take the records so far: once at the start, then after each new one."""


@dataclass(frozen=True)
class _Flight:
    """One segment of a training: what is trained, from which state, after how many epochs."""

    trial: Trial
    attempt: int = 1
    state: bytes | None = None
    epochs: int = 0


class Search:
    """One driver of one run folder; the caller holds the folder's lock."""

    def __init__(
        self,
        folder: RunFolder,
        environment: Environment,
        dispatch: Dispatch,
        observer: Observer,
    ) -> None:
        self._folder = folder
        self._plan: Plan = folder.plan()
        self._environment = environment
        self._dispatch = dispatch
        self._observer = observer
        folder.drop_torn_line()
        self._records = list(folder.records())
        self._best = best_record(tuple(self._records))
        self._ledger = Ledger(dispatch.sampling(self._plan), folder.storage_path, self._records)
        for record in self._records:
            self._ledger.tell(record)
        self._again: deque[tuple[int, Setting]] = deque(sorted(self._ledger.untold().items()))
        self._flights: dict[Training, _Flight] = {}

    def run(self) -> None:
        """Go on to the planned number of records."""
        self._observer.on_records(tuple(self._records), self._plan.trials)
        while self._fill() or self._flights:
            for future in self._dispatch.completed(tuple(self._flights)):
                self._land(future, self._flights.pop(future))
        write_table(self._folder, tuple(self._records))

    def _fill(self) -> bool:
        """Start as many trials as there is room for; return whether there were any."""
        room = min(self._dispatch.at_once, self._missing()) - len(self._flights)
        trials = [self._next() for _place in range(room)]
        until_epoch = segment_end(self._plan.pruner, 0)
        for trial, future in zip(trials, self._dispatch.start(trials, until_epoch), strict=True):
            self._flights[future] = _Flight(trial)
        return bool(trials)

    def _missing(self) -> int:
        return self._plan.trials - len(self._records)

    def _next(self) -> Trial:
        number, setting = self._again.popleft() if self._again else self._ledger.ask()
        return search_trial(self._plan, self._environment, number, setting)

    def _go_on(self, flight: _Flight) -> None:
        until_epoch = segment_end(self._plan.pruner, flight.epochs)
        self._flights[self._dispatch.again(flight.trial, flight.state, until_epoch)] = flight

    def _land(self, future: Training, flight: _Flight) -> None:
        landed = outcome(future, flight.trial, flight.attempt)
        if landed is None:
            self._go_on(replace(flight, attempt=flight.attempt + 1))
            return
        state, segment = landed
        record = after_segment(segment, self._ledger.should_prune)
        if record.outcome is Outcome.PAUSED:
            self._go_on(_Flight(flight.trial, state=state, epochs=record.epochs))
        else:
            self._keep(record, state)

    def _keep(self, record: Record, state: bytes) -> None:
        self._folder.append(record)
        self._records.append(record)
        leading = (record,) if self._best is None else (self._best, record)
        self._best = best_record(leading)
        if self._best is record:
            best_weights.keep(self._folder, record, state)
        self._ledger.tell(record)
        self._observer.on_records(tuple(self._records), self._plan.trials)
