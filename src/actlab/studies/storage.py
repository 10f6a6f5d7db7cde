"""The study as Optuna's own tools see it: a projection of the records.

`records.jsonl` is the truth. What is missing here is told again from it on resume, and a file
that is gone is made anew.
"""

from collections import deque
from collections.abc import Iterable
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError

from actlab.errors import RunFolderError
from actlab.i18n import _
from actlab.records import NoPruner, Outcome, Plan, Record, Setting
from actlab.studies.pruning import optuna_pruner
from actlab.studies.sampling import distributions, setting_of, strategy

# The command line says what a person needs to know; Optuna's own log would repeat it.
optuna.logging.set_verbosity(optuna.logging.WARNING)

_BUSY_TIMEOUT_SECONDS = 60
_STATES = {
    Outcome.COMPLETED: TrialState.COMPLETE,
    Outcome.PRUNED: TrialState.PRUNED,
    Outcome.DIVERGED: TrialState.FAIL,
    Outcome.FAILED: TrialState.FAIL,
}


def open_storage(path: Path) -> optuna.storages.RDBStorage:
    """Open (or make) the SQLite file with write-ahead logging and a busy timeout.

    Raises RunFolderError where the file is no database.
    """
    try:
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{path}",
            engine_kwargs={"connect_args": {"timeout": _BUSY_TIMEOUT_SECONDS}},
        )
    except DatabaseError:
        message = _(
            "{path} is not a database: the file has been altered. Delete it; "
            "actlab study resume makes it again from records.jsonl."
        )
        raise RunFolderError(message.format(path=path)) from None
    event.listen(storage.engine, "connect", _configure)
    storage.engine.dispose()
    return storage


def _configure(connection: object, _entry: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # DB-API connections share no class
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def told_numbers(path: Path) -> frozenset[int]:
    """Return the numbers of the trials that the storage at `path` knows as finished."""
    if not path.exists():
        return frozenset()
    storage = open_storage(path)
    (name,) = optuna.get_all_study_names(storage)
    study = optuna.load_study(study_name=name, storage=storage)
    trials = study.get_trials(deepcopy=False)
    return frozenset(trial.number for trial in trials if trial.state.is_finished())


class Ledger:
    """Asks and tells, by trial number."""

    def __init__(self, plan: Plan, path: Path, records: Iterable[Record] = ()) -> None:
        self._plan = plan
        self._strategy = strategy(plan)
        self._live: dict[int, optuna.Trial] = {}
        is_new = not path.exists()
        self._study = optuna.create_study(
            study_name=plan.name,
            storage=open_storage(path),
            direction="maximize",
            load_if_exists=True,
            pruner=optuna_pruner(plan.pruner),
        )
        if is_new:
            self._make_again({record.number: record for record in records})
        trials = self._trials()
        self._waiting = deque(t.number for t in trials if t.state is TrialState.WAITING)
        self._known = len(trials)

    def ask(self) -> tuple[int, Setting]:
        """Return the number and the setting of the next trial."""
        number = self._next_number()
        self._study.sampler = self._strategy.sampler(number)
        self._live[number] = self._study.ask()
        return number, self._suggest(self._live[number])

    def untold(self) -> dict[int, Setting]:
        """Return the trials that were asked and not told, by number.

        An ask that was cut short has some of its parameters; the rest are suggested now.
        """
        running = [trial for trial in self._trials() if trial.state is TrialState.RUNNING]
        settings = {}
        for trial in running:
            self._study.sampler = self._strategy.sampler(trial.number)
            # Optuna has no public way from a number to a trial that can still be suggested to.
            live = optuna.trial.Trial(self._study, trial._trial_id)
            self._live[trial.number] = live
            settings[trial.number] = self._suggest(live)
        return settings

    def tell(self, record: Record) -> None:
        """Hand a record's outcome to Optuna; a record that was told before is left alone."""
        state = _STATES[record.outcome]
        value = record.valid_accuracy if state is TrialState.COMPLETE else None
        live = self._live.pop(record.number, None)
        if live is not None:
            self._report(live, record)
        self._study.tell(record.number, value, state=state, skip_if_finished=True)

    def should_prune(self, record: Record) -> bool:
        """Hand the epochs of a paused training to Optuna; return whether its pruner gives it up."""
        live = self._live[record.number]
        self._report(live, record)
        return live.should_prune()

    def _report(self, live: optuna.Trial, record: Record) -> None:
        """Report the epochs that are not reported yet, where there is a pruner to read them."""
        if isinstance(self._plan.pruner, NoPruner):
            return
        known = self._trials()[record.number].intermediate_values
        for epoch, accuracy in _accuracies(record).items():
            if epoch not in known:
                live.report(accuracy, epoch)

    def _suggest(self, trial: optuna.Trial) -> Setting:
        space = self._plan.space
        trial.suggest_categorical("conv_activation", space.conv_activation)
        trial.suggest_categorical("fc_activation", space.fc_activation)
        low, high = space.learning_rate_low, space.learning_rate_high
        trial.suggest_float("learning_rate", low, high, log=True)
        return setting_of(trial.params)

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _next_number(self) -> int:
        """Return the number of Optuna's next trial, counted here: asking would read them all."""
        if self._waiting:
            return self._waiting.popleft()
        number = self._known
        self._known += 1
        start = self._strategy.start
        if number < len(start):
            self._study.enqueue_trial(vars(start[number]))
        return number

    def _make_again(self, records: dict[int, Record]) -> None:
        """Add the records under their numbers; a gap is a trial that waits to be asked."""
        for number in range(max(records, default=-1) + 1):
            if number in records:
                self._study.add_trial(self._finished(records[number]))
            else:
                self._study.add_trial(optuna.trial.create_trial(state=TrialState.WAITING))

    def _finished(self, record: Record) -> FrozenTrial:
        state = _STATES[record.outcome]
        return optuna.trial.create_trial(
            state=state,
            value=record.valid_accuracy if state is TrialState.COMPLETE else None,
            params=dict(vars(record.setting)),
            distributions=distributions(self._plan.space),
            intermediate_values=_accuracies(record),
        )


def _accuracies(record: Record) -> dict[int, float]:
    """Return the accuracy on valid_epoch by epoch, from 1."""
    return {number: epoch.valid_metric for number, epoch in enumerate(record.curve, start=1)}
