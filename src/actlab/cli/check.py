"""`actlab check`: run one step of a user's program or model, and report misused activations."""

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from typer.core import TyperCommand

from actlab.cli.guard import end_now, is_guarded, let_go
from actlab.cli.output import hyperlink, print_json, say
from actlab.documentation import rule_address
from actlab.errors import ActlabError, unknown_name
from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.capture.program import UserProgram
    from actlab.checker.report import Report


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class CheckCommand(TyperCommand):
    """The command, whose options end at a program: what follows is the program's own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments up to the program's own."""
        takes_value = {
            name
            for option in self.params
            if option.param_type_name == "option" and not getattr(option, "is_flag", False)
            for name in option.opts
        }
        return super().parse_args(ctx, _own_apart(args, takes_value))


def _own_apart(arguments: list[str], takes_value: set[str]) -> list[str]:
    """Return the arguments with `--` before those that are the program's own.

    >>> _own_apart(["--json", "train.py", "--lr", "1"], set())
    ['--json', 'train.py', '--', '--lr', '1']
    >>> _own_apart(["net.py:Net", "--json"], set())
    ['net.py:Net', '--json']
    """
    place = 0
    while place < len(arguments):
        word = arguments[place]
        if word == "--":
            return arguments
        if word in ("-m", "--module"):
            return [*arguments[: place + 2], "--", *arguments[place + 2 :]]
        if not word.startswith("-"):
            if is_address(word):
                return arguments
            return [*arguments[: place + 1], "--", *arguments[place + 1 :]]
        place += 2 if word in takes_value else 1
    return arguments


def is_address(target: str) -> bool:
    """Return whether a target is an address, which has a colon, and no file."""
    return ":" in target and not Path(target).is_file()


Target = Annotated[
    str | None,
    typer.Argument(
        metavar="TARGET|SCRIPT.py|NOTEBOOK.ipynb",
        help=_(
            "A program, run as it is up to its first backward pass; or pkg.module:Net, "
            "file.py:build: what it names, called, returns the model."
        ),
    ),
]
Arguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="ITS_ARGUMENT", help=_("What the program is given.")),
]
Module = Annotated[
    str | None,
    typer.Option("-m", "--module", metavar="MODULE", help=_("A module to run as a program.")),
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
    list[str] | None,
    typer.Option(
        "--input-shape",
        metavar="S",
        help=_("Shape of one sample, e.g. 1,28,28; long:16 for ids; once for each input."),
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        "--data", metavar="D", help=_("FILE.npz with the inputs and the target, digits, mnist.")
    ),
]
DataDirectory = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help=_("Where the MNIST files are."))
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help=_("An argument of what the address names.")),
]
Steps = Annotated[
    int, typer.Option("--steps", metavar="N", help=_("How many backward passes to look at."))
]
ThenRun = Annotated[
    bool,
    typer.Option("--then-run", help=_("Let a program without findings go on, as if unchecked.")),
]
Fixes = Annotated[
    bool, typer.Option("--fix", help=_("Mend the source where the fix is a safe edit."))
]
Difference = Annotated[
    bool, typer.Option("--diff", help=_("With --fix: show the edits, and change nothing."))
]
Ignore = Annotated[
    str,
    typer.Option("--ignore", metavar="CODES", help=_("Codes to leave out: ACT110,ACT402.")),
]


