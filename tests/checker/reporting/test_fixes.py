"""Every edit of every case is applied: it parses, silences its finding and raises no other."""

import ast
import importlib.util
import linecache
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from actlab.checker.report import Edit, Finding, Report
from actlab.checker.reporting.fixes import attribute_path, difference, edited, write
from actlab.checker.rule import Situation
from actlab.checker.rules import RULES
from tests.checker.casebook import Fault, cases_in, report_on

FILES = sorted(Path(__file__).parents[1].glob("faults_*.py"))


def builders() -> Iterator[tuple[str, str, str, Callable[[], Situation]]]:
    """Yield the code, the file and the name of each faulty program, and what builds it."""
    for rule in RULES:
        for case in rule.faulty:
            file = str(sys.modules[case.build.__module__].__file__)
            yield rule.code, file, case.build.__name__, case.build
    for path in FILES:
        module = importlib.import_module(f"tests.checker.{path.stem}")
        for fault in cases_in(module, Fault):
            build = fault.build
            yield fault.code, str(path), build.__name__, lambda build=build: build(False)


def imported(path: Path, text: str) -> ModuleType:
    path.write_text(text)
    linecache.checkcache(str(path))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build_of(module: ModuleType, name: str) -> Callable[[], Situation]:
    found = getattr(module, name)
    return (lambda: found.build(False)) if type(found).__name__ == "Fault" else found


def moved(finding: Finding, file: Path) -> Finding:
    assert finding.edit is not None
    return replace(finding, edit=replace(finding.edit, file=str(file)))


def alarms(report: Report) -> set[str]:
    return {found.code for found in report.of_severity("error", "warning")}


CASES = list(builders())


@pytest.mark.parametrize(
    ("code", "file", "name", "build"), CASES, ids=[f"{code}-{name}" for code, _f, name, _b in CASES]
)
def test_an_edit_mends(
    code: str, file: str, name: str, build: Callable[[], Situation], tmp_path: Path
) -> None:
    before = report_on(build)
    for found in before.findings:
        ast.parse(found.fix)
        if found.edit is None or found.code != code or found.edit.file != file:
            continue
        path = tmp_path / "mended.py"
        path.write_text(Path(file).read_text())
        left = [moved(found, path)]
        for _again in range(3):  # the line may have the fault twice
            text = edited(left)[str(path)]
            assert text != path.read_text()
            ast.parse(text)
            after = report_on(build_of(imported(path, text), name))
            left = [
                item
                for item in after.findings
                if (item.code, item.location.line) == (code, found.location.line) and item.edit
            ]
            if not left:
                break
        places = [(item.code, item.location.line) for item in after.findings]
        assert (found.code, found.location.line) not in places, str(after)
        assert alarms(after) <= alarms(before), str(after)


def test_most_of_what_has_code_for_a_fix_has_an_edit() -> None:
    made = sum(any(f.edit for f in report_on(build).findings) for _c, _f, _n, build in CASES)
    assert made >= 0.3 * len(CASES)


def in_file(path: Path, old: str, new: str, line: int = 1) -> Finding:
    column = path.read_text().splitlines()[line - 1].index(old) + 1
    edit = Edit(str(path), line, column, line, column + len(old), new)
    finding = next(f for f in report_on(CASES[0][3]).findings if f.code == CASES[0][0])
    return replace(finding, edit=edit)


def test_edits_of_one_file_are_made_together_and_overlapping_ones_once(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("x = f(é(y)) + g(z)\n")
    findings = [
        in_file(path, "f(é(y))", "é(y)"),
        in_file(path, "é(y)", "y"),
        in_file(path, "g(z)", "z"),
    ]
    new = edited(findings)
    assert new == {str(path): "x = é(y) + z\n"}
    shown = difference(new)
    assert "-x = f(é(y)) + g(z)\n+x = é(y) + z\n" in shown
    assert path.read_text().startswith("x = f")
    write(new)
    assert path.read_text() == "x = é(y) + z\n"


def test_a_path_as_python() -> None:
    assert attribute_path("") == "model"
    assert attribute_path("blocks.0.1.act") == "model.blocks[0][1].act"
