import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from actlab.pages.proportions import Z95, accuracy


def test_the_point_is_that_of_the_normal_distribution() -> None:
    assert math.isclose(stats.norm.ppf(0.975), Z95, rel_tol=1e-14)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 20_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_error_and_interval_are_those_of_scipy(case: tuple[int, int]) -> None:
    right, images = case
    found = accuracy(right / images, images)
    interval = stats.binomtest(right, images).proportion_ci(method="wilson")
    assert found.correct == right
    assert found.low == pytest.approx(interval.low, abs=1e-12)
    assert found.high == pytest.approx(interval.high, abs=1e-12)
    assert found.low <= found.value + 1e-15
    assert found.high >= found.value - 1e-15
    assert found.standard_error == pytest.approx(
        stats.binom(images, right / images).std() / images, abs=1e-12
    )


def test_an_accuracy_that_is_no_count_has_no_count() -> None:
    assert accuracy(0.5, 3).correct is None


@pytest.mark.parametrize(("value", "images"), [(0.5, 0), (1.1, 10), (-0.1, 10)])
def test_what_is_no_share_of_images_is_refused(value: float, images: int) -> None:
    with pytest.raises(ValueError, match="a fraction of some images"):
        accuracy(value, images)
