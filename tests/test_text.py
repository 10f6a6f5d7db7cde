from datetime import UTC, datetime
from decimal import Decimal
from gettext import NullTranslations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.text import NO_BREAK, Formatter

FORM = Formatter(NullTranslations(), NO_BREAK)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.floats(0.0, 1.0))
def test_percent_is_within_half_a_step_and_never_perfect_by_rounding(fraction: float) -> None:
    shown = Decimal(FORM.percent_number(fraction))
    assert (shown == 100) == (fraction == 1.0)
    assert (shown == 0) == (fraction == 0.0)
    assert abs(shown - 100 * Decimal(fraction)) <= Decimal("0.0100001")
    if 0.0001 <= fraction <= 0.9999:
        assert abs(shown - 100 * Decimal(fraction)) <= Decimal("0.0050001")


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(1e-12, 1.0))
def test_a_difference_is_never_shown_as_none(difference: float) -> None:
    assert FORM.points(difference) != FORM.points(0.0)
    assert FORM.points(-difference) == FORM.points(difference)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "0.0 s"),
        (9.949, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 0 s"),
        (3599.6, "1 h 0 min"),
        (float("nan"), "–"),
    ],
)
def test_durations_carry_into_the_next_unit(seconds: float, shown: str) -> None:
    assert FORM.duration(seconds) == shown


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (datetime(2026, 11, 23, 18, 21, 5, tzinfo=UTC), "2026-11-23 18:21 UTC"),
        ("2026-11-23T18:21:05+09:00", "2026-11-23 18:21 UTC+09:00"),
        ("last Monday", "last Monday"),
    ],
)
def test_times_have_their_zone(time: datetime | str, shown: str) -> None:
    assert FORM.moment(time) == shown


def test_what_does_not_exist_is_a_dash() -> None:
    assert FORM.percent(None) == FORM.probability(None) == "–"


def test_no_p_value_is_zero() -> None:
    assert FORM.probability(1e-9) == "< 0.001"
    assert FORM.probability(0.0312) == "0.031"
