"""The contract of a rule of the checker: a documented page, and programs that prove it."""

import ast

from actlab.checker.api import check, check_step
from actlab.checker.report import Report
from actlab.checker.rule import Case, Rule, page_of


def assert_rule(rule: type[Rule]) -> None:
    """Raise AssertionError where a rule does not keep what every rule of actlab keeps.

    Its docstring has all the sections of its page; each of its faulty cases is found by it, with
    the severity that the case names and a fix that is Python; it is silent on its clean cases; and
    it raises nothing but `NotCheckable`. ValueError names a missing section.

    >>> from actlab.checker.rules import RULES
    >>> assert_rule(RULES[0])
    """
    page_of(rule)
    assert rule.faulty, f"{rule.code} has no faulty case"
    assert rule.clean, f"{rule.code} has no clean case"
    for case in (*rule.faulty, *rule.clean):
        assert_case(rule, case)


def assert_case(rule: type[Rule], case: Case) -> Report:
    """Raise AssertionError where a rule does not say of a case what the case names.

    Returns what it said.
    """
    report = report_of(rule, case)
    what = f"{rule.code} on {case.name}"
    faults = [item.reason for item in report.unchecked if "fault of actlab" in item.reason]
    assert not faults, f"{what}: {faults[0]}"
    severities = [finding.severity for finding in report.findings]
    if case.severity is None:
        assert not severities, f"{what}: a false alarm:\n{report}"
        return report
    assert case.severity in severities, f"{what}: no {case.severity}:\n{report}"
    for finding in report.findings:
        parts = (finding.message, finding.proof, finding.why, finding.fix)
        assert all(parts), f"{what}: a finding has a message, a proof, a reason and a fix"
        ast.parse(finding.fix)  # SyntaxError where a fix is no Python
    return report


def report_of(rule: type[Rule], case: Case) -> Report:
    """Return what one rule says of a case, which is built under a fixed seed."""
    import torch

    torch.manual_seed(20250301)
    built = case.build()
    if built.step is not None:
        return check_step(
            built.step, built.model, built.optimizer, built.task, built.evaluate, rules=[rule]
        )
    return check(built.model, built.loss, built.batch, built.task, built.optimizer, rules=[rule])
