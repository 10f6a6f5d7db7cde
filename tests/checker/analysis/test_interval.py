"""Intervals: their arithmetic is that of all the numbers in them."""

import itertools
import math

import pytest
import torch

from actlab.checker.analysis.interval import BINARY, INF, UNIT, WHOLE, Interval, joined, times

SOME = (
    Interval(-2.0, -1.0), Interval(-2.0, 0.0), Interval(-1.0, 3.0), Interval(0.0, 0.0),
    Interval(0.0, 2.0), Interval(1.0, 4.0), Interval(0.25, 0.5), Interval(-0.5, 0.25),
)  # fmt: skip


def points(of: Interval) -> torch.Tensor:
    return torch.linspace(of.low, of.high, 9, dtype=torch.float64)


@pytest.mark.parametrize("name", BINARY)
def test_an_operation_gives_the_smallest_interval_that_holds_every_result(name: str) -> None:
    for a, b in itertools.product(SOME, SOME):
        divisor = {"div": b, "rdiv": a}.get(name)
        if divisor is not None and divisor.low <= 0 <= divisor.high:
            continue
        x, y = points(a)[:, None], points(b)
        results = {
            "add": x + y, "sub": x - y, "rsub": y - x, "mul": x * y, "div": x / y, "rdiv": y / x,
        }[name]  # fmt: skip
        reach = BINARY[name](a, b)
        expected = (float(results.min()), float(results.max()))
        assert (reach.low, reach.high) == pytest.approx(expected), (a, b)


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        (Interval(0.0, 1.0), Interval(0.0, 2.0), Interval(0.0, INF)),
        (Interval(0.5, 0.75), Interval(0.0, 0.5), Interval(0.0, INF)),
        (Interval(-0.1, 1.0), Interval(0.0, 2.0), WHOLE),
        (Interval(0.0, 1.0), Interval(-0.1, 2.0), WHOLE),
        (Interval(0.0, 1.0), Interval(-2.0, 0.0), WHOLE),
        (Interval(-1.0, 1.0), Interval(-1.0, 1.0), WHOLE),
        (Interval(1.0, 2.0), Interval(1.0, INF), Interval(0.0, 2.0)),
        (Interval(1.0, 2.0), Interval(-INF, -0.5), Interval(-4.0, 0.0)),
        (Interval(0.0, INF), Interval(2.0, 4.0), Interval(0.0, INF)),
    ],
)
def test_a_quotient_is_unbounded_where_the_divisor_comes_to_zero(
    above: Interval, below: Interval, expected: Interval
) -> None:
    assert BINARY["div"](above, below) == expected
    assert BINARY["rdiv"](below, above) == expected


def test_zero_times_anything_is_zero() -> None:
    assert times(0.0, INF) == times(-INF, 0.0) == 0.0
    assert times(2.0, -3.0) == -6.0
    assert BINARY["mul"](Interval(0.0, 0.0), WHOLE) == Interval(0.0, 0.0)
    assert BINARY["mul"](UNIT, WHOLE) == WHOLE


def test_what_joins_two_intervals_holds_both() -> None:
    assert joined(Interval(-1.0, 0.0), Interval(2.0, 3.0)) == Interval(-1.0, 3.0)
    assert joined(Interval(2.0, 3.0), UNIT) == Interval(0.0, 3.0)


def test_within_allows_for_rounding_and_no_more() -> None:
    assert Interval(-1e-6, 1.0 + 5e-7).within(0.0, 1.0)
    assert not Interval(-2e-6, 1.0).within(0.0, 1.0)
    assert not Interval(0.0, 1.0 + 2e-6).within(0.0, 1.0)
    assert Interval(0.0, 2.0).within(0.5, 1.5, slack=0.5)
    assert not Interval(0.0, 2.0).within(0.5, 1.5, slack=0.25)
    assert not Interval(0.0, 2.0).within(0.0, 1.5)
    assert not Interval(-1.0, 1.0).within(0.0, 1.5)


def test_the_width_is_the_distance_between_the_ends() -> None:
    assert Interval(-1.0, 3.0).width == 4.0
    assert Interval(1.0, 3.0).width == 2.0
    assert math.isinf(Interval(low=0.0).width)


def test_ends_are_written_with_three_digits() -> None:
    assert str(Interval(-1.23456, 7.891011)) == "[−1.23, 7.89]"
    assert str(WHOLE) == "[−∞, ∞]"


def test_an_interval_with_one_end_is_neither_bounded_nor_whole() -> None:
    assert Interval().whole
    for one_end in (Interval(low=0.0), Interval(high=0.0)):
        assert not one_end.whole
        assert not one_end.bounded
    assert Interval(0.0, 1.0).bounded
