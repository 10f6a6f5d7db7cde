"""The search: ask for a setting, train it in a worker, record it; until the planned number.

The record is on the disk before anything follows from it. The weights of the best trial come next;
whatever a kill leaves undone is done on resume.
"""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING
from typing import Protocol as Interface

from actlab.i18n import _
from actlab.records import (
    Environment,
    Outcome,
    Plan,
    Record,
    Setting,
    TpeSampler,
    Trial,
    best_record,
)
from actlab.studies.executors.dispatch import (
    Dispatch,
    Training,
    dispatch_of,
    outcome,
    worker_count,
)
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.executors.session import ExecutorFactory, established_environment, running
from actlab.studies.run_folder import RunFolder
from actlab.studies.search import best_weights
from actlab.studies.search.pruning import after_segment, segment_end
from actlab.studies.table import write_table
from actlab.studies.trials import search_trial

if TYPE_CHECKING:
    from actlab.studies.search.shared_storage import SharedStorage

_LOGGER = logging.getLogger("actlab")


class Observer(Interface):
    """Somebody who wants to know how a search goes on."""

    def on_records(self, records: tuple[Record, ...], planned: int) -> None:
        """Take the records so far: once at the start, then after each new one."""


def run_search(
    folder: RunFolder,
    command: str,
    observer: Observer,
    make_executor: ExecutorFactory = LocalProcesses,
    storage: "SharedStorage | None" = None,
) -> None:
    """Bring the search in `folder` to its planned number of records and to its test figure.

    Starts, goes on, or does nothing where all is done; the caller holds the folder's lock. Raises
    ActlabError where data, device or folder are not what they must be; KeyboardInterrupt passes
    through with every record kept. The trials go to `storage` as well.
    """
    plan = folder.plan()
    if storage is not None:
        storage.check(plan, folder.environment())
    is_finished = _is_finished(folder)
    if is_finished:
        observer.on_records(folder.records(), plan.trials)
    else:
        workers = worker_count(plan, plan.trials)
        with running(make_executor(workers, plan.execution.trial_timeout)) as executor:
            environment = established_environment(folder, command, executor, _load_optuna)
            dispatch = dispatch_of(plan, environment, executor)
            try:
                Search(folder, environment, dispatch, observer).run()
            except KeyboardInterrupt:
                write_projections(folder, storage)
                raise
            best = best_record(folder.records())
            if best is not None:
                best_weights.final_figure(folder, best, environment, executor)
    are_there = folder.table_path.exists() and folder.storage_path.exists()
    if not is_finished or not are_there or storage is not None:
        write_projections(folder, storage)


def write_projections(folder: RunFolder, storage: "SharedStorage | None" = None) -> None:
    """Write `trials.csv` and `study.db` from the records, and what is new to a shared storage.

    What cannot be written is only said: no study depends on it.
    """
    from optuna.exceptions import OptunaError
    from sqlalchemy.exc import SQLAlchemyError

    from actlab.studies.search.projection import write_projection

    plan, records, environment = folder.plan(), folder.records(), folder.environment()
    try:
        write_table(folder, records)
        write_projection(folder.storage_path, plan, records)
        if storage is not None and environment is not None:
            storage.write(plan, environment, records)
    except (OSError, SQLAlchemyError, OptunaError) as error:
        message = _("The records are kept, but a copy of them cannot be written: {reason}")
        _LOGGER.warning(message.format(reason=error))


def _load_optuna() -> None:
    """Load what suggests settings, while a worker loads what trains them."""
    import_module("actlab.studies.search.optuna_study")


def _is_finished(folder: RunFolder) -> bool:
    records = folder.records()
    best, final = best_record(records), folder.final()
    scored = best is None or (final is not None and final.identity == best.identity)
    known = folder.environment() is not None  # one that was deleted is written again
    return len(records) >= folder.plan().trials and scored and known


@dataclass(frozen=True)
class _InFlight:
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
        from actlab.studies.search.optuna_study import OptunaStudy

        self._study = OptunaStudy(dispatch.sampling(self._plan), self._records)
        self._again: deque[tuple[int, Setting]] = deque(sorted(self._study.running().items()))
        self._in_flight: dict[Training, _InFlight] = {}

    def run(self) -> None:
        """Go on to the planned number of records."""
        self._observer.on_records(tuple(self._records), self._plan.trials)
        while self._fill() or self._in_flight:
            ended: list[tuple[Record, bytes]] = []
            for future in self._dispatch.completed(tuple(self._in_flight)):
                ended += self._on_completed(future, self._in_flight.pop(future))
            if not isinstance(self._plan.sampler, TpeSampler):
                # The next settings are planned, so that their workers need not wait for the disk.
                self._fill(len(ended))
            self._keep(ended)

    def _fill(self, unrecorded: int = 0) -> bool:
        """Start as many trials as there is room for; return whether there were any.

        So many that have ended are about to be recorded.
        """
        missing = self._plan.trials - len(self._records) - unrecorded
        room = min(self._dispatch.at_once, missing) - len(self._in_flight)
        trials: list[Trial] = []
        while len(trials) < room and (self._again or self._study.may_ask()):
            trials.append(self._next())
        until_epoch = segment_end(self._plan.pruner, 0)
        for trial, future in zip(trials, self._dispatch.start(trials, until_epoch), strict=True):
            self._in_flight[future] = _InFlight(trial)
        return bool(trials)

    def _next(self) -> Trial:
        number, setting = self._again.popleft() if self._again else self._study.ask()
        return search_trial(self._plan, self._environment, number, setting)

    def _go_on(self, flight: _InFlight) -> None:
        until_epoch = segment_end(self._plan.pruner, flight.epochs)
        self._in_flight[self._dispatch.again(flight.trial, flight.state, until_epoch)] = flight

    def _on_completed(self, future: Training, flight: _InFlight) -> list[tuple[Record, bytes]]:
        """Go on with a training that has not ended; return record and weights of one that has."""
        result = outcome(future, flight.trial, flight.attempt)
        if result is None:
            self._go_on(replace(flight, attempt=flight.attempt + 1))
            return []
        state, segment = result
        record = after_segment(segment, self._study.should_prune)
        if record.outcome is Outcome.PAUSED:
            self._go_on(_InFlight(flight.trial, state=state, epochs=record.epochs))
            return []
        return [(record, state)]

    def _keep(self, ended: Sequence[tuple[Record, bytes]]) -> None:
        """Keep what came together: with many workers, waiting for the disk is shared."""
        if not ended:
            return
        self._folder.append(*(record for record, _state in ended))
        for record, state in ended:
            self._records.append(record)
            leading = (record,) if self._best is None else (self._best, record)
            self._best = best_record(leading)
            if self._best is record:
                best_weights.keep(self._folder, record, state)
            self._study.tell(record)
        self._observer.on_records(tuple(self._records), self._plan.trials)
