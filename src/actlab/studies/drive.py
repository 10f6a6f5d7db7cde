"""From a plan to a finished run folder: the processes, the search, the final figure."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import UTC, datetime

from actlab import worker
from actlab.errors import RunFolderError
from actlab.i18n import _
from actlab.records import Environment, Plan, best_record
from actlab.studies import weights
from actlab.studies.attempts import persist
from actlab.studies.executor import LocalProcesses, available_cores
from actlab.studies.run_folder import RunFolder
from actlab.studies.search import Observer, Search

ExecutorFactory = Callable[[int, float], Executor]
"""Makes an executor from a number of workers and the seconds that a task may take."""


def drive(
    folder: RunFolder,
    command: str,
    observer: Observer,
    make_executor: ExecutorFactory = LocalProcesses,
) -> None:
    """Bring the study in `folder` to its planned number of records and to its final figure.

    Starts, goes on, or does nothing where all is done. Raises ActlabError where data, device or
    folder are not what they must be; KeyboardInterrupt passes through with every record kept.
    """
    with folder.locked():
        plan = folder.plan()
        if _finished(folder, plan):
            observer.on_records(folder.records(), plan.trials)
            return
        workers = worker_count(plan)
        with _running(make_executor(workers, plan.execution.trial_timeout)) as executor:
            environment = _environment(folder, plan, command, executor)
            Search(folder, environment, executor, observer).run(workers)
            best = best_record(folder.records())
            if best is not None:
                weights.final_figure(folder, best, environment, executor)


def worker_count(plan: Plan) -> int:
    """Return how many workers a study uses: as many as cores, unless the plan says otherwise."""
    return min(plan.execution.workers or available_cores(), plan.trials)


def _finished(folder: RunFolder, plan: Plan) -> bool:
    records = folder.records()
    best, final = best_record(records), folder.final()
    scored = best is None or (final is not None and final.identity == best.identity)
    return len(records) >= plan.trials and scored and folder.table_path.exists()


@contextmanager
def _running(executor: Executor) -> Iterator[Executor]:
    try:
        yield executor
    except BaseException:
        executor.shutdown(cancel_futures=True)
        raise
    executor.shutdown()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _environment(folder: RunFolder, plan: Plan, command: str, executor: Executor) -> Environment:
    known = folder.environment()
    found = persist(executor, worker.prepare, plan, command, _now())
    if known is None:
        folder.write_environment(found)
        return found
    if known.fingerprint != found.fingerprint:
        message = _(
            "The data has changed since the study began: its fingerprint was {old}, now it is "
            "{new}. Resume with the same data, or start a new study."
        )
        raise RunFolderError(message.format(old=known.fingerprint, new=found.fingerprint))
    return known
