"""Programs that people wrote: every fault found, its corrected twin clean, no false alarm."""

import ast

import pytest

from tests.checker import (
    faults_of_heads_and_losses,
    faults_of_heads_and_ranges,
    faults_of_heads_and_targets,
    faults_of_initial_weights,
    faults_of_loss_inputs,
    faults_of_probabilities,
    faults_of_softmax_axes,
    faults_of_structure,
    faults_of_structure_and_training,
    right_activations_inside,
    right_policies_and_generators,
    right_though_it_looks_wrong,
    right_training_recipes,
    right_written_losses,
)
from tests.checker.casebook import (
    Fault,
    Right,
    assert_found,
    assert_no_worse,
    cases_in,
    report_on,
)

FAULTY = (
    faults_of_loss_inputs,
    faults_of_heads_and_losses,
    faults_of_probabilities,
    faults_of_softmax_axes,
    faults_of_heads_and_targets,
    faults_of_heads_and_ranges,
    faults_of_structure,
    faults_of_structure_and_training,
    faults_of_initial_weights,
)
RIGHT_MODULES = (
    right_though_it_looks_wrong,
    right_activations_inside,
    right_policies_and_generators,
    right_written_losses,
    right_training_recipes,
)
FAULTS = [case for module in FAULTY for case in cases_in(module, Fault)]
RIGHT = [case for module in RIGHT_MODULES for case in cases_in(module, Right)]


def name(case: Fault | Right) -> str:
    return case.build.__name__


@pytest.mark.parametrize("case", FAULTS, ids=name)
def test_a_fault_is_found(case: Fault) -> None:
    report = report_on(lambda: case.build(False))
    assert_found(report, case.code, case.severity)
    for found in report.findings:
        ast.parse(found.fix)  # SyntaxError where a fix is no Python


@pytest.mark.parametrize("case", FAULTS, ids=name)
def test_the_corrected_twin_is_clean(case: Fault) -> None:
    assert_no_worse(report_on(lambda: case.build(True)), None)


@pytest.mark.parametrize("case", RIGHT, ids=name)
def test_what_is_right_is_left_alone(case: Right) -> None:
    assert_no_worse(report_on(case.build), case.worst)
