"""Targets: whether they fit a task, and the scale on which a regression is trained."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.data.targets import OUTPUTS, target_of_digits
from actlab.errors import DataError
from actlab.records import OutputHead, OutputLayer, TargetForm, TargetScale
from actlab.studies.tasks import check_target, fit_scale, target_faults, to_original, to_training
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


def layer(target: TargetForm, head: OutputHead = "none") -> OutputLayer:
    return OutputLayer("regression", head, "mse", target)


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)[:, np.newaxis]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.integers(-300, 300), min_size=2, max_size=20).filter(lambda v: len(set(v)) > 1))
def test_standardised_rows_have_mean_0_and_deviation_1_and_come_back(values: list[int]) -> None:
    rows = column(*values)
    scale = fit_scale(layer("standardised"), rows)
    scaled = to_training(scale, rows)
    assert scaled.dtype == np.float32
    assert abs(scaled.mean(dtype=np.float64)) < 1e-5
    assert scaled.std(dtype=np.float64) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(to_original(scale, scaled), rows, atol=1e-4)


def test_only_the_rows_that_are_given_count() -> None:
    train, valid = column(1, 3), column(100)
    scale = fit_scale(layer("standardised"), train)
    assert (scale.mean, scale.deviation) == (2.0, 1.0)
    assert to_training(scale, valid)[0, 0] == 98.0


def test_raw_targets_stay() -> None:
    rows = column(1, 6)
    scale = fit_scale(layer("raw"), rows)
    assert scale == TargetScale()
    np.testing.assert_array_equal(to_training(scale, rows), rows)


@pytest.mark.parametrize("form", ["raw", "standardised"])
def test_the_sigmoid_of_the_target_and_back(form: TargetForm) -> None:
    rows = column(1, 2, 3, 4, 6)
    scale = fit_scale(layer(form, "sigmoid_transformed"), rows)
    scaled = to_training(scale, rows)
    exact = (rows.astype(float) - scale.mean) / scale.deviation
    np.testing.assert_allclose(scaled, 1 / (1 + np.exp(-exact)), rtol=1e-6)
    np.testing.assert_allclose(to_original(scale, scaled), rows, rtol=1e-4)


def test_where_float32_loses_a_sigmoid() -> None:
    """Exactly 1 from 16.7 on; 15 comes back roughly, -15 and even -80 nearly whole."""
    scale = fit_scale(layer("raw", "sigmoid_transformed"), column(0, 1))
    back = to_original(scale, to_training(scale, column(16.5, 16.7, -15, -80, 15)))[:, 0]
    assert np.isfinite(back[0])
    assert back[1] == np.inf
    assert back[2] == pytest.approx(-15, abs=1e-5)
    assert back[3] == pytest.approx(-80, abs=1e-5)
    assert back[4] == pytest.approx(15, abs=0.2)


@pytest.mark.parametrize("values", [(2.0, 2.0), (1.0, np.nan), (1.0, np.inf)])
def test_a_target_that_cannot_be_standardised(values: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match="must be finite and must vary"):
        fit_scale(layer("standardised"), column(*values))
