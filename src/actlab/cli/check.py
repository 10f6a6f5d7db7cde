"""`actlab check`: run one step of a user's model and loss, and report misused activations."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actlab.cli.output import print_json, say
from actlab.errors import ActlabError
from actlab.i18n import _
from actlab.records import jsonable

if TYPE_CHECKING:
    from actlab.checker.report import Report


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


Target = Annotated[
    str | None,
    typer.Argument(
        metavar="TARGET",
        help=_("pkg.module:Net or file.py:build; what it names, called, returns the model."),
    ),
]
Loss = Annotated[
    str | None,
    typer.Option("--loss", help=_("A loss of torch by name, or pkg.module:loss, file.py:loss.")),
]
Task = Annotated[
    str | None,
    typer.Option(
        "--task",
        help=_("regression, probability, binary, multiclass, multilabel, critic or ranking."),
    ),
]
InputShape = Annotated[
    str | None,
    typer.Option(
        "--input-shape", metavar="S", help=_("Shape of one sample, e.g. 1,28,28; long:16 for ids.")
    ),
]
Data = Annotated[
    str | None, typer.Option("--data", metavar="D", help=_("FILE.npz with x and y, digits, mnist."))
]
DataDirectory = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help=_("Where the MNIST files are."))
]
Ignore = Annotated[
    str,
    typer.Option("--ignore", metavar="CODES", help=_("Codes to leave out: ACT110,ACT402.")),
]


def check(
    target: Target = None,
    *,
    loss: Loss = None,
    task: Task = None,
    input_shape: InputShape = None,
    data: Data = None,
    data_dir: DataDirectory = None,
    output_format: Annotated[
        Format, typer.Option("--format", help=_("How to write the report."))
    ] = Format.TEXT,
    json: Annotated[bool, typer.Option("--json", help=_("The same as --format json."))] = False,
    strict: Annotated[bool, typer.Option("--strict", help=_("Warnings exit with 1."))] = False,
    ignore: Ignore = "",
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="CODE", help=_("Print a rule's page."))
    ] = None,
) -> None:
    """Report misused activations; exit with 1 if there is an error."""
    if explain is not None:
        _explain(explain, json=json or output_format is Format.JSON)
        return
    if target is None:
        raise ActlabError(
            _("A TARGET is needed: pkg.module:Net or file.py:build. See actlab check --help.")
        )
    from actlab.checker.command import run_target

    report = run_target(
        target, loss=loss, task=task, shape=input_shape, batch=_batch(data, data_dir), ignore=ignore
    )
    _print(report, Format.JSON if json else output_format)
    if report.errors or (strict and report.warnings):
        raise typer.Exit(1)


def _batch(data: str | None, directory: Path | None) -> Any:
    """Return the arrays (x, y) that `--data` names, None without it."""
    if data is None:
        return None
    from actlab.cli.check_data import read_batch

    return read_batch(data, directory)


def _explain(code: str, *, json: bool) -> None:
    from actlab.checker.reporting.rule_pages import markdown, page

    found = page(code)
    if json:
        print_json(asdict(found))
    else:
        print(markdown(found))


def _print(report: "Report", output_format: Format) -> None:
    if output_format is Format.TEXT:
        print(report)
        return
    if output_format is Format.JSON:
        print_json(report.to_dict())
        return
    import json as json_library
    from importlib.metadata import version

    from actlab.checker.reporting.sarif import document
    from actlab.checker.rules import RULES

    for note in report.notes:
        say(note)
    log = jsonable(document(report, RULES, version("actlab")))
    print(json_library.dumps(log, indent=2, ensure_ascii=False))
