"""`actlab study compare`: studies side by side, per activation of each slot."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actlab.cli.output import print_json
from actlab.cli.study.options import Json
from actlab.errors import ActlabError
from actlab.i18n import _
from actlab.text import process_formatter

if TYPE_CHECKING:
    from actlab.studies.run_folder import RunFolder

Folders = Annotated[
    list[Path], typer.Argument(metavar="DIR DIR...", help=_("Two or more run folders."))
]


def compare(paths: Folders, *, json: Json = False) -> None:
    """Print the figures of two or more studies side by side."""
    from actlab.cli.study.changes import changes, print_changes
    from actlab.studies.run_folder import RunFolder
    from actlab.studies.summary import comparison

    if len(paths) < 2:
        raise ActlabError(_("To compare needs two or more run folders; one was given."))
    folders = [RunFolder.open(path) for path in paths]
    document = comparison(folders) | {"paired": changes(folders)}
    if json:
        print_json(document)
    else:
        _print(document["studies"], [_ran(folder) for folder in folders])
        print_changes(document["paired"])


def _ran(folder: "RunFolder") -> str:
    """Return in which precision and on which device a study ran, empty before it began."""
    environment = folder.environment()
    return "" if environment is None else f"{environment.precision} · {environment.device}"


def _print(studies: list[dict[str, Any]], ran: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    overview = Table(title=_("Studies"))
    headings = (
        *(_("study"), _("protocol"), _("precision, device"), _("trials"), _("best valid")),
        _("test"),
    )
    for heading in headings:
        overview.add_column(heading, overflow="fold")
    for study, how in zip(studies, ran, strict=True):
        overview.add_row(
            study["path"],
            study["protocol"],
            how,
            f"{study['trials']}/{study['planned']}",
            _percent(study["valid_accuracy"]),
            _percent(study["test_accuracy"]),
        )
    console.print(overview)
    if len(set(ran)) > 1:
        print(
            _(
                "These studies ran in different precisions or on different devices, so their "
                "accuracies differ for that reason as well."
            )
        )
    for slot in dict.fromkeys(slot for study in studies for slot in study["slots"]):
        table = Table(
            title=_(
                "{slot} activation: best and median valid accuracy (completed of trials)"
            ).format(slot=slot)
        )
        table.add_column(_("activation"))
        for study in studies:
            table.add_column(Path(study["path"]).name, overflow="fold")
        for name, cells in _by_activation(studies, slot).items():
            table.add_row(name, *cells)
        console.print(table)


def _by_activation(studies: list[dict[str, Any]], slot: str) -> dict[str, list[str]]:
    names = dict.fromkeys(
        row["activation"] for study in studies for row in study["slots"].get(slot, [])
    )
    tables = [{row["activation"]: row for row in study["slots"].get(slot, [])} for study in studies]
    return {name: [_cell(table.get(name)) for table in tables] for name in names}


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    figures = f"{_percent(row['best'])}  {_percent(row['median'])}"
    return f"{figures}  ({row['completed']}/{row['trials']})"


def _percent(value: float | None) -> str:
    return process_formatter().percent(value)
