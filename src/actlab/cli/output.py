"""Standard output for results, standard error for everything else."""

import json
import sys
from typing import Any, TextIO

from actlab.records import FORMAT_VERSION, jsonable


def print_json(document: dict[str, Any], stream: TextIO | None = None) -> None:
    """Write one JSON document, with `format_version`, as the only thing on standard output."""
    plain = jsonable({"format_version": FORMAT_VERSION, **document})
    stream = stream or sys.stdout
    json.dump(plain, stream, allow_nan=False, ensure_ascii=False, indent=2)
    stream.write("\n")


def say(message: str) -> None:
    """Write a line for the person at the terminal to standard error."""
    print(message, file=sys.stderr)
