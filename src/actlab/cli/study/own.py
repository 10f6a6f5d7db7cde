"""A study on the user's network and data, as the command line names them.

A plan, in a run folder or in a file that came from elsewhere, may name code; it is run only where
the command line names the same code.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.data.tables import Reading
    from actlab.records import Plan

Network = Annotated[
    str | None,
    typer.Option(
        "--network",
        metavar="FILE.py:NAME",
        help=_("Your own network: a callable without arguments that makes it."),
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FILE",
        help=_(
            "Your own data: an .npz file with arrays x and y, a table with --target, or a folder "
            "with a folder of pictures per class."
        ),
    ),
]
Target = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help=_("The column of the table that is predicted.")),
]
Code = Annotated[
    list[Path] | None,
    typer.Option(
        "--code",
        metavar="FILE.py",
        help=_("A file whose code the plan may run: candidates, a loss. Give it once per file."),
    ),
]
InitOption = Annotated[
    str | None,
    typer.Option(
        "--init",
        metavar="keep|gain|reset",
        help=_("The weights: your network's own, drawn for each activation, or torch's defaults."),
    ),
]


Task = Annotated[
    str | None,
    typer.Option(
        metavar="multiclass|binary|multilabel|regression",
        help=_("What the target is; without it, what its values say."),
    ),
]
MetricOption = Annotated[
    str | None,
    typer.Option(
        "--metric",
        metavar="NAME|FILE.py:NAME",
        help=_(
            "What candidates are compared by: accuracy, macro_f1, balanced_accuracy, auc, rmse, "
            "mae, r2, or your own."
        ),
    ),
]
Encode = Annotated[
    bool, typer.Option("--encode", help=_("Turn columns of categories into columns of 0 and 1."))
]
Fill = Annotated[
    str | None,
    typer.Option(metavar="median|mean", help=_("What missing numbers of the table become.")),
]
Scale = Annotated[
    bool,
    typer.Option("--scale", help=_("Standardise the inputs, by the training rows alone.")),
]
Size = Annotated[
    int | None,
    typer.Option(
        "--size",
        metavar="N",
        min=1,
        help=_("Make the pictures of a folder N pixels wide and high."),
    ),
]
SplitBy = Annotated[
    str | None,
    typer.Option(
        "--split-by",
        metavar="group|time|split:COLUMN",
        help=_("Rows of one group stay in one split; in the order of time; or as the column says."),
    ),
]


def reading_of(
    target: str | None,
    task: str | None,
    fill: str | None,
    split_by: str | None,
    *,
    encode: bool,
    scale: bool,
    size: int | None = None,
) -> "Reading":
    """Return how data is read; raises ActlabError for a task or a way to split that is none."""
    from actlab.data.tables import Reading
    from actlab.errors import ActlabError, unknown_name
    from actlab.records import TASKS_OF_STUDIES

    if task is not None and task not in TASKS_OF_STUDIES:
        raise unknown_name(_("task"), task, TASKS_OF_STUDIES)
    known = next((one for one in TASKS_OF_STUDIES if one == task), None)
    found = Reading(target, known, encode, fill, scale, size=size)
    if split_by is None:
        return found
    kind, _colon, column = split_by.partition(":")
    if kind not in ("group", "time", "split") or not column:
        message = _("--split-by must be group:COLUMN, time:COLUMN or split:COLUMN; got {given}.")
        raise ActlabError(message.format(given=split_by))
    asked: dict[str, Any] = {kind: column}
    return replace(found, **asked)


def own_overrides(
    network: str | None, data: Path | None, reading: "Reading", folder: Path
) -> dict[str, Any]:
    """Return what the options lay over a plan; data that is converted is written to `folder`.

    Raises AddressError, NetworkError or DataError for what cannot be used.
    """
    overrides: dict[str, Any] = {}
    if network is not None:
        from actlab.studies.interface.user_inputs import absolute_address

        overrides["network.name"] = absolute_address(network)
    if data is not None:
        from actlab.studies.interface.user_inputs import user_data

        named = overrides.get("network.name")
        overrides |= user_data(data, folder, reading, named).overrides
    elif reading.task is not None:
        overrides["training.task"] = reading.task
    return overrides


def say_coverage(plan: "Plan") -> None:
    """Say which activations of a user's network are compared, before anything is trained."""
    from actlab import networks
    from actlab.cli.output import say
    from actlab.i18n import process_language, translation
    from actlab.studies.coverage import gated_line, left_out_line, same_line
    from actlab.studies.worker.inputs import example_rows
    from actlab.text import Formatter

    form = Formatter(translation(process_language()))
    for left, kept in plan.space.same:
        say(same_line(left, kept, form))
    if not networks.is_address(plan.network):
        return
    example, compared = example_rows(plan.data), plan.space.by_slot
    found = networks.coverage(plan.network, example, compared)
    line = _("{swapped} of {activations} activations of the network are compared.")
    say(line.format(swapped=found.swapped, activations=found.activations))
    for slot in found.slots:
        left = left_out_line(slot, compared, form)
        if left:
            say(f"  {left}")
    for one in networks.gated_widths(plan.network, plan.space, example):
        say(f"  {gated_line(one, form)}")


def check_named(plan: "Plan", network: str | None, code: list[Path] | None) -> None:
    """Raise AddressError for a plan that names code which the command line does not name."""
    from actlab.studies.interface.user_inputs import absolute_address
    from actlab.studies.plan.code import check_code_is_named

    def advice(address: str, file: str) -> str:
        if address == plan.network:
            return _("add --network {address}").format(address=address)
        return _("add --code {file}").format(file=file)

    named = [] if network is None else [absolute_address(network)]
    check_code_is_named(plan, [*named, *(str(path) for path in code or ())], advice)
