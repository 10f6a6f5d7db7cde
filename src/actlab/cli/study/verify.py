"""`actlab study verify`: does a study come out the same again?"""

from dataclasses import asdict
from typing import Annotated

import typer

from actlab.cli.output import print_json
from actlab.cli.study.options import Engine, Json, RunFolderPath
from actlab.cli.study.own import Code, Network, check_named
from actlab.i18n import _

Trials = Annotated[
    int, typer.Option(metavar="K", min=1, help=_("How many trainings are run again."))
]
TrialNumber = Annotated[
    int | None, typer.Option("--trial", metavar="N", help=_("Run this training again."))
]


def verify(
    path: RunFolderPath,
    *,
    trials: Trials = 3,
    trial: TrialNumber = None,
    network: Network = None,
    code: Code = None,
    engine: Engine = "local",
    json: Json = False,
) -> None:
    """Run a sample of trainings again and say whether they match their records."""
    from actlab.studies.executors.engines import executor_factory
    from actlab.studies.run_folder import RunFolder
    from actlab.studies.verify import changed_versions
    from actlab.studies.verify import verify as repeated

    make_executor = executor_factory(engine)
    folder = RunFolder.open(path)
    plan = folder.plan()
    check_named(plan, network, code)
    executor = make_executor(1, plan.execution.trial_timeout)
    found = []
    try:
        for one in repeated(folder, executor, trials, trial):
            found.append(one)
            if not json:
                print(_line(asdict(one), is_equal=one.is_equal))
    finally:
        executor.shutdown(cancel_futures=True)
    environment = folder.environment()
    changed = changed_versions(environment) if environment is not None else {}
    equal = all(one.is_equal for one in found)
    if json:
        rows = [asdict(one) | {"equal": one.is_equal} for one in found]
        print_json({"equal": equal, "trainings": rows, "changed_versions": changed})
    else:
        for name, (then, now) in changed.items():
            print(_("{name} was {then} and is {now}").format(name=name, then=then, now=now))
        print(_("All match.") if equal else _("They do not all match."))
    if not equal:
        raise typer.Exit(1)


def _line(row: dict[str, object], *, is_equal: bool) -> str:
    if is_equal:
        message = _("training {number}: {valid_accuracy} again, every epoch the same")
    elif row["curve_difference"] is None:
        message = _(
            "training {number}: {valid_accuracy} after {epochs} epochs, now "
            "{valid_accuracy_again} after {epochs_again}"
        )
    else:
        message = _(
            "training {number}: {valid_accuracy} after {epochs} epochs, now "
            "{valid_accuracy_again} after {epochs_again}; epochs differ by at most "
            "{curve_difference}"
        )
    return message.format(**row)
