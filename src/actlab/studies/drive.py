"""From a plan to a finished run folder: the processes, the search, the final figure."""

from actlab.records import Plan, best_record
from actlab.studies.executors.dispatch import dispatch_of, worker_count
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.executors.session import ExecutorFactory, established_environment, running
from actlab.studies.run_folder import RunFolder
from actlab.studies.search import best_weights
from actlab.studies.search.search import Observer, Search


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
        workers = worker_count(plan, plan.trials)
        with running(make_executor(workers, plan.execution.trial_timeout)) as executor:
            environment = established_environment(folder, command, executor)
            Search(folder, environment, dispatch_of(plan, environment, executor), observer).run()
            best = best_record(folder.records())
            if best is not None:
                best_weights.final_figure(folder, best, environment, executor)


def _finished(folder: RunFolder, plan: Plan) -> bool:
    records = folder.records()
    best, final = best_record(records), folder.final()
    scored = best is None or (final is not None and final.identity == best.identity)
    return len(records) >= plan.trials and scored and folder.table_path.exists()
