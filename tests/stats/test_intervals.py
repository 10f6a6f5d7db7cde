"""Intervals: SciPy's t test, a bootstrap written out, and how often they cover the truth."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from actlab.stats import Interval, StatisticsError, bca_interval, student_t_interval
from tests.stats.simulation import HIGHEST, LOWEST, STUDIES, correlated, reuse

VALUES = st.lists(st.integers(0, 10_000), min_size=2, max_size=12).map(
    lambda counts: [count / 10_000 for count in counts]
)


def covers(found: Interval, truth: float) -> bool:
    return found.low <= truth <= found.high


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_student_agrees_with_scipy(confidence: float) -> None:
    values = np.random.default_rng(1).gamma(2.0, size=11)
    expected = scipy_stats.ttest_1samp(values, 0.0).confidence_interval(confidence)
    found = student_t_interval(values, confidence)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert found.estimate == pytest.approx(values.mean())


@pytest.mark.parametrize("n", [2, 10])
@pytest.mark.parametrize("rho", [0.0, 0.2, 0.33])
def test_student_covers_95_percent_also_for_replicates_that_reuse_rows(n: int, rho: float) -> None:
    values = correlated(np.random.default_rng(n), STUDIES, n, rho)
    factor = 1 / n + reuse(rho)
    hits = [covers(student_t_interval(row, variance_factor=factor), 0.0) for row in values]
    assert LOWEST <= np.mean(hits) <= HIGHEST


def test_student_without_the_correction_is_too_short_for_reused_rows() -> None:
    values = correlated(np.random.default_rng(2), STUDIES, 10, 0.2)
    hits = [covers(student_t_interval(row), 0.0) for row in values]
    assert 0.68 <= np.mean(hits) <= 0.78  # the figure in the docstring


def bca_written_out(values: np.ndarray, generator: np.random.Generator) -> tuple[float, float]:
    """Efron and Tibshirani (1993), section 14.3, line by line."""
    n, normal = values.size, scipy_stats.norm
    means = values[generator.integers(n, size=(40_000, n))].mean(axis=1)
    bias = normal.ppf((means < values.mean()).mean())
    without = (values.sum() - values) / (n - 1)
    pull = without.mean() - without
    acceleration = (pull**3).sum() / (6 * (pull**2).sum() ** 1.5)
    at = [bias + normal.ppf(p) for p in (0.025, 0.975)]
    levels = [normal.cdf(bias + z / (1 - acceleration * z)) for z in at]
    low, high = np.quantile(means, levels)
    return float(low), float(high)


def test_bca_agrees_with_the_formulas_written_out() -> None:
    values = np.random.default_rng(3).exponential(size=30)
    low, high = bca_written_out(values, np.random.default_rng(4))
    found = bca_interval(values, np.random.default_rng(5), resamples=40_000)
    width = high - low
    assert found.low == pytest.approx(low, abs=0.02 * width)
    assert found.high == pytest.approx(high, abs=0.02 * width)


@pytest.mark.parametrize(("n", "lowest", "highest"), [(10, 0.87, 0.915), (30, 0.915, 0.95)])
def test_bca_covers_what_its_docstring_says(n: int, lowest: float, highest: float) -> None:
    generator = np.random.default_rng(n)
    values = generator.standard_normal((STUDIES, n))
    ends = scipy_stats.bootstrap(
        (values,), np.mean, axis=1, n_resamples=999, method="BCa", batch=50, rng=generator
    ).confidence_interval
    assert lowest <= np.mean((ends.low <= 0.0) & (ends.high >= 0.0)) <= highest


@pytest.mark.slow
@pytest.mark.parametrize(("n", "lowest", "highest"), [(10, 0.87, 0.915), (30, 0.915, 0.95)])
def test_bca_itself_covers_what_its_docstring_says(n: int, lowest: float, highest: float) -> None:
    generator = np.random.default_rng(n)
    values = generator.standard_normal((STUDIES, n))
    hits = [covers(bca_interval(row, generator, resamples=999), 0.0) for row in values]
    assert lowest <= np.mean(hits) <= highest


@given(VALUES, st.integers(-3, 3), st.floats(0.1, 10.0))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_student_follows_shift_scale_and_order(
    values: list[float], shift: int, scale: float
) -> None:
    plain = student_t_interval(values)
    moved = student_t_interval([scale * value + shift for value in reversed(values)])
    assert moved.low == pytest.approx(scale * plain.low + shift, abs=1e-9)
    assert moved.high == pytest.approx(scale * plain.high + shift, abs=1e-9)


def test_one_value_bounds_nothing_and_equal_values_have_the_width_of_the_grid() -> None:
    generator = np.random.default_rng(0)
    for one in (student_t_interval([0.97]), bca_interval([0.97], generator)):
        assert (one.estimate, one.low, one.high) == (0.97, -math.inf, math.inf)
    for equal in (student_t_interval([0.1] * 3), bca_interval([0.1] * 3, generator)):
        assert (equal.low, equal.high) == (0.1, 0.1)
    wide = student_t_interval([0.5, 0.5], resolution=0.01)
    assert wide.high - 0.5 == pytest.approx(12.706 * 0.01 / math.sqrt(24), rel=1e-4)


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ([], "number of values must be at least 1; it is 0"),
        ([1.0, math.nan], "must be finite"),
        ([1.0, math.inf], "must be finite"),
        ([[1.0]], "1 dimension"),
        ([[1.0], [1.0, 2.0]], "rows of one length"),
        (["best"], "must be numbers"),
    ],
)
def test_what_is_no_sample_is_refused(values: list[object], part: str) -> None:
    with pytest.raises(StatisticsError, match=part):
        student_t_interval(values)  # type: ignore[arg-type]  # wrong on purpose


def test_a_confidence_outside_0_to_1_is_refused() -> None:
    with pytest.raises(StatisticsError, match="confidence must lie between 0 and 1; it is 95"):
        student_t_interval([1.0, 2.0], confidence=95)
