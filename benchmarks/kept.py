"""Results kept in a file as they are made, a JSON line each, so that hours can be interrupted."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

Line = TypeVar("Line")


def read(path: Path, kind: type[Line]) -> list[Line]:
    """Return what was kept, as values of a dataclass; a torn last line is none."""
    if not path.exists():
        return []
    return [kind(**json.loads(line)) for line in path.read_text().split("\n")[:-1]]


def append(path: Path, lines: Iterable[Any]) -> None:
    """Keep further values of a dataclass."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.writelines(json.dumps(asdict(line)) + "\n" for line in lines)
