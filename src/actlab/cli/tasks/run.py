"""`actlab tasks run`: right and wrong output layers, trained on the same seeds."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from actlab.cli.study.options import Engine, Json, Language
from actlab.errors import ActlabError, RunFolderError
from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.records import Plan
    from actlab.studies.run_folder import RunFolder

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TASK]...", help=_("The tasks to run; all five without it.")),
]
Seeds = Annotated[int, typer.Option(metavar="N", help=_("How often each setting is trained."))]
Protocols = Annotated[
    list[str] | None,
    typer.Option(
        "--protocol",
        metavar="published|corrected",
        help=_("The arithmetic of head and loss; may be given twice. corrected without it."),
    ),
]
Data = Annotated[str, typer.Option("--data", metavar="mnist|digits", help=_("The data set."))]
DataDirectory = Annotated[
    Path | None, typer.Option("--data-dir", help=_("The folder of the data files; no download."))
]
Targets = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.npz",
        help=_("Targets of your own for one task: arrays train and test, a row per image."),
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(help=_("The run folder, made or gone on with; runs/NAME-TIME without it.")),
]
Workers = Annotated[
    int | None, typer.Option(help=_("How many networks train at a time; one per core without it."))
]


def run(
    names: Names = None,
    *,
    seeds: Seeds = 3,
    protocols: Protocols = None,
    dataset: Data = "mnist",
    data_directory: DataDirectory = None,
    targets: Targets = None,
    out: Out = None,
    workers: Workers = None,
    engine: Engine = "local",
    language: Language = None,
    json: Json = False,
) -> None:
    """Train every output layer of the tasks on the same seeds, and write the report."""
    from actlab.cli.interrupts import going_on_later
    from actlab.cli.report import checked_language
    from actlab.cli.tasks.finish import finish_tasks
    from actlab.studies.executors.engines import executor_factory
    from actlab.studies.tasks.settings import tasks_plan

    for count, option in ((seeds, "--seeds"), (workers, "--workers")):
        if count is not None and count < 1:
            message = _("{option} must be at least 1; got {count}.")
            raise ActlabError(message.format(option=option, count=count))
    plan = tasks_plan(
        names or (), protocols or ("corrected",), seeds, dataset, data_directory, workers, targets
    )
    page_language = checked_language(language)
    make_executor = executor_factory(engine)
    path = out or Path("runs", f"{plan.name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}")
    with going_on_later(path):
        folder = _opened(path, plan)
        finish_tasks(
            folder,
            make_executor,
            page_language,
            as_json=json,
            extended=plan if plan.trials > folder.plan().trials else None,
        )


def _opened(path: Path, plan: "Plan") -> "RunFolder":
    """Return the run folder of a plan: a new one, or one whose run is the same but for its end.

    More seeds extend a run that is there. Raises RunFolderError where something else is.
    """
    from actlab.studies.run_folder import RunFolder

    if not RunFolder(path).plan_path.exists():
        return RunFolder.create(path, plan)
    folder = RunFolder.open(path)
    there = folder.plan()
    if there.tasks is None or plan.tasks is None or _but_for_seeds(there) != _but_for_seeds(plan):
        message = _(
            "{path} holds another run: its plan.toml says which. Go on with that by "
            "actlab study resume {path}, or choose another folder with --out."
        )
        raise RunFolderError(message.format(path=path))
    return folder


def _but_for_seeds(plan: "Plan") -> "Plan":
    from actlab.records import Execution

    assert plan.tasks is not None
    tasks = replace(plan.tasks, seeds=1)
    return replace(plan, trials=len(tasks.settings), tasks=tasks, execution=Execution())
