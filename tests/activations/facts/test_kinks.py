"""Where something jumps: its order, and whether a derivative grows without bound."""

import math
from collections.abc import Callable
from functools import cache

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from actlab.activations.catalogue.declared import normal_cdf, normal_tail
from actlab.activations.facts import pasted
from actlab.activations.facts.curve import DIGITS, Curve, DomainError, MeasurementError
from actlab.activations.facts.kinks import (
    Break,
    Piece,
    find_breaks,
    find_pieces,
    find_switches,
    jump_orders,
    one_sided_slopes,
    probes,
    smoothness,
    zero_gradient_share,
)

Array = NDArray[np.float64]
Function = Callable[[Array], Array]


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


def test_in_doubles_no_zero_is_negative() -> None:
    zero = Break(-0.0, (-0.0, -0.0), (-0.0, -0.0), -0.0).in_doubles()
    numbers = (zero.x, *zero.left, *zero.right, zero.here)
    assert [math.copysign(1, number) for number in numbers] == [1] * 6


def test_a_jump_is_more_than_the_last_30_digits_of_the_larger_side_or_of_the_unit() -> None:
    with mpmath.workdps(DIGITS):
        for size in (1, 10**20):
            for share, order in (("1.1e-30", 1), ("0.9e-30", 2)):
                off = mpmath.mpf(share) * size
                for left, right in ((size, size + off), (-size, -size - off)):
                    assert Break(0, (0, left), (0, right), 0).order == order
                    assert Break(0, (0, right), (0, left), 0).order == order
                beside = Break(0, (size, 0), (size, 0), size + off)
                assert beside.order == (0 if order == 1 else 2)
        small = mpmath.mpf("1e-40")
        assert Break(0, (0, 0), (0, small), 0).order == 2
        assert Break(0, (0, 0), (0, small), 0, unit=1e-40).order == 1
        assert not Break(0, (0, 0), (0, small), 0).is_kink
        assert Break(0, (0, 0), (0, small), 0, unit=1e-40).in_doubles().unit == 1e-40


def test_a_derivative_that_is_infinite_jumps_whatever_its_signs() -> None:
    assert found((0.0, math.inf), (0.0, math.inf)).order == 1
    assert found((0.0, 0.0, -math.inf), (0.0, 0.0, -math.inf)).order == 2


@cache
def curve_of(text: str) -> Curve:
    return Curve.of(pasted(text))


Sides = list[tuple[float, int, float, float]]

BREAKS: list[tuple[str, Sides]] = [
    ("x", []),
    ("relu(x-1/3)", [(1 / 3, 1, 0, 1)]),
    ("relu(3e5-2*x)", [(1.5e5, 1, -2, 0)]),
    ("abs(x+1e-7)", [(-1e-7, 1, -1, 1)]),
    ("1e-50*abs(x-2)", [(2, 1, -1e-50, 1e-50)]),
    ("clip(x**2, 1, 4)", [(-2, 1, 0, -4), (-1, 1, -2, 0), (1, 1, 0, 2), (2, 1, 4, 0)]),
    ("where(x>2, x, 0)", [(2, 0, 0, 1)]),
    ("where(x==2, 7, 3*x)", [(2, 0, 3, 3)]),
    ("relu(x-5)**2", [(5, 2, 0, 0)]),
    ("relu(x)**3", [(0, 3, 0, 0)]),
    ("abs(x)*x**5", [(0, 6, 0, 0)]),
    ("abs(x)*x**6", []),
    ("sqrt(abs(x-4))", [(4, 1, -math.inf, math.inf)]),
    ("abs(x+4)**1.5", [(-4, 2, 0, 0)]),
    ("max(x, -x, 1)", [(-1, 1, -1, 0), (1, 1, 0, 1)]),
    ("max(x, 0)+relu(-x)*relu(x)", [(0, 1, 0, 1)]),
    ("relu(x)-relu(x)", []),
    ("abs(x**3-2)", [(2 ** (1 / 3), 1, -3 * 2 ** (2 / 3), 3 * 2 ** (2 / 3))]),
    ("where(x<0, exp(x), cos(x))", [(0, 1, 1, 0)]),
    ("relu(relu(x-1)-2)", [(3, 1, 0, 1)]),
]


