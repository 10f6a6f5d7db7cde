"""The language of a generated page."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Let the program's own messages be in a language inside the block."""
    before = os.environ.get("ACTLAB_LANG")
    os.environ["ACTLAB_LANG"] = language
    try:
        yield
    finally:
        if before is None:
            del os.environ["ACTLAB_LANG"]
        else:
            os.environ["ACTLAB_LANG"] = before


def chooser(language: str) -> Callable[[str, str], str]:
    """Return the choice between an English text and its Korean."""
    return lambda english, korean: korean if language == "ko" else english


def row(*cells: str) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def head(*cells: str) -> list[str]:
    """Return the first two lines of a table."""
    return [row(*cells), "|" + " --- |" * len(cells)]
