"""`actlab study confirm`: train the best settings of a study again, on fresh seeds."""

from typing import Annotated

import typer

from actlab.cli.study.options import Engine, Json, Language, RunFolderPath, StorageUrl
from actlab.cli.study.own import Network, check_code_is_named
from actlab.i18n import _

RECOMMENDED_SEEDS = 10

Seeds = Annotated[
    int,
    typer.Option(metavar="N", help=_("On how many seeds every candidate is trained again.")),
]
Sequential = Annotated[
    bool,
    typer.Option("--sequential", help=_("Stop training candidates that are clearly behind.")),
]


def confirm(
    path: RunFolderPath,
    *,
    seeds: Seeds = RECOMMENDED_SEEDS,
    sequential: Sequential = False,
    network: Network = None,
    engine: Engine = "local",
    storage: StorageUrl = None,
    language: Language = None,
    json: Json = False,
) -> None:
    """Choose a setting for every candidate, train it on new seeds, write verdict and report."""
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
    check_code_is_named(folder.plan(), network)
    reason = obstacle(folder)
    if reason is not None:
        raise ActlabError(reason)
    check_seeds(seeds)
    finish(
        folder,
        make_executor,
        page_language,
        as_json=json,
        confirmation=Confirmation(seeds, sequential),
        storage=shared,
    )