@pytest.mark.parametrize(("text", "expected"), BREAKS)
def test_switches_are_found_with_the_order_and_the_slopes_on_either_side(
    text: str, expected: Sides
) -> None:
    rows = [
        (float(b.x), b.order, float(b.left[1]), float(b.right[1]))
        for b in find_breaks(curve_of(text))
    ]
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert row == pytest.approx(wanted, rel=1e-14, abs=1e-60)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("relu(2.2*x+0.03)", -0.03 / 2.2),
        ("relu(2.05*x-2.7)", 2.7 / 2.05),
        ("abs(0.112*x-2.8)", 25.0),
        ("relu(2.2*x-1.52e4)", 1.52e4 / 2.2),
        ("max(0.276*x+1.7, 0)", -1.7 / 0.276),
        ("relu(0.28*x+1.175e8)", -1.175e8 / 0.28),
    ],
)
def test_a_kink_is_found_where_rounding_decides_the_sign_next_to_it(
    text: str, place: float
) -> None:
    assert [float(b.x) for b in find_breaks(curve_of(text))] == pytest.approx([place], rel=1e-15)


def test_steps_without_end_are_looked_at_where_a_normal_input_is() -> None:
    assert [float(b.x) for b in find_breaks(curve_of("floor(x)"))] == list(range(-20, 21))
    shifted = [float(b.x) for b in find_breaks(curve_of("floor(x-0.4)"))]
    assert shifted == pytest.approx([k + 0.4 for k in range(-20, 20)], rel=1e-15)
    assert all(b.order == 0 for b in find_breaks(curve_of("floor(x)")))
    with pytest.raises(MeasurementError, match="Too much happens"):
        find_breaks(curve_of("floor(3*x)"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1/(x-3)", "3.0"),
        ("tan(x-1)", ""),
        ("1/(x**2-2)", "-1.41421"),
        ("x/abs(x+7)", "-7.0"),
    ],
)
def test_a_pole_is_no_switch_but_no_value(text: str, place: str) -> None:
    with pytest.raises(DomainError, match=f"not at x = {place}"):
        find_breaks(curve_of(text))


Stretch = tuple[float, float, bool, bool, bool]

PIECES: list[tuple[str, list[Stretch]]] = [
    ("x", [(-math.inf, math.inf, False, True, True)]),
    ("2*x", [(-math.inf, math.inf, False, True, False)]),
    ("0*x+3", [(-math.inf, math.inf, True, True, False)]),
    ("tanh(x)", [(-math.inf, math.inf, False, False, False)]),
    ("x+1e-20*x**2", [(-math.inf, math.inf, False, False, False)]),
    (
        "clip(x, -2, 3)",
        [
            (-math.inf, -2, True, True, False),
            (-2, 3, False, True, True),
            (3, math.inf, True, True, False),
        ],
    ),
    (
        "where(x<1, x+1, where(x<4, x, x*x))",
        [
            (-math.inf, 1, False, True, False),
            (1, 4, False, True, True),
            (4, math.inf, False, False, False),
        ],
    ),
    (
        "where(x**2<1, exp(-1/(1-x**2)), 0)",
        [
            (-math.inf, -1, True, True, False),
            (-1, 1, False, False, False),
            (1, math.inf, True, True, False),
        ],
    ),
    ("relu(x-1)-relu(x-1)+x", [(-math.inf, math.inf, False, True, True)]),
]


