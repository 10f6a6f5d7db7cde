"""Targets that do not fit a task: each fault named, all of them at once."""

import numpy as np
import pytest

from actlab.data.digit_targets import OUTPUTS, target_of_digits
from actlab.errors import DataError
from actlab.studies.tasks import check_target, target_faults
from actlab.tasks import TASKS

NAN = float("nan")


@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_targets_of_digits_fit(task: str) -> None:
    target = target_of_digits(task, np.arange(10))  # type: ignore[arg-type]  # names of TASKS
    check_target(task, target, OUTPUTS[task])  # type: ignore[arg-type, index]  # likewise


@pytest.mark.parametrize(
    ("task", "target", "said"),
    [
        ("regression", [1.0, NAN, 3.0], "1 target is NaN or infinite (row 1)"),
        (
            "regression",
            [NAN, 2.0, float("inf")],
            "2 targets are NaN or infinite (the first",
        ),
        ("regression", [5.0, 5.0], "every target is 5.0"),
        ("regression", [[1.0, 7.0], [2.0, 7.0]], "every target of column 1 is 7.0"),
        ("regression", [], "at least one target; got shape (0,)"),
        ("regression", [1j, 2j], "real numbers"),
        ("regression", ["1", "2"], "must be numbers; got <U1"),
        ("regression", np.zeros((2, 2, 2)), "one row of numbers per sample"),
        ("probability", [0.0, 2.0], "between 0 and 1; 2 lie outside"),
        ("probability", [1.0, 1.0], "every target is 1.0"),
        ("probability", [[0.0, 1.0]], "Several at once are the task multilabel"),
        ("binary", [0, 1, 2], "numbered from 0 to 1; 2 lie outside"),
        ("binary", [-1, 1], "-1 lie outside"),
        ("binary", [0, 0, 0], "every sample is of class 0: one class only"),
        ("multiclass", [0, 1, 10], "numbered from 0 to 9; 10 lie outside"),
        ("multiclass", [0.5, 1.0], "whole numbers"),
        ("multiclass", [[1, 1, 0], [0, 1, 0]], "(multi-hot); classes that may hold at once"),
        ("multiclass", [[0, 1, 0], [1, 0, 0]], "(one-hot); give the position"),
        ("multiclass", [[3, 1], [2, 0]], "one number per sample; got shape (2, 2)"),
        ("multiclass", [NAN, 0.0, 1.0], "1 target is NaN"),
        ("multilabel", [[0, 1], [0, 0]], "every target of column 0 is 0"),
        ("multilabel", [[0, 1], [2, 0]], "between 0 and 1; 2 lie outside"),
        ("multilabel", [[0, 0.5], [1, 0]], "must be 0 or 1; some lie between"),
        ("multilabel", [0, 1], "A single one is the task probability"),
    ],
)
def test_each_fault_is_named(task: str, target: object, said: str) -> None:
    faults = target_faults(task, np.array(target), 10)  # type: ignore[arg-type]  # names of TASKS
    assert any(said in fault for fault in faults), faults


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(DataError) as caught:
        check_target("multiclass", np.array([NAN, -1.0, 0.5, 12.0]), 10)
    text = str(caught.value)
    assert text.startswith("The target does not fit the task multiclass:")
    for part in ("NaN", "whole numbers", "-1, 12 lie outside"):
        assert part in text
    assert text.count("\n  - ") == 3


def test_many_values_outside_are_cut_short() -> None:
    (fault,) = target_faults("multiclass", np.arange(20), 10)
    assert "10, 11, 12, ... lie outside" in fault
