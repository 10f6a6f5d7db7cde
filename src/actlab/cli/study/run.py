"""`actlab study run`: from a preset or a plan file to the report."""

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from actlab.cli.study.options import Engine, Json, Language, StorageUrl
from actlab.cli.study.own import (
    Code,
    Data,
    Encode,
    Fill,
    InitOption,
    MetricOption,
    Network,
    Scale,
    Size,
    SplitBy,
    Target,
    Task,
    check_named,
    own_overrides,
    reading_of,
    say_coverage,
)
from actlab.i18n import _

Source = Annotated[
    str, typer.Argument(metavar="PRESET|PLAN.toml", help=_("A preset's name, or a plan file."))
]
Out = Annotated[
    Path | None, typer.Option(help=_("The run folder to make; runs/NAME-TIME without it."))
]
Trials = Annotated[int | None, typer.Option(help=_("How many trials in all."))]
Seed = Annotated[int | None, typer.Option(help=_("The seed of the splits, weights and orders."))]
Workers = Annotated[
    int | None, typer.Option(help=_("How many trials train at a time; one per core without it."))
]
Device = Annotated[str | None, typer.Option(metavar="auto|cpu|cuda", help=_("Where to train."))]
Precision = Annotated[
    str | None, typer.Option(metavar="auto|fp32|bf16", help=_("The arithmetic of training."))
]
ProtocolName = Annotated[
    str | None,
    typer.Option(
        "--protocol",
        metavar="published|corrected",
        help=_("Softmax before cross entropy, as published, or cross entropy on logits."),
    ),
]
PrunerName = Annotated[
    str | None,
    typer.Option(
        "--pruner",
        metavar="none|median|hyperband",
        help=_("Give up trainings that fall behind, by this rule with its default options."),
    ),
]
DataDirectory = Annotated[
    Path | None, typer.Option("--data-dir", help=_("The folder of the data files; no download."))
]
Confirm = Annotated[
    int | None,
    typer.Option(metavar="N", help=_("Then train the best settings again, on N seeds.")),
]
SearchOnly = Annotated[
    bool, typer.Option("--search-only", help=_("Stop after the search: no replicates, no verdict."))
]
Deterministic = Annotated[
    bool,
    typer.Option(
        "--deterministic",
        help=_("A search that follows its results comes out the same whoever is faster."),
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help=_("Say what the study would cost, and stop."))
]
Serve = Annotated[
    bool,
    typer.Option("--serve", help=_("Show the study in a browser while it runs; prints where.")),
]


def run(
    source: Source,
    *,
    out: Out = None,
    trials: Trials = None,
    seed: Seed = None,
    workers: Workers = None,
    engine: Engine = "local",
    storage: StorageUrl = None,
    device: Device = None,
    precision: Precision = None,
    protocol: ProtocolName = None,
    pruner: PrunerName = None,
    network: Network = None,
    code: Code = None,
    data: Data = None,
    target: Target = None,
    task: Task = None,
    metric: MetricOption = None,
    encode: Encode = False,
    fill: Fill = None,
    scale: Scale = False,
    size: Size = None,
    split_by: SplitBy = None,
    init: InitOption = None,
    data_directory: DataDirectory = None,
    confirm: Confirm = None,
    search_only: SearchOnly = False,
    deterministic: Deterministic = False,
    dry_run: DryRun = False,
    serve: Serve = False,
    language: Language = None,
    json: Json = False,
) -> None:
    """Validate everything, make the run folder, train, write the report."""
    from actlab.cli.interrupts import going_on_later
    from actlab.cli.report import checked_language
    from actlab.cli.serve import serving_beside
    from actlab.cli.study.dry_run import show_estimate
    from actlab.cli.study.finish import finish
    from actlab.errors import ActlabError
    from actlab.studies.confirm.confirmation import check_seeds
    from actlab.studies.executors.engines import executor_factory
    from actlab.studies.interface.user_inputs import located, with_its_slots
    from actlab.studies.plan.file import read_plan
    from actlab.studies.run_folder import RunFolder
    from actlab.studies.search.shared_storage import shared_storage

    if confirm is not None:
        check_seeds(confirm)
        if search_only:
            raise ActlabError(_("Give either --confirm or --search-only, not both."))
    stamp = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    path = out or Path("runs", f"own-{stamp}")
    reading = reading_of(target, task, fill, split_by, encode=encode, scale=scale, size=size)
    overrides = {
        "trials": trials,
        "replicates": 0 if search_only else confirm,
        "seed": seed,
        "execution.workers": workers,
        "execution.device": device,
        "execution.precision": precision,
        "protocol.name": protocol,
        "pruner": {"name": pruner} if pruner else None,
        "network.init": init,
        **own_overrides(network, data, reading, path),
        "training.metric": metric,
        "data.directory": str(data_directory.resolve()) if data_directory else None,
    }
    read = located(read_plan(source, overrides))
    check_named(read, network, code)
    plan = with_its_slots(read)
    say_coverage(plan)
    if deterministic:
        from actlab.studies.search.sampling import with_lag

        plan = with_lag(plan)
    make_executor = executor_factory(engine)
    page_language = checked_language(language)
    if dry_run:
        show_estimate(plan, make_executor, plan.replicates or None, as_json=json)
        return
    shared = shared_storage(storage)
    if out is None and data is None:
        path = Path("runs", f"{plan.name}-{stamp}")
    with going_on_later(path):
        folder = RunFolder.create(path, plan)
        with serving_beside(folder.path, page_language) if serve else nullcontext():
            finish(folder, make_executor, page_language, as_json=json, storage=shared)
