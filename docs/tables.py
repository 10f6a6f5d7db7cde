"""Tables of a docs page, each between two marks, and what is said of a run beside them."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def heading(*cells: str) -> list[str]:
    """Return the first two lines of a table."""
    return [row(*cells), "|" + "---|" * len(cells)]


def row(*cells: str) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def with_tables(text: str, tables: Mapping[str, Callable[[], list[str]]]) -> str:
    """Return a page with every table between its two marks written anew."""
    for name, table in tables.items():
        marked = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        lines = "\n".join(table())
        text, count = marked.subn(lambda match, new=lines: f"{match[1]}{new}\n{match[2]}", text)
        assert count == 1, f"the page must have one place for the table {name}"
    return text


def plain_command(command: str) -> str:
    """Return a command without the folders of one machine."""
    return re.sub(r" --out \S+", "", re.sub(r"\S+/mnist\b", "DIR", command))


def machine_in_words(machine: Mapping[str, Any]) -> str:
    """Return the processor, its cores and the device."""
    return f"{machine['processor']}, {machine['cores']} cores, {machine['device']}"


def write_page(path: Path, page: Callable[[str], str], *, check: bool) -> int:
    """Write what `page` makes of the page's text; with `check` only say whether it is current.

    Returns the exit code: 1 for a page that is not current and was to be checked only.
    """
    text = path.read_text(encoding="utf-8")
    current = page(text)
    if text == current:
        return 0
    if check:
        print(f"not current: {path}")
        return 1
    path.write_text(current, encoding="utf-8")
    print(f"written: {path}")
    return 0
