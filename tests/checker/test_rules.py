"""Every rule carries its own proof: its faulty cases are found, its clean ones are not."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from actlab.checker.reporting.rule_pages import markdown, page
from actlab.checker.rule import Case, Rule, page_of
from actlab.checker.rules import RULES
from actlab.testing.rules import assert_rule
from tests.checker.casebook import report_on

SOURCE = re.compile(r"https?://\S+|\b(19|20)\d\d\b|[\w.-]+/[\w.-]+#\d+|torch\.[\w.]+")
FOLDER = Path(__file__).parents[2] / "src/actlab/checker/rules"
CASES = [(rule, case) for rule in RULES for case in (*rule.faulty, *rule.clean)]


def name(value: object) -> str:
    return value.name if isinstance(value, Case) else value.code  # type: ignore[attr-defined]  # a rule, where it is no case


@pytest.mark.parametrize(("rule", "case"), CASES, ids=name)
def test_a_case_of_a_rule(rule: type[Rule], case: Case) -> None:
    report = report_on(case.build)
    found = [finding.severity for finding in report.findings if finding.code == rule.code]
    alarms = [finding.code for finding in report.of_severity("error", "warning")]
    assert not [item for item in report.unchecked if "fault of actlab" in item.reason]
    for finding in report.findings:
        ast.parse(finding.fix)  # SyntaxError where a fix is no Python
    if case.severity is None:
        assert found == []
        assert alarms == [], str(report)
    else:
        assert case.severity in found


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_a_rule_is_complete(rule: type[Rule]) -> None:
    assert_rule(rule)
    found = page_of(rule)
    assert found.code.startswith("ACT")
    assert all(case.severity is not None for case in rule.faulty)
    assert SOURCE.search(found.sections["Sources"]), (
        "name a page, a paper with its year or a thread"
    )
    assert rule.code in markdown(page(rule.name), cases=True)


def test_the_list_has_every_rule_of_the_folder_once_in_order() -> None:
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    files = {path.stem for path in FOLDER.glob("*/*.py")} - {"__init__"}
    assert files == {rule.__module__.rsplit(".", 1)[1] for rule in RULES}
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_file_of_a_rule_names_its_code() -> None:
    for rule in RULES:
        first = (sys.modules[rule.__module__].__doc__ or "").splitlines()[0]
        assert rule.code in first.partition(":")[0]


def test_the_pages_are_up_to_date() -> None:
    script = Path(__file__).parents[2] / "docs/rules/generate.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run docs/rules/generate.py; stale: {done.stdout}{done.stderr}"
