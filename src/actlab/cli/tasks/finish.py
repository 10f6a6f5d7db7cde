"""What `tasks run` and `study resume` share: train what is missing, write the page, say figures."""

import shlex
import sys
from itertools import groupby
from operator import itemgetter
from typing import Any

from actlab.case_study.claim_rows import claim_rows
from actlab.cli.output import print_json
from actlab.cli.report import write_report
from actlab.errors import ActlabError
from actlab.i18n import _
from actlab.records import Plan, Record
from actlab.studies.executors.session import ExecutorFactory
from actlab.studies.interface.progress import StudyProgress
from actlab.studies.interface.self_check import self_checking
from actlab.studies.run_folder import RunFolder
from actlab.studies.tasks.check_outputs import check_outputs
from actlab.studies.tasks.run import run_tasks, task_summary
from actlab.studies.tasks.settings import HIDDEN
from actlab.text import process_formatter


class TasksProgress(StudyProgress):
    """Watches a run of tasks: a live bar in a terminal, else a line now and then."""

    def describe(self, records: tuple[Record, ...]) -> str:
        """Return which output layer was trained last."""
        if records and records[-1].output is not None:
            layer = records[-1].output
            return f"{layer.task}, {layer.head} + {layer.loss}"
        return _("the first output layers are training")


def finish_tasks(
    folder: RunFolder,
    make_executor: ExecutorFactory,
    page_language: str,
    *,
    as_json: bool,
    extended: Plan | None = None,
) -> None:
    """Train what is missing in a run of tasks and print its figures, the report's path last.

    `extended` is a plan of more seeds that takes the place of the one that is there.
    """
    command = shlex.join(["actlab", *sys.argv[1:]])
    with folder.locked():
        if extended is not None:
            folder.replace_plan(extended)
        _train(folder, command, make_executor)
        write_report(folder, folder.report_path, page_language)
    show_tasks(folder, as_json=as_json)
    if not as_json:
        print(folder.report_path)


def _train(folder: RunFolder, command: str, make_executor: ExecutorFactory) -> None:
    try:
        checking = self_checking(folder, make_executor, check_outputs)
        with TasksProgress() as progress, checking as begin_check:
            begin_check()
            run_tasks(folder, command, progress, make_executor)
    except ActlabError:
        folder.discard_if_unused()
        raise


def show_tasks(folder: RunFolder, *, as_json: bool) -> None:
    """Print the figures of a run of tasks: finished, running or interrupted."""
    document = {**task_summary(folder), "claims": claim_rows(folder)}
    if as_json:
        print_json(document)
    else:
        print_figures(document["settings"])
        print_claims(document["claims"])


def print_figures(settings: list[dict[str, Any]]) -> None:
    """Print a table per task and protocol: means over the seeds, epochs seed by seed."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for (task, protocol, metric), rows in groupby(
        settings, itemgetter("task", "protocol", "metric")
    ):
        table = Table(box=None, header_style="bold", title_justify="left", min_width=60)
        table.title = _("{task} ({metric}), {protocol}").format(
            task=task, metric=metric, protocol=protocol
        )
        table.add_column(_("head + loss"))
        for heading in (_("valid"), _("test"), _("epochs")):
            table.add_column(heading, justify="right")
        for row in rows:
            epochs = " ".join("-" if count is None else str(count) for count in row["epochs"])
            figures = (_mean(metric, row["valid"]), _mean(metric, row["test"]))
            table.add_row(_label(row), *figures, epochs)
        console.print(table)


def print_claims(claims: list[dict[str, Any]]) -> None:
    """Print each judged claim of the published study with its reason."""
    outcomes = {
        "supported": _("supported"),
        "not supported": _("not supported"),
        "not enough evidence": _("not enough evidence"),
    }
    for claim in claims:
        line = _("Claim {number} ({protocol}): {text} {outcome}: {reason}")
        print(line.format(**{**claim, "outcome": outcomes[claim["outcome"]].upper()}))


def _label(row: dict[str, Any]) -> str:
    parts = [f"{row['head']} + {row['loss']}"]
    if "target" in row:
        parts.append(_("standardised") if row["target"] == "standardised" else _("raw"))
    if row["hidden"] != HIDDEN:
        parts.append(_("hidden {activation}").format(activation=row["hidden"]))
    return ", ".join(parts)


def _mean(metric: str, values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    mean = sum(known) / len(known)
    form = process_formatter()
    shown = form.loss(mean) if metric == "mse" else form.percent(mean)
    return shown if len(known) == len(values) else f"{shown} ({len(known)}/{len(values)})"
