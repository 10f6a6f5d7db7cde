"""`actlab functions list`: the names of the catalogue, all or those that a question selects."""

from typing import Annotated

import typer

from actlab.cli.functions.arguments import Json
from actlab.cli.output import print_json
from actlab.i18n import _, ngettext
from actlab.text import significant

Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="QUESTION",
        help=_('Which functions, as in "smooth and not monotonic and lipschitz <= 1.1".'),
    ),
]


def list_functions(*, where: Where = None, json: Json = False) -> None:
    """Print the names of the functions, with what each of them is."""
    from actlab.activations import functions

    found = functions(where=where) if where is not None else functions()
    if json:
        print_json({"where": where, "names": [function.name for function in found]})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in (_("function"), _("formula"), _("parameters"), _("source")):
        table.add_column(heading, overflow="fold")
    for function in found:
        parameters = ", ".join(
            f"{name}={significant(value, 6)}" for name, value in function.values.items()
        )
        table.add_row(function.name, function.formula, parameters, function.source)
    console = Console()
    console.print(table)
    console.print(
        ngettext("{count} function", "{count} functions", len(found)).format(count=len(found))
    )