def check(
    target: Target = None,
    arguments: Arguments = None,
    *,
    module: Module = None,
    loss: Loss = None,
    task: Task = None,
    input_shape: InputShape = None,
    data: Data = None,
    data_dir: DataDirectory = None,
    settings: Settings = None,
    steps: Steps = 1,
    then_run: ThenRun = False,
    fix: Fixes = False,
    diff: Difference = False,
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
    written = Format.JSON if json else output_format
    if diff and not fix:
        raise ActlabError(_("--diff shows what --fix would change: give both."))
    if fix and (then_run or written is not Format.TEXT):
        raise ActlabError(_("--fix goes with neither --then-run nor --json nor --format."))
    if explain is not None:
        _explain(explain, json=written is Format.JSON)
        return
    words = [*([] if target is None else [target]), *(arguments or [])]
    if not words and module is None:
        raise ActlabError(
            _(
                "A TARGET is needed: a script, or pkg.module:Net, or file.py:build. "
                "See actlab check --help."
            )
        )
    if module is None and is_address(words[0]):
        if len(words) > 1:
            raise ActlabError(
                _("{target} is an address and takes no arguments of its own; got {given}.").format(
                    target=words[0], given=" ".join(words[1:])
                )
            )
        from actlab.checker.command import check_address

        report = check_address(
            words[0],
            loss=loss,
            task=task,
            shapes=input_shape or (),
            arrays=_arrays(data, data_dir),
            arguments=_arguments(settings or []),
            ignore=ignore,
        )
        raise typer.Exit(_answer(report, written, strict, fix, diff))
    _refuse(loss=loss, input_shape=input_shape, data=data, set=settings)
    from actlab.capture.program import UserProgram

    name, own = (words[0], words[1:]) if module is None else (module, words)
    program = UserProgram(name, tuple(own), is_module=module is not None)
    answer = partial(_answer, written=written, strict=strict, fix=fix, diff=diff)
    _check_program(program, task, ignore, steps, then_run, answer)


def _check_program(
    program: "UserProgram",
    task: str | None,
    ignore: str,
    steps: int,
    then_run: bool,
    answer: Callable[..., int],
) -> None:
    from actlab.addresses import outside_program
    from actlab.checker.program import check_program

    went_on, code = False, 0

    def goes_on(report: "Report") -> bool:
        nonlocal went_on, code
        with outside_program():
            code = answer(report, to_stderr=then_run)
        went_on = then_run and code == 0
        if went_on:
            let_go()
        elif is_guarded():
            end_now(code)
        return went_on

    try:
        check_program(
            program.started(),
            task=task,
            ignore=ignore,
            steps=steps,
            goes_on=goes_on,
            apart=not then_run,
        )
    except (Exception, SystemExit) as error:
        if not went_on:
            raise
        raise _as_python(error) from None
    if not went_on:
        raise typer.Exit(code)


def _as_python(error: BaseException) -> SystemExit:
    """Return how Python itself ends a program that raises."""
    if isinstance(error, SystemExit):
        return error
    own = error.__traceback__
    while own is not None and own.tb_frame.f_globals.get("__name__") != "__main__":
        own = own.tb_next
    error = error.with_traceback(own or error.__traceback__)
    sys.excepthook(type(error), error, error.__traceback__)
    return SystemExit(1)


def _answer(
    report: "Report",
    written: Format,
    strict: bool,
    fix: bool,
    diff: bool,
    to_stderr: bool = False,
) -> int:
    """Write the report, make its edits where that is asked for, and return the exit code."""
    from actlab.checker.reporting import fixes

    with suppress(BrokenPipeError):  # whoever read it has seen enough; the answer stands
        _print(report, written, to_stderr)
        sys.stdout.flush()
    if fix:
        new = fixes.edited(report.of_severity("error", "warning"))
        if diff:
            print(fixes.difference(new), end="")
        else:
            fixes.write(new)
        for file in new:
            say((_("would be mended: {file}") if diff else _("mended: {file}")).format(file=file))
        if not new:
            say(_("Nothing to mend by a safe edit."))
    return int(bool(report.errors or (strict and report.warnings)))


def _refuse(**given: Any) -> None:
    """Refuse the options that only an address takes."""
    for name, value in given.items():
        if value:
            raise ActlabError(
                _(
                    "--{option} is for an address, such as train.py:Net; a program brings its own."
                ).format(option=name.replace("_", "-"))
            )


def _arguments(settings: list[str]) -> dict[str, str]:
    found = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.isidentifier():
            raise ActlabError(
                _('--set must look like hidden=32; got "{given}".').format(given=setting)
            )
        found[name] = value
    return found


def _arrays(data: str | None, directory: Path | None) -> Any:
    """Return the arrays that `--data` names, None without it."""
    if data is None:
        return None
    if data.endswith((".npz", ".npy")):
        from actlab.data.arrays import read_arrays

        return read_arrays(Path(data))
    import numpy as np

    from actlab.data import NAMES, open_dataset

    if data not in NAMES:
        raise unknown_name(_("data set (or .npz file)"), data, NAMES)
    dataset = open_dataset(data, None if directory is None else str(directory))
    examples = dataset.training_pool.take(np.arange(64))
    shares = examples.images.astype("float32") / (dataset.pixel_maximum or 1)
    return {"x": (shares - 0.5) / 0.5, "y": examples.labels}


def _explain(code: str, *, json: bool) -> None:
    from actlab.checker.reporting.rule_pages import markdown, page

    found = page(code)
    if json:
        print_json(asdict(found))
    else:
        print(markdown(found))


def _with_links(text: str, stream: TextIO) -> str:
    """Return a report whose codes open the pages of their rules, where the terminal can."""

    def linked(code: re.Match[str]) -> str:
        return hyperlink(code.group(), rule_address(code.group()), stream)

    return re.sub(r"(?<=\[)ACT\d{3}(?=\])", linked, text)


def _print(report: "Report", written: Format, to_stderr: bool = False) -> None:
    stream = sys.stderr if to_stderr else sys.stdout
    if written is Format.TEXT:
        print(_with_links(str(report), stream), file=stream)
    elif written is Format.JSON:
        print_json(report.to_dict(), stream)
    elif written is Format.GITHUB:
        from actlab.checker.reporting.github import annotations

        print(annotations(report), end="", file=stream)
    else:
        import json as json_library
        from importlib.metadata import version

        from actlab.checker.reporting.sarif import document
        from actlab.checker.rules import RULES

        for note in report.notes:
            say(note)
        from actlab.records import jsonable

        log = jsonable(document(report, RULES, version("actlab")))
        print(json_library.dumps(log, indent=2, ensure_ascii=False), file=stream)
