"""Where something jumps: its order, and whether a derivative grows without bound."""

import math

import pytest

from actlab.activations.facts.kinks import Break


def found(left: tuple[float, ...], right: tuple[float, ...], here: float = 0.0) -> Break:
    return Break(1.0, left, right, here)


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ((-1.0, 0.0), (1.0, 0.0), 0),
        ((0.0, 0.0), (0.0, 1.0), 1),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 2.0), 2),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 3),
    ],
)
def test_the_order_is_that_of_the_first_derivative_that_jumps(
    left: tuple[float, ...], right: tuple[float, ...], order: int
) -> None:
    assert found(left, right).order == order
    assert found(left, right).is_kink == (order <= 1)


def test_a_value_of_its_own_at_the_place_is_a_jump() -> None:
    assert found((0.0, 0.0), (0.0, 0.0), here=1.0).order == 0


def test_steep_is_where_a_derivative_grows_without_bound_on_a_side() -> None:
    assert found((0.0, math.inf), (0.0, 1.0)).is_steep
    assert found((0.0, 1.0), (0.0, -math.inf)).is_steep
    assert not found((0.0, 1.0), (0.0, 2.0)).is_steep


def test_in_doubles_the_value_and_the_slope_are_kept() -> None:
    doubles = found((1.0, 2.0, 3.0), (4.0, 5.0, 6.0), here=4.0).in_doubles()
    assert (doubles.left, doubles.right, doubles.here) == ((1.0, 2.0), (4.0, 5.0), 4.0)
