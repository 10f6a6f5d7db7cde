"""A run of tasks: every output layer trained on the same seeds, each to its record.

A plain list of trials whose numbers, seeds and settings follow from the plan, so that a run that
was interrupted, or is asked for more seeds, trains what is missing and nothing else.
"""

from dataclasses import replace
from typing import Any

from actlab.records import Environment, OutputPlan, OutputSetting, Plan, Record, Setting, Trial
from actlab.studies import worker
from actlab.studies.executors.dispatch import OneByOne, train_all, worker_count, workers_of
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.executors.session import ExecutorFactory, established_environment, running
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import Observer
from actlab.studies.trials import replicate_seeds, search_trial


def run_tasks(
    folder: RunFolder,
    command: str,
    observer: Observer,
    make_executor: ExecutorFactory = LocalProcesses,
) -> None:
    """Bring the run of tasks in `folder` to its planned number of records.

    Starts, goes on, or does nothing where all is done; the caller holds the folder's lock. Raises
    ActlabError where data, device or folder are not what they must be; KeyboardInterrupt passes
    through with every record kept.
    """
    folder.drop_torn_line()
    plan = folder.plan()
    records = list(folder.task_records())
    observer.on_records(tuple(records), plan.trials)
    if len(records) >= plan.trials and folder.environment() is not None:
        return
    workers = worker_count(plan, max(1, plan.trials - len(records)))
    with running(make_executor(workers, plan.execution.trial_timeout)) as executor:
        environment = established_environment(folder, command, executor)
        done = {record.number for record in records}
        missing = [one for one in task_trials(plan, environment) if one.number not in done]
        at_once = workers_of(plan, executor, len(missing))
        dispatch = OneByOne(executor, at_once, worker.train_output)
        for ended in train_all(dispatch, missing):
            fresh = [record for record, _weights in ended]
            folder.append(*fresh)
            records += fresh
            observer.on_records(tuple(records), plan.trials)


def task_trials(plan: Plan, environment: Environment) -> tuple[Trial, ...]:
    """Return all trials: seed by seed, and under each seed setting by setting.

    The seeds depend on plan and replicate alone, so that all settings share them.
    """
    tasks = tasks_of(plan)
    return tuple(
        _trial(plan, environment, setting, replicate, place)
        for replicate in range(tasks.seeds)
        for place, setting in enumerate(tasks.settings)
    )


def tasks_of(plan: Plan) -> OutputPlan:
    """Return what a plan that is known to be a run of tasks trains."""
    assert plan.tasks is not None, "a run of tasks says which"
    return plan.tasks


def records_of(
    plan: Plan, setting: OutputSetting, records: tuple[Record, ...]
) -> tuple[Record | None, ...]:
    """Return the records of a setting in the order of the seeds, None where there is none yet."""
    tasks = tasks_of(plan)
    by_number = {record.number: record for record in records}
    place = tasks.settings.index(setting)
    numbers = (replicate * len(tasks.settings) + place for replicate in range(tasks.seeds))
    return tuple(by_number.get(number) for number in numbers)


def _trial(
    plan: Plan, environment: Environment, setting: OutputSetting, replicate: int, place: int
) -> Trial:
    number = replicate * len(tasks_of(plan).settings) + place
    space = plan.space
    activations = Setting(space.first.get("conv"), setting.fc_activation, space.learning_rate_low)
    ending = setting.output.ending(setting.protocol)
    return replace(
        search_trial(plan, environment, number, activations),
        protocol=replace(plan.protocol, name=setting.protocol, head=ending),
        seeds=replicate_seeds(plan.seed, "task", replicate),
        replicate=replicate,
        stage="task",
        output=setting.output,
    )


def task_summary(folder: RunFolder) -> dict[str, Any]:
    """Return the document of `actlab tasks run --json`.

    Accuracies are fractions, errors mean squares in the original units; a seed that has no figure
    (not trained yet, diverged, failed) is None in the lists.
    """
    plan, records = folder.plan(), folder.task_records()
    return {
        "settings": [_row(plan, setting, records) for setting in tasks_of(plan).settings],
        "seeds": tasks_of(plan).seeds,
        "trained": len(records),
    }


def _row(plan: Plan, setting: OutputSetting, records: tuple[Record, ...]) -> dict[str, Any]:
    own = records_of(plan, setting, records)
    layer = setting.output
    row: dict[str, Any] = {"task": layer.task, "head": layer.head, "loss": layer.loss}
    if layer.target is not None:
        row["target"] = layer.target
    return row | {
        "protocol": setting.protocol,
        "hidden": setting.fc_activation,
        "published": setting.published,
        "metric": "mse" if layer.task == "regression" else "accuracy",
        "valid": [valid_figure(record) for record in own],
        "test": [test_figure(record) for record in own],
        "epochs": [record.epochs if record else None for record in own],
        "outcome": [record.outcome.value if record else None for record in own],
    }


def valid_figure(record: Record | None) -> float | None:
    """Return the metric on valid_epoch of the best epoch; None where the training did not end."""
    return record.valid_metric if record is not None else None


def test_figure(record: Record | None) -> float | None:
    """Return the metric on the test split; None where the training did not end."""
    return record.figures.test if record is not None and record.figures is not None else None
