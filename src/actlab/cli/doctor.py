"""`actlab doctor`: what this machine has for actlab, with one line of advice each."""

from typing import Annotated

import typer

from actlab.cli.output import print_json
from actlab.cli.study.options import Json
from actlab.i18n import _

DataDirectory = Annotated[
    str | None, typer.Option("--data-dir", help=_("A folder to look for the data in, too."))
]
AsJson = Annotated[
    bool, typer.Option("--json", help=_("Print one JSON document and nothing else."))
]


def doctor(*, data_directory: DataDirectory = None, json: Json = False) -> None:
    """Look at threads, arithmetic, allocator, data and extras."""
    from actlab.cli.diagnosis import diagnose

    rows = diagnose(data_directory)
    if json:
        print_json({"checks": [vars(row) for row in rows]})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for heading in ("", _("subject"), _("found"), _("advice")):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row("ok" if row.ok else "!", row.subject, row.found, row.advice)
    Console().print(table)