@pytest.mark.parametrize(("text", "expected"), PIECES)
def test_pieces_are_what_is_constant_straight_or_the_identity(
    text: str, expected: list[Stretch]
) -> None:
    curve = curve_of(text)
    pieces = find_pieces(curve, *find_switches(curve))
    assert [
        (float(p.low), float(p.high), p.constant, p.straight, p.identity) for p in pieces
    ] == expected


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("relu(x)", 0.5),
        ("clip(x, -2, 3)", normal_tail(2) + normal_tail(3)),
        ("where(abs(x)<1, exp(-1/(1-x**2)), 0)", 2 * normal_tail(1)),
        ("where(abs(x-1)<0.5, 2, x)", normal_cdf(1.5) - normal_cdf(0.5)),
        ("floor(x)", normal_cdf(25) - normal_cdf(-25)),
        ("tanh(x)", 0),
    ],
)
def test_the_share_of_a_normal_input_without_a_gradient(text: str, share: float) -> None:
    curve = curve_of(text)
    pieces = find_pieces(curve, *find_switches(curve))
    assert zero_gradient_share(pieces) == pytest.approx(share, rel=1e-14)
    assert math.fsum(piece.normal_mass for piece in pieces) == pytest.approx(1, rel=1e-14)


def test_the_mass_of_a_piece_is_that_of_the_normal_distribution() -> None:
    def mass(low: float, high: float) -> float:
        return Piece(mpmath.mpf(low), mpmath.mpf(high), False, False, False).normal_mass

    assert mass(1, 2) == pytest.approx(normal_cdf(2) - normal_cdf(1), rel=1e-14)
    assert mass(-math.inf, -3) == pytest.approx(normal_tail(3), rel=1e-13)
    assert mass(-0.5, math.inf) == pytest.approx(normal_cdf(0.5), rel=1e-14)


@pytest.mark.parametrize(
    ("low", "high", "least", "most"),
    [
        (-math.inf, math.inf, -4, 4),
        (-math.inf, 5, -1, 5),
        (-70, math.inf, -70, -64),
        (2, 2.001, 2, 2.001),
        (-9, 1e6, -9, 1e6),
    ],
)
def test_probes_are_spread_within_a_stretch_and_near_its_edge(
    low: float, high: float, least: float, most: float
) -> None:
    with mpmath.workdps(DIGITS):
        shares = sorted(
            (x - least) / mpmath.mpf(most - least)
            for x in probes(mpmath.mpf(low), mpmath.mpf(high))
        )
    assert len(shares) >= 4
    gaps = np.diff([0.0, *(float(share) for share in shares), 1.0])
    assert gaps.min() > 0.1
    assert gaps.max() < 0.3


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([], "Cinf"),
        ([0], "discontinuous"),
        ([1], "C0"),
        ([2], "C1"),
        ([3], "C2"),
        ([6], "C2"),
        ([4, 1, 3], "C0"),
        ([2, 0], "discontinuous"),
    ],
)
def test_the_class_is_that_of_the_roughest_break(orders: list[int], expected: str) -> None:
    def jumping(order: int) -> Break:
        right = tuple(float(k == order) for k in range(7))
        return Break(0.0, (0.0,) * 7, right, 0.5 if order == 0 else 0.0)

    assert smoothness(tuple(jumping(order) for order in orders)) == expected


def power(k: int, place: float, size: float) -> tuple[Function, Function]:
    """Return size * relu(x - place)^k / k!, of which derivative k jumps by size, and its slope."""

    def rising(x: Array, k: int) -> Array:
        beyond = np.maximum(x - place, 0.0)
        return size * (beyond**k / math.factorial(k) if k else 1.0 * (x > place))

    return (
        lambda x: rising(x, k),
        lambda x: np.zeros_like(x) if k == 0 else rising(x, k - 1),
    )


@pytest.mark.parametrize("place", [-12.0, -3.125, 0.0, 7.5, 12.0])
@pytest.mark.parametrize("order", range(4))
def test_a_planted_jump_is_found_at_its_place_with_its_order(order: int, place: float) -> None:
    for sign in (-1, 1):
        value, slope = power(order, place, sign)
        assert jump_orders(value, slope) == {place: order}
    for beyond in (-12.125, 12.125):
        assert jump_orders(*power(order, beyond, 1)) == {}


