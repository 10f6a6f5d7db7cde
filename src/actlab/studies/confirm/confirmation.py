"""Training again: first what the search found best, to choose; then the chosen, to compare.

Both stages are plain lists of trials whose numbers, seeds and settings follow from the plan and
the records. What has a record is not trained again, so that a confirmation that was interrupted,
or that is asked for more seeds, trains what is missing and nothing else.
"""

import logging
from dataclasses import replace
from typing import Protocol as Interface

from actlab.errors import ActlabError
from actlab.i18n import _
from actlab.records import Confirmation, FittedSampler, Stage, best_record
from actlab.studies.confirm import candidate_test_scores
from actlab.studies.confirm.replicates import Replicates
from actlab.studies.confirm.stopping import StoppingRule, never
from actlab.studies.executors.dispatch import dispatch_of, train_all, worker_count
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.executors.session import ExecutorFactory, established_environment, running
from actlab.studies.run_folder import RunFolder
from actlab.studies.table import write_replicates
from actlab.studies.trials import replicate_trial

_LOGGER = logging.getLogger("actlab")

FEWEST_SEEDS = 2


class Observer(Interface):
    """Somebody who wants to know how a confirmation goes on."""

    def on_replicates(self, stage: Stage, done: int, planned: int) -> None:
        """Take how many trainings of a stage are done: once at its start, then after each."""


def ask_for(folder: RunFolder, asked: Confirmation) -> None:
    """Write down what is to be trained again, unless as many seeds or more are asked for already.

    A study whose own replicates stop for who is clearly behind (`FittedSampler`) goes on so. The
    caller holds the folder's lock. Raises ActlabError as `check_seeds` does.
    """
    check_seeds(asked.seeds)
    known = folder.confirmation()
    if known is None or asked.seeds > known.seeds:
        stops = asked.sequential or isinstance(folder.plan().sampler, FittedSampler)
        folder.write_confirmation(replace(asked, sequential=stops))


def check_seeds(seeds: int) -> None:
    """Raise ActlabError for fewer than two seeds."""
    if seeds < FEWEST_SEEDS:
        message = _(
            "A confirmation needs at least 2 seeds, since one score has no spread to compare "
            "with; got {seeds}. 10 are recommended."
        )
        raise ActlabError(message.format(seeds=seeds))


def confirm(
    folder: RunFolder,
    command: str,
    observer: Observer,
    make_executor: ExecutorFactory = LocalProcesses,
    rule: StoppingRule = never,
) -> None:
    """Bring the confirmation that was asked for in `folder` to its end, if there is one.

    The caller holds the folder's lock. Raises ActlabError where data, device or folder are not what
    they must be; KeyboardInterrupt passes through with every record kept.
    """
    asked = folder.confirmation()
    if asked is None or obstacle(folder) is not None:
        return
    folder.drop_torn_line()
    replicates = Replicates(folder, asked, rule)
    if replicates.is_trained() and not candidate_test_scores.unread(
        folder, replicates.chosen_once()
    ):
        observer.on_replicates("confirm", *replicates.progress("confirm"))
    else:
        _train(folder, command, observer, make_executor, replicates)
    try:
        write_replicates(folder, folder.all_records())
    except OSError as error:  # a copy, on which nothing depends
        message = _("The records are kept, but a copy of them cannot be written: {reason}")
        _LOGGER.warning(message.format(reason=error))


def _train(
    folder: RunFolder,
    command: str,
    observer: Observer,
    make_executor: ExecutorFactory,
    replicates: Replicates,
) -> None:
    """Train what is missing, stage by stage, and read the test figures of the chosen."""
    plan = folder.plan()
    workers = worker_count(plan, plan.trials)
    with running(make_executor(workers, plan.execution.trial_timeout)) as executor:
        environment = established_environment(folder, command, executor)
        dispatch = dispatch_of(plan, environment, executor)
        for stage, missing in replicates.rounds():
            if not missing:
                continue
            observer.on_replicates(stage, *replicates.progress(stage))
            trials = (replicate_trial(plan, environment, one) for one in missing)
            for ended in train_all(dispatch, trials):
                folder.append(*(record for record, _state in ended))
                for record, state in ended:
                    candidate_test_scores.keep_weights(folder, record, state)
                    replicates.add(record)
                observer.on_replicates(stage, *replicates.progress(stage))
        candidate_test_scores.read_all(folder, replicates.chosen_once(), environment, executor)


def obstacle(folder: RunFolder) -> str | None:
    """Return in a sentence why a study cannot be confirmed yet; None where it can."""
    plan = folder.plan()
    if plan.tasks is not None:
        return _("{path} holds a run of tasks, which searches nothing.").format(path=folder.path)
    records, planned = folder.records(), plan.trials
    if len(records) < planned:
        message = _(
            "The search must be finished before its settings are trained again: {done} of "
            "{planned} trials are done. Go on with it first: actlab study resume {path}"
        )
        return message.format(done=len(records), planned=planned, path=folder.path)
    if best_record(records) is None:
        return _("No trial of the search completed, so there is no setting to train again.")
    return None
