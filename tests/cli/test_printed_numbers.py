"""Tables of the terminal are written by the one formatter: no perfect result, no p of 0.000."""

import re
from pathlib import Path

from actlab.cli.study.verdict_table import _cells
from actlab.records import Candidate
from actlab.text import process_formatter
from actlab.verdicts.text import Wording

SOURCE = Path(__file__).parents[2] / "src" / "actlab"
PERCENT = re.compile(r"\{100 \* [^}/]*:[.+0-9]*f\}( %)?")
"""A fraction that is rounded by hand, as a percentage."""


def test_a_row_of_the_verdict_promises_no_more_than_its_numbers() -> None:
    row = Candidate(
        name="relu",
        mean=0.99996,
        low=0.99991,
        high=1.0,
        scores=(0.99996,) * 10,
        difference=-0.00004,
        p_adjusted=0.00002,
        group="worse",
    )
    how = Wording(process_formatter(), margin=0.005)
    assert _cells(row, how)[2:] == ["99.99", "99.99 – 100.00", "10", "−0.01", "< 0.001"]


def test_percentages_are_written_in_one_place() -> None:
    elsewhere = {
        f"{path.relative_to(SOURCE)}: {found.group()}"
        for path in SOURCE.rglob("*.py")
        if path.name != "text.py"
        for found in PERCENT.finditer(path.read_text())
    }
    assert elsewhere == set()
