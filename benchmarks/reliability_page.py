"""The figures in docs/reliability.md, written by the commands that make them."""

import platform
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"


def write_between(mark: str, content: str) -> None:
    """Replace what stands between two marks of docs/reliability.md."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, rest = PAGE.read_text().split(begin)
    _old, after = rest.split(end)
    PAGE.write_text(f"{before}{begin}\n{content}\n{end}{after}")


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
