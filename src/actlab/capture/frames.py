"""Finding the user's own line on the stack of a running program."""

import sys
import sysconfig
from functools import cache
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple

import torch

from actlab.capture.location import Location

_ACTLAB = str(Path(__file__).parents[1])
_SUBJECTS = (str(Path(_ACTLAB) / "checker" / "rules"), str(Path(_ACTLAB) / "networks"))
_TORCH = str(Path(torch.__file__).parent)
_DISPATCH = (
    "torch/overrides.py", "torch/functional.py", "nn/functional.py", "torch/_tensor.py",
    "distributions/utils.py",
)  # fmt: skip
"""Files of torch that hand a call on: whoever called them made it."""
_DEPTH = 80
"""How many frames are looked at: deeper than any program that is written by hand."""


class Line(NamedTuple):
    """One frame of the stack, cheap to keep; it becomes a `Location` when somebody asks."""

    code: CodeType
    instruction: int
    number: int

    def location(self, module: str | None) -> Location:
        """Return the line with its columns, where the interpreter knows them."""
        column, end = None, None
        positions = next(islice(self.code.co_positions(), self.instruction // 2, None), None)
        if positions is not None and positions[0] == positions[1] == self.number:
            column, end = positions[2], positions[3]
        return Location(
            file=self.code.co_filename,
            line=self.number,
            module=module,
            column=None if column is None else column + 1,
            end_column=None if end is None else end + 1,
        )


@cache
def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({paths["stdlib"], paths["platstdlib"], paths["purelib"], paths["platlib"]})


@cache
def _kind(filename: str) -> str:
    """Return whose code a file is: "torch", "checker", "library" or "user".

    The cases of the rules and actlab's own networks are programs to check like any user's.
    """
    if filename.startswith(_ACTLAB) and not filename.startswith(_SUBJECTS):
        return "checker"
    if filename.startswith((_TORCH, "<frozen", "<eval_with_key>", "<@beartype", "<__array_")):
        return "torch"
    if "site-packages" in filename or filename.startswith(_library_folders()):
        return "library"
    return "user"


def is_library(filename: str | None) -> bool:
    """Return whether a file belongs to an installed library rather than to the user."""
    return filename is not None and _kind(filename) == "library"


def is_user(filename: str | None) -> bool:
    """Return whether a file is the user's own: no library's, not torch's, not the checker's."""
    return filename is not None and _kind(filename) == "user"


def is_torch(filename: str | None) -> bool:
    """Return whether a file belongs to torch."""
    return filename is not None and _kind(filename) == "torch"


def caller() -> Location:
    """Return the innermost line of the user's on the present stack."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and not is_user(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return Location()
    return Line(frame.f_code, frame.f_lasti, frame.f_lineno).location(None)


class Trail(NamedTuple):
    """The lines outside torch that led to a call, the innermost first.

    `origin` is the file that made the call, torch's own included. The first `inner` lines belong
    to the captured program; the rest are those that asked for the check.
    """

    origin: str
    lines: tuple[Line, ...]
    inner: int


NOWHERE = Trail("", (), 0)
"""The trail of a call that nobody was seen to make."""


def trail(frame: FrameType | None) -> Trail:
    """Return the lines that led to the present call: a library's first, then the user's own.

    >>> len(trail(sys._getframe()).lines) > 0
    True
    """
    origin = ""
    lines: list[Line] = []
    inner: int | None = None
    for _ in range(_DEPTH):
        if frame is None:
            break
        code = frame.f_code
        kind = _kind(code.co_filename)
        if not origin and not code.co_filename.endswith(_DISPATCH):
            origin = code.co_filename
        if kind == "checker" and inner is None:
            inner = len(lines)
        if kind == "user" or (kind == "library" and inner is None):
            lines.append(Line(code, frame.f_lasti, frame.f_lineno))
            if kind == "user" and (len(lines) >= 3 or inner is not None):
                break
        frame = frame.f_back
    return Trail(origin, tuple(lines), len(lines) if inner is None else inner)
