"""Asking for settings by trial number: Optuna in memory, made again from the records.

Nothing of it is on the disk. What was asked follows from the plan and from the records, so that a
study that was interrupted is rebuilt from `records.jsonl` alone; a trial that was asked and has no
record is a gap between the numbers, and runs again under its number.

To Optuna's estimator any completed trial is better than any pruned one, also one that stopped early
at chance: with a pruner it would crowd around the few that it let end. So settings are chosen in a
study in which a pruned trial is worth the best that it reached, and pruned in another.
"""

from collections.abc import Iterable

import optuna
from optuna.trial import TrialState

from actlab.records import NoPruner, Outcome, Plan, Record, Setting, TpeSampler
from actlab.studies.search.pruning import optuna_pruner
from actlab.studies.search.sampling import Planned, distributions, setting_of, strategy

# The command line says what a person needs to know; Optuna's own log would repeat it.
optuna.logging.set_verbosity(optuna.logging.WARNING)

STATES = {
    Outcome.COMPLETED: TrialState.COMPLETE,
    Outcome.PRUNED: TrialState.PRUNED,
    Outcome.DIVERGED: TrialState.FAIL,
    Outcome.FAILED: TrialState.FAIL,
}


class OptunaStudy:
    """The trials of a search in Optuna's terms: those with `records`, and those under way."""

    def __init__(self, plan: Plan, records: Iterable[Record] = ()) -> None:
        self._strategy = strategy(plan)
        self._distributions = distributions(plan.space)
        self._lag = plan.sampler.lag if isinstance(plan.sampler, TpeSampler) else None
        self._asked = 0
        self._added = 0
        self._waiting: dict[int, Record] = {}
        self._running: dict[int, Setting] = {}
        self._choosing = optuna.create_study(direction="maximize")
        self._pruning: optuna.Study | None = None
        self._live: dict[int, optuna.Trial] = {}
        if not isinstance(plan.pruner, NoPruner):
            # The name decides which bracket of Hyperband a trial is in.
            self._pruning = optuna.create_study(
                study_name=plan.name, direction="maximize", pruner=optuna_pruner(plan.pruner)
            )
        self._segment_epochs = 0 if plan.pruner.name == "none" else plan.pruner.segment_epochs
        known = {record.number: record for record in records}
        for number in range(max(known, default=-1) + 1):
            if number not in known:
                self.ask()
                continue
            self._ask(Planned(known[number].setting))
            self._report(known[number])
            self.tell(known[number])

    def may_ask(self) -> bool:
        """Return whether the outcomes are there that the next setting depends on."""
        if self._lag is None:
            return True
        needed = range(self._added, self._asked - self._lag + 1)
        return all(number in self._waiting for number in needed)

    def ask(self) -> tuple[int, Setting]:
        """Return the number and the setting of the next trial."""
        return self._ask(self._strategy.sampler(self._asked))

    def running(self) -> dict[int, Setting]:
        """Return the trials that were asked and have no record, by number."""
        return dict(self._running)

    def tell(self, record: Record) -> None:
        """Take a record; one of a trial that has one, or that was never asked, is left alone."""
        if self._running.pop(record.number, None) is None:
            return
        if self._pruning is not None:
            self._report_to_pruner(record)
            state = STATES[record.outcome]
            value = record.score if state is TrialState.COMPLETE else None
            self._pruning.tell(record.number, value, state=state)
            del self._live[record.number]
        self._waiting[record.number] = record

    def should_prune(self, record: Record) -> bool:
        """Take the epochs of a paused training; return whether the pruner gives it up."""
        self._report_to_pruner(record)
        return self._live[record.number].should_prune()

    def _ask(self, sampler: optuna.samplers.BaseSampler) -> tuple[int, Setting]:
        number, self._asked = self._asked, self._asked + 1
        self._tell_sampler(number)
        self._choosing.sampler = sampler
        setting = setting_of(self._choosing.ask(self._distributions).params)
        if self._pruning is not None:
            self._pruning.sampler = Planned(setting)
            self._live[number] = self._pruning.ask(self._distributions)
        self._running[number] = setting
        return number, setting

    def _tell_sampler(self, asked: int) -> None:
        """Tell what the setting of trial `asked` depends on: with a lag, what is so far behind."""
        if self._lag is None:
            numbers = list(self._waiting)
        else:
            numbers = list(range(self._added, max(asked - self._lag, -1) + 1))
        for number in numbers:
            record = self._waiting.pop(number, None)
            if record is None:
                return
            state, value = _worth(record)
            self._choosing.tell(number, value, state=state)
            self._added += 1

    def _report(self, record: Record) -> None:
        """Let the pruner note at each of its looks what it noted when the trial was trained."""
        if self._pruning is None or not self._segment_epochs:
            return
        live = self._live[record.number]
        looks = record.epochs + (record.outcome is Outcome.PRUNED)
        for epoch, accuracy in accuracies(record).items():
            live.report(accuracy, epoch)
            if epoch % self._segment_epochs == 0 and epoch < looks:
                live.should_prune()

    def _report_to_pruner(self, record: Record) -> None:
        """Report the epochs that are not reported yet."""
        live = self._live[record.number]
        known = self._pruning_values(record.number)
        for epoch, accuracy in accuracies(record).items():
            if epoch not in known:
                live.report(accuracy, epoch)

    def _pruning_values(self, number: int) -> dict[int, float]:
        assert self._pruning is not None
        return self._pruning.get_trials(deepcopy=False)[number].intermediate_values


def _worth(record: Record) -> tuple[TrialState, float | None]:
    """Return state and value for the sampler: a pruned trial is worth the best that it reached."""
    if record.outcome is Outcome.PRUNED:
        return TrialState.COMPLETE, max(accuracies(record).values())
    state = STATES[record.outcome]
    return state, record.score if state is TrialState.COMPLETE else None


def accuracies(record: Record) -> dict[int, float]:
    """Return the figure on valid_epoch by epoch, from 1, such that the higher is the better."""
    sign = -1.0 if record.lower_is_better else 1.0
    return {n: sign * epoch.valid_metric for n, epoch in enumerate(record.curve, start=1)}
