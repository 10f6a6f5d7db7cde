"""Standard output for results, standard error for everything else."""

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO


def print_json(document: dict[str, Any], stream: TextIO | None = None) -> None:
    """Write one JSON document, with `format_version`, as the only thing on standard output."""
    from actlab.records import FORMAT_VERSION, jsonable

    plain = jsonable({"format_version": FORMAT_VERSION, **document})
    stream = stream or sys.stdout
    json.dump(plain, stream, allow_nan=False, ensure_ascii=False, indent=2)
    stream.write("\n")


def hyperlink(text: str, address: str, stream: TextIO) -> str:
    """Return a text that a terminal opens an address by (OSC 8); the text alone elsewhere.

    >>> import io
    >>> hyperlink("ACT101", "https://x/", io.StringIO())
    'ACT101'
    """
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\"


def say(message: str) -> None:
    """Write a line for the person at the terminal to standard error."""
    print(message, file=sys.stderr)


def print_path(path: Path) -> None:
    """Print where a file is; a terminal that knows links opens it by a click."""
    print(hyperlink(str(path), path.absolute().as_uri(), sys.stdout))
