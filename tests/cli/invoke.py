"""Run the command line in this process, as a user would in a shell."""

from dataclasses import dataclass

import pytest

from actlab.cli.main import run


@dataclass(frozen=True)
class Result:
    """Exit code and both outputs of one command."""

    code: int
    out: str
    err: str


def actlab(capsys: pytest.CaptureFixture[str], *arguments: object) -> Result:
    """Run `actlab ARGUMENTS...`."""
    capsys.readouterr()
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return Result(code, captured.out, captured.err)
