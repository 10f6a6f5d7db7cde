"""Asking and telling by trial number: Optuna in memory, each step of it on the disk at once.

Optuna's own way to the disk is many small transactions per trial. Here it thinks in memory, and
what it settled is written as one: a trial with all that was suggested, then how it ended.

To Optuna's estimator any completed trial is better than any pruned one, also one that stopped early
at chance: with a pruner it would crowd around the few that it let end. So there settings are chosen
in a study beside the one that is kept, in which a pruned trial is worth the best that it reached.
"""

from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from actlab.records import NoPruner, Outcome, Plan, Record, Setting
from actlab.studies.search.pruning import optuna_pruner
from actlab.studies.search.sampling import Planned, distributions, setting_of, strategy
from actlab.studies.search.storage import Mirror

_STATES = {
    Outcome.COMPLETED: TrialState.COMPLETE,
    Outcome.PRUNED: TrialState.PRUNED,
    Outcome.DIVERGED: TrialState.FAIL,
    Outcome.FAILED: TrialState.FAIL,
}


class Ledger:
    """The trials of a study; `records` are told to a storage that is not there any more."""

    def __init__(self, plan: Plan, path: Path, records: Sequence[Record] = ()) -> None:
        self._plan = plan
        self._strategy = strategy(plan)
        self._distributions = distributions(plan.space)
        self._live: dict[int, optuna.Trial] = {}
        self._study = optuna.create_study(
            study_name=plan.name, direction="maximize", pruner=optuna_pruner(plan.pruner)
        )
        self._seen = self._study
        if not isinstance(plan.pruner, NoPruner):
            self._seen = optuna.create_study(direction="maximize")
        is_new = not path.exists()
        self._mirror = Mirror(path, plan.name)
        if is_new:
            self._make_again({record.number: record for record in records})
        else:
            self._study.add_trials(self._mirror.trials())
            self._see({record.number: record for record in records})

    def ask(self) -> tuple[int, Setting]:
        """Return the number and the setting of the next trial."""
        number = len(self._trials())
        self._seen.sampler = self._strategy.sampler(number)
        live = self._seen.ask(self._distributions)
        if self._seen is not self._study:
            self._study.sampler = Planned(setting_of(live.params))
            live = self._study.ask(self._distributions)
        self._live[number] = live
        self._mirror.add(self._trials()[number])
        return number, setting_of(live.params)

    def untold(self) -> dict[int, Setting]:
        """Return the trials that were asked and not told, by number."""
        running = [trial for trial in self._trials() if trial.state is TrialState.RUNNING]
        for trial in running:
            # Optuna has no public way from a number to a trial that can still be reported to.
            self._live[trial.number] = optuna.trial.Trial(self._study, trial._trial_id)
        return {trial.number: setting_of(trial.params) for trial in running}

    def tell(self, record: Record) -> None:
        """Hand a record's outcome to Optuna; a record that was told before is left alone."""
        if self._is_told(record):
            return
        live = self._live.pop(record.number, None)
        if live is not None:
            self._report(live, record)
        state, value = _ending(record)
        self._study.tell(record.number, value, state=state)
        self._mirror.tell(record.number, state, value)
        if self._seen is not self._study:
            state, value = _worth(record)
            self._seen.tell(record.number, value, state=state)

    def should_prune(self, record: Record) -> bool:
        """Hand the epochs of a paused training to Optuna; return whether its pruner gives it up."""
        live = self._live[record.number]
        self._report(live, record)
        gives_up = live.should_prune()
        self._mirror.report(record.number, {}, self._trials()[record.number].system_attrs)
        return gives_up

    def _report(self, live: optuna.Trial, record: Record) -> None:
        """Report the epochs that are not reported yet, where there is a pruner to read them."""
        if isinstance(self._plan.pruner, NoPruner):
            return
        known = self._trials()[record.number].intermediate_values
        new = {epoch: value for epoch, value in _accuracies(record).items() if epoch not in known}
        for epoch, accuracy in new.items():
            live.report(accuracy, epoch)
        self._mirror.report(record.number, new, {})

    def _is_told(self, record: Record) -> bool:
        return self._trials()[record.number].state.is_finished()

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _make_again(self, records: dict[int, Record]) -> None:
        """Add the records under their numbers; a gap is a trial that is asked for again."""
        for number in range(max(records, default=-1) + 1):
            if number not in records:
                self.ask()
                continue
            self._study.add_trial(self._trial(records[number], *_ending(records[number])))
            self._mirror.add(self._trials()[number])
            if self._seen is not self._study:
                self._seen.add_trial(self._trial(records[number], *_worth(records[number])))

    def _see(self, records: dict[int, Record]) -> None:
        """Add to the study of the sampler what the kept one has: trials that ended, and others."""
        if self._seen is self._study:
            return
        for trial in self._trials():
            ended = trial.state.is_finished()
            record = records.get(trial.number) if ended else None
            self._seen.add_trial(trial if record is None else self._trial(record, *_worth(record)))

    def _trial(self, record: Record, state: TrialState, value: float | None) -> FrozenTrial:
        return optuna.trial.create_trial(
            state=state,
            value=value,
            params=dict(vars(record.setting)),
            distributions=self._distributions,
            intermediate_values=_accuracies(record),
        )


def _ending(record: Record) -> tuple[TrialState, float | None]:
    """Return the state and the value that Optuna is told."""
    state = _STATES[record.outcome]
    return state, record.valid_accuracy if state is TrialState.COMPLETE else None


def _worth(record: Record) -> tuple[TrialState, float | None]:
    """Return state and value for the sampler: a pruned trial is worth the best that it reached."""
    if record.outcome is not Outcome.PRUNED:
        return _ending(record)
    return TrialState.COMPLETE, max(_accuracies(record).values())


def _accuracies(record: Record) -> dict[int, float]:
    """Return the accuracy on valid_epoch by epoch, from 1."""
    return {number: epoch.valid_metric for number, epoch in enumerate(record.curve, start=1)}
