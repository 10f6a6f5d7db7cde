"""Finding the user's line on the stack of a running program."""

import sys
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType
from typing import NamedTuple

from actlab.addresses import is_user, owner_of
from actlab.capture.location import Location

_DISPATCH = (
    "torch/overrides.py", "torch/functional.py", "nn/functional.py", "torch/_tensor.py",
    "distributions/utils.py",
)  # fmt: skip
"""Files of torch that hand a call on: whoever called them made it."""
_DEPTH = 80
"""How many frames are looked at: deeper than any program that is written by hand."""


@lru_cache(maxsize=4096)
def _columns(code: CodeType, instruction: int, number: int) -> tuple[int | None, int | None]:
    """Return first and last column of an instruction on one line, None where they are not known."""
    positions = next(islice(code.co_positions(), instruction // 2, None), None)
    if positions is not None and positions[0] == positions[1] == number:
        return positions[2], positions[3]
    return None, None


class Line(NamedTuple):
    """One frame of the stack, cheap to keep; it becomes a `Location` when somebody asks."""

    code: CodeType
    instruction: int
    number: int

    def location(self, module: str | None) -> Location:
        """Return the line with its columns, where the interpreter knows them."""
        column, end = _columns(self.code, self.instruction, self.number)
        return Location(
            file=self.code.co_filename,
            line=self.number,
            module=module,
            column=None if column is None else column + 1,
            end_column=None if end is None else end + 1,
        )


def is_library(filename: str | None) -> bool:
    """Return whether a file belongs to an installed library rather than to the user."""
    return filename is not None and owner_of(filename) == "library"


def is_torch(filename: str | None) -> bool:
    """Return whether a file belongs to torch."""
    return filename is not None and owner_of(filename) == "torch"


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
    """Return the lines that led to the present call: a library's first, then the user's.

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
        kind = owner_of(code.co_filename)
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