@pytest.mark.parametrize(
    ("order", "seen", "unseen"),
    [(0, 1.1e-8, 0.9e-8), (1, 1.1e-7, 0.9e-7), (2, 1.1e-3, 0.9e-3), (3, 0.31, 0.29)],
)
def test_a_jump_counts_from_a_size_on(order: int, seen: float, unseen: float) -> None:
    assert jump_orders(*power(order, 2.0, seen)) == {2.0: order}
    assert jump_orders(*power(order, 2.0, unseen)) == {}


def test_a_small_jump_of_the_third_derivative_is_found_beside_a_slope_of_10() -> None:
    value, slope = power(3, 2.0, 0.32)
    assert jump_orders(lambda x: 9.9 * x + value(x), lambda x: 9.9 + slope(x)) == {2.0: 3}


def test_each_side_is_extrapolated_from_multiples_of_a_128th() -> None:
    seen: list[Array] = []

    def flat(x: Array) -> Array:
        seen.append(x)
        return np.zeros_like(x)

    assert jump_orders(flat, flat) == {}
    assert all((points * 128 % 1 == 0).all() for points in seen)


def test_an_overflow_at_the_outermost_point_is_no_jump() -> None:
    end = 3 + 5.5 / 128
    with np.errstate(all="ignore"):
        assert jump_orders(lambda x: np.where(x > end, np.inf, 0.0), np.zeros_like) == {}


def test_several_jumps_are_found_each_with_the_first_that_does() -> None:
    parts = [power(1, -2.0, 1.0), power(2, 0.5, -3.0), power(0, 3.0, 0.25), power(1, 3.0, 1.0)]
    found_there = jump_orders(
        lambda x: sum((value(x) for value, _slope in parts), start=np.sin(x)),
        lambda x: sum((slope(x) for _value, slope in parts), start=np.cos(x)),
    )
    assert found_there == {-2.0: 1, 0.5: 2, 3.0: 0}


SMOOTH: dict[str, tuple[Function, Function]] = {
    "exp": (np.exp, np.exp),
    "x**9": (lambda x: x**9, lambda x: 9 * x**8),
    "1e6 sin": (lambda x: 1e6 * np.sin(x), lambda x: 1e6 * np.cos(x)),
    "a kink between places": (lambda x: np.abs(x - 1.31), lambda x: np.sign(x - 1.31)),
    "a kink beside a place": (lambda x: np.abs(x - 1.2502), lambda x: np.sign(x - 1.2502)),
    "x^(7/2)": (lambda x: np.abs(x) ** 3.5, lambda x: 3.5 * np.abs(x) ** 2.5 * np.sign(x)),
    "steep": (lambda x: np.tanh(20 * x), lambda x: 20 / np.cosh(20 * x) ** 2),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_growth_steepness_and_a_kink_elsewhere_are_no_jumps(name: str) -> None:
    assert jump_orders(*SMOOTH[name]) == {}


def test_a_kink_of_a_large_function_is_found() -> None:
    for factor in (1e2, 1e8):
        assert jump_orders(
            lambda x, f=factor: f * np.abs(x - 5), lambda x, f=factor: f * np.sign(x - 5)
        ) == {5.0: 1}
        assert jump_orders(
            lambda x, f=factor: f * x * np.abs(x), lambda x, f=factor: 2 * f * np.abs(x)
        ) == {0.0: 2}


@pytest.mark.parametrize("place", [-2.0, 0.0, 0.3])
def test_one_sided_slopes_are_extrapolated_to_the_place(place: float) -> None:
    def slope(x: Array) -> Array:
        return np.where(x > place, np.exp(x), -3 * x**4 - 1)

    left, right = one_sided_slopes(slope, place)
    assert left == pytest.approx(-3 * place**4 - 1, rel=1e-12)
    assert right == pytest.approx(math.exp(place), rel=1e-12)
