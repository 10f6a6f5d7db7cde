"""What a check says of the tests of other repositories, at the first backward pass of each.

Recipe: a checkout of skorch-dev/skorch as the current folder, or the folder `tests` of one of
Lightning-AI/pytorch-lightning, with its `src` in PYTHONPATH, and with this folder in it. Each test
runs to its end. Of its first backward pass the report is written down, a line for each test; hooks
that a test put on gradients run once more. Nothing of the tests is edited; each finding is printed,
to be looked at.

    python -m pytest -p check_tests --checked FILE.jsonl TESTS...
    python benchmarks/check_tests.py FILE.jsonl...
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from actlab.capture.location import Location
from actlab.capture.program import PassWatch
from actlab.capture.trace import Trace
from actlab.checker.program import pass_report
from actlab.checker.rules import RULES
from actlab.checker.settings import settings_here


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--checked", type=Path, required=True, help="where the reports are written")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test with what it is set up by, and write down what a check says of its first pass."""
    seen: dict[str, Any] = {"test": item.nodeid}

    def on_pass(trace: Trace, loss: Tensor, place: Location) -> None:
        began = time.process_time()
        try:
            report = pass_report(trace, loss, place, None, settings_here((), RULES))
            seen["findings"] = [
                (f.code, f.severity, str(f.location), f.message, f.proof) for f in report.findings
            ]
        except Exception as error:  # the test goes on
            seen["fault"] = f"{type(error).__name__}: {error}"
        seen["seconds"] = time.process_time() - began
        watch.end()

    watch = PassWatch(on_pass)
    try:
        with watch:
            return (yield)
    finally:
        with item.config.getoption("--checked").open("a") as stream:
            stream.write(json.dumps(seen) + "\n")


def table(files: list[Path]) -> None:
    """Print a row for each file, and each finding once, with the number of tests that have it."""
    print("| tests | with a backward pass | errors | warnings | notes | faults | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for file in files:
        rows = [json.loads(line) for line in file.open()]
        passes = [row for row in rows if "seconds" in row]
        found = [tuple(f) for row in passes for f in row.get("findings", ())]
        counts = [sum(f[1] == severity for f in found) for severity in ("error", "warning", "info")]
        faults = sum("fault" in row for row in passes)
        seconds = sum(row["seconds"] for row in passes)
        print("|", file.stem, len(rows), "|", len(passes), end=" | ")
        print(*counts, faults, f"{seconds:.0f}", sep=" | ", end=" |\n")
        for place, count in Counter(found).most_common():
            print(count, *place)
        for row in passes:
            if "fault" in row:
                print(row["test"], row["fault"])


if __name__ == "__main__":
    table([Path(name) for name in sys.argv[1:]])
