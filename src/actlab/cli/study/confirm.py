"""`actlab study confirm`: train the best settings of a study again, on fresh seeds."""

from typing import TYPE_CHECKING, Annotated

import typer

from actlab.cli.output import print_json, say
from actlab.cli.study.options import Engine, Json, Language, RunFolderPath, StorageUrl
from actlab.cli.study.own import Code, Network, check_named
from actlab.i18n import _, ngettext
from actlab.text import process_formatter

if TYPE_CHECKING:
    from actlab.studies.confirm.prospect import Prospect
    from actlab.studies.run_folder import RunFolder

RECOMMENDED_SEEDS = 10

Seeds = Annotated[
    int,
    typer.Option(metavar="N", help=_("On how many seeds every candidate is trained again.")),
]
Sequential = Annotated[
    bool,
    typer.Option("--sequential", help=_("Stop training candidates that are clearly behind.")),
]


DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help=_("Say what it takes and which gap it will show, and stop.")),
]


def confirm(
    path: RunFolderPath,
    *,
    seeds: Seeds = RECOMMENDED_SEEDS,
    sequential: Sequential = False,
    network: Network = None,
    code: Code = None,
    dry_run: DryRun = False,
    engine: Engine = "local",
    storage: StorageUrl = None,
    language: Language = None,
    json: Json = False,
) -> None:
    """Choose a setting for every candidate, train it on new seeds, write verdict and report."""
    from actlab.cli.interrupts import going_on_later
    from actlab.cli.report import checked_language
    from actlab.cli.study.finish import finish
    from actlab.errors import ActlabError
    from actlab.records import Confirmation
    from actlab.studies.confirm.confirmation import check_seeds, obstacle
    from actlab.studies.executors.engines import executor_factory
    from actlab.studies.run_folder import RunFolder
    from actlab.studies.search.shared_storage import shared_storage

    page_language = checked_language(language)
    make_executor = executor_factory(engine)
    shared = shared_storage(storage)
    folder = RunFolder.open(path)
    check_named(folder.plan(), network, code)
    reason = obstacle(folder)
    if reason is not None:
        raise ActlabError(reason)
    check_seeds(seeds)
    expected = _prospect(folder, seeds)
    if dry_run:
        if json:
            print_json(vars(expected))
        else:
            print(_line(expected))
        return
    say(_line(expected))
    with going_on_later(path):
        finish(
            folder,
            make_executor,
            page_language,
            as_json=json,
            confirmation=Confirmation(seeds, sequential),
            storage=shared,
        )


def _prospect(folder: "RunFolder", seeds: int) -> "Prospect":
    """Return what so many seeds will take and show, given what is trained already."""
    from actlab.studies.confirm.prospect import prospect
    from actlab.studies.estimate import confirmation_trainings
    from actlab.studies.executors.dispatch import worker_count
    from actlab.studies.interface.verdicts import verdict_of

    plan, records, verdict = folder.plan(), folder.records(), verdict_of(folder)
    if verdict is None:
        trainings = confirmation_trainings(plan, seeds)
    else:
        seeds = max(seeds, verdict.seeds)  # those that are there already count, too
        settings = {row.setting for slot in verdict.slots for row in slot.candidates}
        trainings = len(settings - {None}) * (seeds - verdict.seeds)
    return prospect(
        plan,
        records,
        verdict,
        seeds=seeds,
        trainings=trainings,
        workers=worker_count(plan, max(trainings, 1)),
    )


def _line(expected: "Prospect") -> str:
    from actlab.studies.report.next_step import prospect_text

    seeds = ngettext("{count} seed", "{count} seeds", expected.seeds).format(count=expected.seeds)
    return f"{seeds}: {prospect_text(expected, process_formatter())}"
