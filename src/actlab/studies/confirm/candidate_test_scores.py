"""The test accuracy of each candidate: of one model, read once after all choices, only printed.

The model is that of the first replicate that completed. Its weights wait in the run folder until
then; where they are missing it is trained again (the same seeds give the same weights).
"""

import contextlib
from collections.abc import Iterable
from concurrent.futures import Executor

from actlab.records import Environment, Outcome, Record, Setting, Trial
from actlab.studies import worker
from actlab.studies.executors.dispatch import persist
from actlab.studies.run_folder import RunFolder
from actlab.studies.search import best_weights
from actlab.studies.trials import Replicate, replicate_trial


def keep_weights(folder: RunFolder, record: Record, weights: bytes) -> None:
    """Keep the weights of a replicate whose model will be tested: the first of its setting."""
    first = record.stage == "confirm" and record.replicate == 0
    if first and record.outcome is Outcome.COMPLETED:
        folder.write_file(folder.replicate_weights_path(record), weights)


def unread(folder: RunFolder, settings: Iterable[Setting]) -> tuple[Record, ...]:
    """Return the replicates whose models are still to be tested, one per setting."""
    read = {final.identity for final in folder.replicate_finals()}
    firsts: dict[Setting, Record] = {}
    for record in sorted(folder.all_records(), key=lambda record: record.replicate or 0):
        if record.stage == "confirm" and record.outcome is Outcome.COMPLETED:
            firsts.setdefault(record.setting, record)
    found = (firsts[setting] for setting in settings if setting in firsts)
    return tuple(record for record in found if record.identity not in read)


def read_all(
    folder: RunFolder,
    settings: Iterable[Setting],
    environment: Environment,
    executor: Executor,
) -> None:
    """Read the test accuracy of every setting's model that has none yet."""
    for record in unread(folder, settings):
        trial = _trial(folder, environment, record)
        weights = _weights(folder, record, trial, executor)
        final = persist(executor, worker.test_accuracy, trial, weights)
        folder.write_replicate_finals((*folder.replicate_finals(), final))
        folder.replicate_weights_path(record).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.replicate_weights_path(record).parent.rmdir()


def _trial(folder: RunFolder, environment: Environment, record: Record) -> Trial:
    again = Replicate(record.number, record.setting, record.stage, record.replicate or 0)
    return replicate_trial(folder.plan(), environment, again)


def _weights(folder: RunFolder, record: Record, trial: Trial, executor: Executor) -> bytes:
    kept = best_weights.read_weights(folder.replicate_weights_path(record))
    if kept is not None:
        return kept
    weights, _record = persist(executor, worker.train, trial, None, None)
    return weights
