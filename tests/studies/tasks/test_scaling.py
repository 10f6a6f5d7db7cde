"""Scaling of regression targets: there and back, from the training rows alone, in float32."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.errors import DataError
from actlab.records import OutputHead, OutputLayer, TargetForm, TargetScale
from actlab.studies.tasks import fit_scale, to_original, to_training


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
