"""A place in the user's source."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    """Where a fault is: the user's line, and the module that ran it.

    `file` and `line` (from 1) are None where no line of the user's was on the stack; `column` and
    `end_column` (from 1, the end exclusive) are there where the interpreter knows them; `module` is
    the dotted path from the model, "" for the model itself, None outside any module. Where `line`
    is that on which the module was written down, `called_from` is the line that ran it.
    """

    file: str | None = None
    line: int | None = None
    module: str | None = None
    column: int | None = None
    end_column: int | None = None
    called_from: "Location | None" = None

    def __str__(self) -> str:
        place = "<unknown>" if self.file is None else f"{self.file}:{self.line}"
        return f"{place} ({self.module})" if self.module else place
