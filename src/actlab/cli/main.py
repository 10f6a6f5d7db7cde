"""The entry point: commands, exit codes, and how an error reaches the user.

0 fine, 1 the answer is "no", 2 wrong use or bad input, 3 a fault of actlab's own, 130 interrupted.
"""

import sys
import traceback
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated

import typer

from actlab.cli import functions, study, tasks
from actlab.cli.check import CheckCommand, check
from actlab.cli.doctor import doctor
from actlab.cli.explore import explore
from actlab.cli.gate import gate
from actlab.cli.guard import guarded
from actlab.cli.report import report
from actlab.cli.serve import serve
from actlab.cli.verdict import verdict
from actlab.errors import ActlabError, extra_of, missing_extra, reason_of
from actlab.i18n import _
from actlab.text import printable

app = typer.Typer(
    name="actlab",
    help=_("The workbench for activation functions: know them, compare them, check their use."),
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda asked: _print_version() if asked else None,
            is_eager=True,
            help=_("Print the version of actlab."),
        ),
    ] = False,
) -> None:
    pass


def _print_version() -> None:
    print(f"actlab {version_of('actlab')}")
    raise typer.Exit


app.add_typer(functions.app)
app.command(help=_("Write the page on which functions are compared and moved."))(explore)
app.add_typer(study.app)
app.add_typer(tasks.app)
app.command(
    help=_("Find misused activations in a program, or in a model and its loss."), cls=CheckCommand
)(check)
app.command(help=_("Say what scores over several seeds support: best, tied, worse."))(verdict)
app.command(help=_("Run baseline and candidate until one is better; for scripts and agents."))(gate)
app.command(help=_("Write the page of a run folder again."))(report)
app.command(help=_("Show run folders in a browser on this machine, live."))(serve)
app.command(help=_("Say what this machine has for actlab, with a line of advice each."))(doctor)


def main() -> None:
    """Run the command line and exit with the code that it promises."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["check"]:
        sys.exit(guarded(lambda: run(arguments)))
    sys.exit(run(arguments))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    try:
        app(args=arguments, prog_name="actlab", standalone_mode=True)
    except SystemExit as exit_request:
        code = exit_request.code
        if code is None or isinstance(code, int):
            return code or 0
        print(code, file=sys.stderr)
        return 1
    except ActlabError as error:
        print(f"actlab: {printable(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except Exception as error:
        return _report_failure(error)
    return 0


def _report_failure(error: Exception) -> int:
    """Say what went wrong and return the exit code: the machine's refusal is no fault of actlab.

    A fault of actlab's own is shown whole, with its own exit code.
    """
    library = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if extra_of(library) is not None:
        print(f"actlab: {missing_extra(library)}", file=sys.stderr)
        return 2
    if isinstance(error, OSError) and error.filename is not None and _is_users(error.filename):
        print(f"actlab: {error.filename}: {reason_of(error)}", file=sys.stderr)
        return 2
    if isinstance(error, MemoryError):
        message = _(
            "There is not enough memory for this. Free some, or allow more where a limit is set "
            "(ulimit -v, a job's or a container's limit)."
        )
        print(f"actlab: {message}", file=sys.stderr)
        return 2
    traceback.print_exception(error)
    print(_("This is a fault of actlab itself; please report it."), file=sys.stderr)
    return 3


def _is_users(file: object) -> bool:
    """Return whether a file is none of actlab's own."""
    return not str(file).startswith(str(Path(__file__).parents[1]))
