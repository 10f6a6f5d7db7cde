"""A study on the user's network and data, as the command line names them.

A plan, in a run folder or in a file that came from elsewhere, may name code; it is run only where
the command line names the same code.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actlab.errors import AddressError
from actlab.i18n import _

if TYPE_CHECKING:
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
        help=_("Your own data: an .npz file with arrays x and y, or a table with --target."),
    ),
]
Target = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help=_("The column of the table that holds the classes.")),
]
InitOption = Annotated[
    str | None,
    typer.Option(
        "--init",
        metavar="keep|gain|reset",
        help=_("The weights: your network's own, drawn for each activation, or torch's defaults."),
    ),
]


def own_overrides(
    network: str | None, data: Path | None, target: str | None = None
) -> dict[str, Any]:
    """Return what the options lay over a plan.

    Raises AddressError, NetworkError or DataError for what cannot be used.
    """
    overrides: dict[str, Any] = {}
    if network is not None:
        from actlab.studies.interface.user_inputs import absolute_address

        overrides["network.name"] = absolute_address(network)
    if data is not None:
        from actlab.studies.interface.user_inputs import data_overrides

        overrides |= data_overrides(data, Path(), target)
    return overrides


def located(plan: "Plan") -> "Plan":
    """Return the plan with the path of its own data made absolute, so that any process finds it."""
    from actlab.data import is_file, path_of

    if not is_file(plan.data.name):
        return plan
    path = path_of(plan.data.name)
    column = plan.data.name[len(str(path)) :]
    return replace(plan, data=replace(plan.data, name=f"{path.resolve()}{column}"))


def say_coverage(plan: "Plan") -> None:
    """Say which activations of a user's network are compared, before anything is trained."""
    from actlab import networks
    from actlab.cli.output import say
    from actlab.studies.worker.inputs import example_rows

    if not networks.is_address(plan.network):
        return
    found = networks.coverage(plan.network, example_rows(plan.data))
    line = _("{swapped} of {activations} activations of the network are compared.")
    say(line.format(swapped=found.swapped, activations=found.activations))
    for slot in found.slots:
        if slot.kind != "output" and not (slot.kind in ("conv", "fc") and slot.swappable):
            why = slot.reason or _("It is left as it is.")
            say(f"  {slot.path} ({slot.kind}, {slot.name}): {why}")


def check_code_is_named(plan: "Plan", network: str | None) -> None:
    """Raise AddressError for a plan that names code which the command line does not name."""
    from actlab.networks import is_address
    from actlab.studies.interface.user_inputs import absolute_address

    named = None if network is None else absolute_address(network)
    if is_address(plan.network) and named != plan.network:
        message = _(
            "The plan trains a network of its own, {address}. No code is run because a file names "
            "it: if you trust it, add --network {address}"
        )
        raise AddressError(message.format(address=plan.network))
