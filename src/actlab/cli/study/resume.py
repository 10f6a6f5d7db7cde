"""`actlab study resume`: on to the planned number of trials."""

from actlab.cli.study.options import Engine, Json, Language, RunFolderPath, StorageUrl
from actlab.cli.study.own import Code, Network, check_named


def resume(
    path: RunFolderPath,
    *,
    network: Network = None,
    code: Code = None,
    engine: Engine = "local",
    storage: StorageUrl = None,
    language: Language = None,
    json: Json = False,
) -> None:
    """Bring the study in a run folder to its end and its report."""
    from actlab.cli.interrupts import going_on_later
    from actlab.cli.report import checked_language
    from actlab.cli.study.finish import finish
    from actlab.studies.executors.engines import executor_factory
    from actlab.studies.run_folder import RunFolder
    from actlab.studies.search.shared_storage import shared_storage

    page_language = checked_language(language)
    make_executor = executor_factory(engine)
    shared = shared_storage(storage)
    folder = RunFolder.open(path)
    check_named(folder.plan(), network, code)
    with going_on_later(path):
        finish(folder, make_executor, page_language, as_json=json, storage=shared)
