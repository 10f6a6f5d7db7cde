"""The cell magic of IPython: `%load_ext actlab`, then `%%actlab_check` on top of a cell."""

import argparse
import shlex
from functools import partial
from pathlib import Path
from typing import Any

from actlab.capture.program import StartedProgram
from actlab.checker.captured_step import CheckError
from actlab.checker.program import check_program
from actlab.checker.report import Report
from actlab.i18n import _


def register(shell: Any) -> None:
    """Give a shell of IPython the magic `%%actlab_check [--steps N] [--task T] [--ignore CODES]`.

    The cell runs up to its first backward pass and is stopped there; the report is shown.
    """
    shell.register_magic_function(partial(_check_cell, shell), "cell", "actlab_check")


class _Options(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise CheckError(_("%%actlab_check: {message}.").format(message=message))


def _check_cell(shell: Any, line: str, cell: str) -> Report:
    options = _Options(prog="%%actlab_check", add_help=False)
    options.add_argument("--steps", type=int, default=1)
    options.add_argument("--task")
    options.add_argument("--ignore", default="")
    given = options.parse_args(shlex.split(line))
    text = shell.transform_cell(cell)
    code = compile(text, shell.compile.cache(text, raw_code=cell), "exec")
    program = StartedProgram(_("the cell"), (code,), shell.user_module, ("",), Path.cwd())
    return check_program(
        program, task=given.task, ignore=given.ignore, steps=given.steps, apart=False
    )
