"""Standard output for results, standard error for everything else."""

import json
import math
import sys
from typing import Any

from actlab.records import FORMAT_VERSION


def print_json(document: dict[str, Any]) -> None:
    """Write one JSON document, with `format_version`, as the only thing on standard output."""
    plain = jsonable({"format_version": FORMAT_VERSION, **document})
    json.dump(plain, sys.stdout, allow_nan=False, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def jsonable(value: Any) -> Any:
    """Replace what JSON lacks: infinities become "inf" and "-inf", NaN becomes null.

    >>> jsonable({"low": float("-inf"), "high": (1.0, float("nan"))})
    {'low': '-inf', 'high': [1.0, None]}
    """
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def say(message: str) -> None:
    """Write a line for the person at the terminal to standard error."""
    print(message, file=sys.stderr)
