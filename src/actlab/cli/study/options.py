"""The options that several study commands share."""

from pathlib import Path
from typing import Annotated

import typer

from actlab.i18n import _

Json = Annotated[bool, typer.Option("--json", help=_("Print one JSON document and nothing else."))]
RunFolderPath = Annotated[
    Path, typer.Argument(metavar="DIR", help=_("The folder that actlab study run made."))
]
Engine = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="local|dask://HOST:PORT|ray://HOST:PORT|ray://auto",
        help=_("What runs the trials: processes of this machine, or a cluster."),
    ),
]
StorageUrl = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="URL",
        help=_("A database for the trials as well, for Optuna's dashboard: postgresql://..."),
    ),
]
Language = Annotated[
    str | None, typer.Option("--lang", metavar="en|ko", help=_("Language of the page."))
]
