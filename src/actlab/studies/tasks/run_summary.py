"""What a run of tasks says so far, as plain values: one row per setting, lists over the seeds."""

from typing import Any

from actlab.records import OutputSetting, Plan, Record
from actlab.studies.run_folder import RunFolder
from actlab.studies.tasks.run import records_of, tasks_of


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
