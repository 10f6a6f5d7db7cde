"""The collection of real cases: every positive found, its corrected twin clean, no false alarm."""

import ast
import importlib

import pytest

from tests.checker.casebook import (
    NEGATIVES,
    POSITIVES,
    Negative,
    Positive,
    assert_found,
    assert_no_worse,
    report_on,
)

for part in (
    "positive_losses",
    "positive_axes",
    "positive_heads",
    "positive_structure",
    "positive_dynamics",
    "further_losses",
    "further_probabilities",
    "further_heads",
    "further_structure",
):
    importlib.import_module(f"tests.checker.cases_{part}")
for part in (
    "negative",
    "healthy",
    "further_healthy",
    "further_healthy_losses",
    "further_healthy_models",
):
    importlib.import_module(f"tests.checker.cases_{part}")


def name(case: Positive | Negative) -> str:
    return f"{case.case} {case.build.__name__}"


@pytest.mark.parametrize("case", POSITIVES, ids=name)
def test_a_fault_is_found(case: Positive) -> None:
    report = report_on(lambda: case.build(False))
    assert_found(report, case.code, case.severity)
    for found in report.findings:
        ast.parse(found.fix)  # SyntaxError where a fix is no Python


@pytest.mark.parametrize("case", POSITIVES, ids=name)
def test_the_corrected_twin_is_clean(case: Positive) -> None:
    assert_no_worse(report_on(lambda: case.build(True)), None)


@pytest.mark.parametrize("case", NEGATIVES, ids=name)
def test_what_is_right_is_left_alone(case: Negative) -> None:
    assert_no_worse(report_on(case.build), case.worst)
