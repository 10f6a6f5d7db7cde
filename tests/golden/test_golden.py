"""What every command with `--json` prints is what it printed before, but for what is masked.

`python -m tests.golden.record` writes the files anew where a change is meant.
"""

import shutil
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.golden import _cases
from tests.golden.documents import differences, portable, read

ARITHMETIC = "recorded with"
"""The key under which a golden file of trainings says what its last digits depend on."""

EVERYWHERE = "*"

MASKED = {
    EVERYWHERE: {
        "seconds": "how long something took on this machine",
        "code_version": "the version of actlab that trained: recorded, and no part of the answer",
        "driver/version": "the version of actlab that wrote a SARIF log",
    },
    "study precisions searched pruned own_network": {
        "cost": "measured on this machine: time relative to a copy",
        r"re:\(cost \d+\.\d\)": "the same in a sentence",
        "seconds_per_epoch": "measured on this machine",
        "minutes": "follows from the seconds of an epoch",
    },
    "study_of_tasks tasks_run": {
        "column": "the place is the line that starts a worker, which holds numbers of open files",
        "end_column": "the same line, as long as those numbers",
    },
    "machine": {
        "ok": "doctor says what this machine has; the subjects are kept",
        "found": "doctor says what this machine has",
        "advice": "doctor says what this machine lacks",
        "copy_ns": "measured on this machine",
        "forward_ns": "measured on this machine",
        "backward_ns": "measured on this machine",
        "forward_ratio": "measured on this machine",
        "backward_ratio": "measured on this machine",
    },
}
"""What is masked, by families, each with its reason: a key, a key under another (`driver/version`)
or text by a pattern (`re:`). Paths in the folder of a test and line numbers are not masked but made
portable by `documents.portable`: they become `<folder>` and the text of the line.
"""

SHOWN = 30
"""Differences that a failure names."""


def masks(family: str) -> dict[str, str]:
    """Return what is masked in the documents of a family."""
    found: dict[str, str] = {}
    for families, masked in MASKED.items():
        if families == EVERYWHERE or family in families.split():
            found |= masked
    return found


def path_of(family: str) -> Path:
    """Return the golden file of a family."""
    return _cases.HERE / f"{family}.json"


def kept(family: str) -> dict[str, Any]:
    """Return the golden document; skips where no such figures can come out on this machine."""
    document = read(path_of(family))
    recorded = document.pop(ARITHMETIC, None)
    if recorded is not None and recorded != _cases.arithmetic():
        pytest.skip(f"trained with {recorded}, here is {_cases.arithmetic()}: other last digits")
    return document


@pytest.mark.parametrize(
    "family",
    [
        pytest.param(name, marks=pytest.mark.slow if name in _cases.SLOW else ())
        for name in _cases.FAMILIES
    ],
)
def test_a_command_says_what_it_said(family: str, tmp_path: Path) -> None:
    expected = kept(family)
    found = portable(_cases.FAMILIES[family](tmp_path), tmp_path, masks(family))
    faults = list(islice(differences(expected, found), SHOWN))
    assert not faults, "\n" + "\n".join(faults)


def test_the_page_of_an_old_run_says_its_verdict(tmp_path: Path) -> None:
    verdict = read(path_of("old_run"))["verdict.json"]
    shutil.copytree(_cases.OLD_RUN, tmp_path / "run")
    page = tmp_path / "page.html"
    for language in ("en", "ko"):
        shown = _cases.printed(tmp_path, "report", "run", "-o", page, "--lang", language, "--json")
        assert shown["code"] == 0
        text = page.read_text(encoding="utf-8")
        assert f'<html lang="{language}"' in text
        names = {row["activation"] for rows in verdict["slots"].values() for row in rows}
        assert all(name in text for name in names)
