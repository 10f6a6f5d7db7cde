"""Turning points, inflections, limits, bounds and fixed points against closed forms."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import pytest

from actlab.activations.facts import ScalarFacts, measure, pasted
from actlab.activations.facts.critical_points import (
    Candidate,
    CriticalPoints,
    Extreme,
    fixed_points,
    highest,
    limit,
    lowest,
)
from actlab.activations.facts.curve import DIGITS, Curve, MeasurementError

Real = Callable[[], Any]


@cache
def taken_apart(text: str) -> CriticalPoints:
    return CriticalPoints(Curve.of(pasted(text)))


@cache
def facts_of(text: str) -> ScalarFacts:
    return measure(pasted(text))


def same(found: Any, expected: Any) -> bool:
    """Return whether two reals agree in all but a few of the digits of the reference."""
    with mpmath.workdps(DIGITS):
        return bool(abs(found - expected) <= mpmath.mpf(10) ** (8 - DIGITS) * max(1, abs(expected)))


def reals(*texts: str) -> Real:
    def evaluated() -> Any:
        names = {name: getattr(mpmath, name) for name in ("sqrt", "pi", "log", "mpf", "atan", "e")}
        return [eval(text, {}, names) + mpmath.mpf(0) for text in texts]

    return evaluated


TURNS: list[tuple[str, Real, Real]] = [
    ("x**3-3*x", reals("-1", "1"), reals("0")),
    ("x**3-6*x", reals("-sqrt(2)", "sqrt(2)"), reals("0")),
    ("x", reals(), reals()),
    ("x**3", reals(), reals("0")),
    ("exp(-(x-7)**2)", reals("7"), reals("7-1/sqrt(2)", "7+1/sqrt(2)")),
    (
        "exp(-((x+0.25)*2**20)**2)",
        reals("mpf(-1)/4"),
        reals("-mpf(1)/4-1/(sqrt(2)*2**20)", "-mpf(1)/4+1/(sqrt(2)*2**20)"),
    ),
    (
        "exp(-((x-3e5)/2000)**2)",
        reals("300000"),
        reals("300000-2000/sqrt(2)", "300000+2000/sqrt(2)"),
    ),
    ("1/(1+x**2)", reals("0"), reals("-1/sqrt(3)", "1/sqrt(3)")),
    ("1e-250/(1+x**2)", reals("0"), reals("-1/sqrt(3)", "1/sqrt(3)")),
    ("tanh(x-19.9)", reals(), reals("mpf(199)/10")),
    ("tanh(x+1/3)", reals(), reals("-mpf(1)/3")),
    ("atan(x)-x/2", reals("-1", "1"), reals("0")),
    ("x**2*abs(x-1)", reals("0", "mpf(2)/3"), reals("mpf(1)/3")),
    ("x*exp(-x)", reals("1"), reals("2")),
    ("x**2/2-x**3/3", reals("0", "1"), reals("mpf(1)/2")),
    (
        "x**4-2*x**2",
        reals("-1", "0", "1"),
        reals("-1/sqrt(3)", "1/sqrt(3)"),
    ),
    ("(x-1)*(x-2)*(x-3)", reals("2-1/sqrt(3)", "2+1/sqrt(3)"), reals("2")),
    ("where(x<1, (x+1)**2, 9-x)", reals("-1"), reals()),
]


@pytest.mark.parametrize(("text", "turns", "inflections"), TURNS)
def test_turns_and_inflections_have_the_digits_of_the_reference(
    text: str, turns: Real, inflections: Real
) -> None:
    points = taken_apart(text)
    with mpmath.workdps(DIGITS):
        expected = turns(), inflections()
    for found, wanted in zip((points.turns, points.inflections), expected, strict=True):
        assert len(found) == len(wanted)
        assert all(same(a, b) for a, b in zip(found, wanted, strict=True))


def test_a_turn_is_found_where_the_slope_is_level_in_the_middle_of_a_bracket() -> None:
    """f' = (x - m)^3 + c, of which the root is not m, the middle of two points of the grid."""
    m = 129 / 128
    for c in (-1e-8, 1e-8):
        points = taken_apart(f"x**4/4-{m}*x**3+1.5*{m}**2*x**2-{m}**3*x+({c})*x")
        with mpmath.workdps(DIGITS):
            root = m - mpmath.sign(c) * mpmath.cbrt(mpmath.mpf("1e-8"))
        assert len(points.turns) == 1
        assert same(points.turns[0], root)


def test_of_an_oscillation_the_turns_nearest_0_are_refined() -> None:
    points = taken_apart("cos(x)")
    with mpmath.workdps(DIGITS):
        assert len(points.turns) == 24
        assert all(
            same(found, k * mpmath.pi)
            for found, k in zip(points.turns, range(-12, 12), strict=True)
        )


LIMITS: list[tuple[Callable[[Any], Any], float | None, float | None]] = [
    (lambda x: 3 - 1 / x, 3, 3),
    (mpmath.atan, -math.pi / 2, math.pi / 2),
    (lambda x: x, -math.inf, math.inf),
    (lambda x: -x * x, -math.inf, -math.inf),
    (lambda x: 7 + 0 * x, 7, 7),
    (mpmath.sin, None, None),
    (lambda x: x * mpmath.sin(x), None, None),
    (lambda x: mpmath.sin(x) / x, 0, 0),
    (lambda x: 1e9 + 1 / x, 1e9, 1e9),
    (lambda x: mpmath.sign(x) * mpmath.log(1 + abs(x)), -math.inf, math.inf),
    (lambda x: mpmath.sign(x) * abs(x) ** mpmath.mpf("0.3"), -math.inf, math.inf),
    (lambda x: 5 + abs(x) ** mpmath.mpf("-0.5"), 5, 5),
    (lambda x: x * mpmath.inf, -math.inf, math.inf),
    (lambda x: mpmath.atan((x - 5e3) / 900), -math.pi / 2, math.pi / 2),
    (lambda x: 1e-11 + 1 / x, 1e-11, 1e-11),
    (lambda x: 1e-16 + 1 / x, 0, 0),
    (lambda x: mpmath.tanh(x / 3000), -1, 1),
    (lambda x: x if abs(x) < 1e8 else x * mpmath.inf, -math.inf, math.inf),
]


@pytest.mark.parametrize(("function", "left", "right"), LIMITS)
def test_limits_of_known_functions(
    function: Callable[[Any], Any], left: float | None, right: float | None
) -> None:
    for direction, expected in ((-1, left), (1, right)):
        found = limit(function, direction)
        assert (found is None) == (expected is None)
        assert found is None or float(found) == pytest.approx(expected, rel=1e-15)


def test_a_limit_is_read_beyond_where_it_is_said_that_something_happens() -> None:
    step: Callable[[Any], Any] = lambda x: mpmath.sign(abs(x) - 1e9) + 3 - 1e-9 / x  # noqa: E731
    assert float(limit(step, 1, 1e9)) == 4
    assert float(limit(step, -1, 1e9)) == 4
    seen: list[Any] = []
    limit(lambda x: seen.append(x) or x, -1, 1e9)
    assert max(seen) < -1e9


def test_what_is_small_beside_the_unit_is_no_limit_of_its_own() -> None:
    small: Callable[[Any], Any] = lambda x: 1e-20 + 1e-26 / x  # noqa: E731
    assert float(limit(small, 1)) == 0
    assert float(limit(small, 1, unit=1e-20)) == 1e-20


ENDS: list[tuple[str, tuple[float | None, ...]]] = [
    ("softplus(x)", (0, math.inf, 0, 1)),
    ("3*softplus(2-x)", (math.inf, 0, -3, 0)),
    ("tanh(x)-x/4", (math.inf, -math.inf, -0.25, -0.25)),
    ("sin(x)", (None, None, None, None)),
    ("x*sin(x)", (None, None, None, None)),
    ("x+sin(x)", (-math.inf, math.inf, None, None)),
    ("exp(-x)*sin(x)", (None, 0, None, 0)),
    ("x**2", (math.inf, math.inf, -math.inf, math.inf)),
    ("sigmoid((x-2e8)/1e7)*5", (0, 5, 0, 0)),
    ("sin(x**2)/(1+x**2)", (0, 0, 0, 0)),
    ("sin(x**2)/(1+abs(x))", (0, 0, None, None)),
    ("log(1+x**2)", (math.inf, math.inf, 0, 0)),
    ("atan(x)*1e-3+2", (2 - math.pi / 2000, 2 + math.pi / 2000, 0, 0)),
]


@pytest.mark.parametrize(("text", "expected"), ENDS)
def test_limits_of_formulas_and_of_their_slopes(
    text: str, expected: tuple[float | None, ...]
) -> None:
    points = taken_apart(text)
    found = [None if end is None else float(end) for end in (*points.limits, *points.slope_limits)]
    assert found == [
        None if end is None else pytest.approx(end, rel=1e-15, abs=1e-300) for end in expected
    ]


MONOTONIC = {
    "x": "strictly_increasing",
    "-x": "strictly_decreasing",
    "x**3": "strictly_increasing",
    "-1e-5*tanh(x)": "strictly_decreasing",
    "relu(x)": "non_decreasing",
    "-relu(x)": "non_increasing",
    "clip(x, 2, 3)": "non_decreasing",
    "sign(x)": "non_decreasing",
    "-floor(x)": "non_increasing",
    "max(x, 2*x)": "strictly_increasing",
    "max(-x, x)": "non_monotonic",
    "where(x>1, x+1, x)": "strictly_increasing",
    "where(x>1, x-1, x)": "non_monotonic",
    "where(x>1, -x, 7-x)": "strictly_decreasing",
    "where(x>1, -x, -7-x)": "non_monotonic",
    "where(x==2, 5, x)": "non_monotonic",
    "where(x<0, 0, where(x>0, 1, 0.5))": "non_decreasing",
    "x-sin(x)": "strictly_increasing",
    "x-1.01*sin(x)": "non_monotonic",
    "x+0.9e-3*exp(-((x-5)*1e3)**2)": "strictly_increasing",
    "x+2e-3*exp(-((x-5)*1e3)**2)": "non_monotonic",
    "-x+2e-3*exp(-((x+5)*1e3)**2)": "non_monotonic",
    "x*sigmoid(x)": "non_monotonic",
    "softplus(x-900)": "strictly_increasing",
    "x*1e-4+exp(-(x-300)**2)": "non_monotonic",
    "where(x<-700, x+1, x)": "non_monotonic",
}


@pytest.mark.parametrize("text", MONOTONIC)
def test_the_direction_is_that_of_slopes_and_jumps(text: str) -> None:
    assert taken_apart(text).monotonic() == MONOTONIC[text]


Bounds = tuple[float, bool, float, bool]

RANGES: list[tuple[str, Bounds]] = [
    ("x**2-4*x", (-4, True, math.inf, False)),
    ("tanh(x)", (-1, False, 1, False)),
    ("clip(x, -2, 3)", (-2, True, 3, True)),
    ("-7*relu(x)", (-math.inf, False, 0, True)),
    ("1e-200*sigmoid(x)", (0, False, 1e-200, False)),
    ("where(x>0, x+1, x)", (-math.inf, False, math.inf, False)),
    ("where(x>0, exp(-x), -exp(x))", (-1, True, 1, False)),
    ("where(x>=0, exp(-x), -exp(x))", (-1, False, 1, True)),
    ("where(x==0, 9, sin(x))", (-1, True, 9, True)),
    ("x/(1+x**2)", (-0.5, True, 0.5, True)),
    ("0*x+2", (2, True, 2, True)),
    ("where(x**2<1, exp(-1/(1-x**2)), 0)", (0, True, math.exp(-1), True)),
    ("exp(-1/x**2) if x!=0 else 0", (0, True, 1, False)),
    ("sin(x)+sin(2*x)", (-1.7601725930461, True, 1.7601725930461, True)),
    ("exp(-x)*sin(x)", (-math.inf, False, math.inf, False)),
    ("x*sin(x)*sigmoid(-9*x)", (-math.inf, False, math.inf, False)),
    ("relu(x-1e6)*sin(x)", (-math.inf, False, math.inf, False)),
    ("relu(-x-1e6)*sin(x)", (-math.inf, False, math.inf, False)),
    ("relu(x)*(1.5+sin(x))", (0, True, math.inf, False)),
    ("relu(-x)*(1.5+sin(x))", (0, True, math.inf, False)),
    ("-relu(x)*(1.5+sin(x))", (-math.inf, False, 0, True)),
    ("(2+sin(x))/3", (1 / 3, True, 1, True)),
]


@pytest.mark.parametrize(("text", "expected"), RANGES)
def test_the_range_and_whether_its_ends_are_attained(text: str, expected: Bounds) -> None:
    points = taken_apart(text)
    unit = points.curve.unit
    low, high = lowest(points.values(), unit), highest(points.values(), unit)
    found = (low.value, low.attained, high.value, high.attained)
    assert found == tuple(
        pytest.approx(end, rel=1e-12, abs=1e-300) if isinstance(end, float | int) else end
        for end in expected
    )


STEEPEST: list[tuple[str, float, float | None]] = [
    ("tanh(x-0.3)", 1, 0.3),
    ("-5e-200*tanh(x+2)", 5e-200, -2),
    ("sigmoid(4*(x-11))", 1, 11),
    ("x**2", math.inf, None),
    ("sqrt(abs(x))", math.inf, 0),
    ("x*sin(x)", math.inf, None),
    ("sin(x**2)*sigmoid(x)", math.inf, None),
    ("sin(x**2)*sigmoid(-x)", math.inf, None),
    ("sin(x**2)/sqrt(1+abs(x))", math.inf, None),
    ("sin(x)", 1, 0),
    ("sin(x-1)", 1, 1),
    ("cos(3*x)", 3, -math.pi / 6),
    ("softplus(x)", 1, None),
    ("max(-2*x, x)", 2, None),
    ("clip(x, -1, 1)", 1, None),
    ("exp(-abs(x-5))", 1, 5),
    ("where(x<1, 0, exp(1-x))", 1, 1),
    ("where(x>1, 0, exp(x-1))+where(x<-2, exp(2+x), 0)", 1 + math.exp(-3), -2),
    ("tanh(x)+tanh(x-40)", 1, 0),
    ("tanh(x-30)+tanh(x+20)", 1, -20),
    ("tanh(x-20)+tanh(x+20)", 1, -20),
    ("0*x", 0, None),
    ("x+exp(-x**2)", 1 + math.sqrt(2 / math.e), -math.sqrt(0.5)),
]


@pytest.mark.parametrize(("text", "steepest", "place"), STEEPEST)
def test_the_steepest_slope_and_where_it_is(
    text: str, steepest: float, place: float | None
) -> None:
    points = taken_apart(text)
    found = highest(points.slopes(), points.curve.unit)
    assert found.value == pytest.approx(steepest, rel=1e-15, abs=1e-300)
    assert found.place == (None if place is None else pytest.approx(place, rel=1e-15, abs=1e-15))


def test_a_slope_that_only_swings_has_a_finite_size() -> None:
    """f' = 2 x cos(x^2) / (1 + |x|) - ..., while f'' grows without bound."""
    points = taken_apart("sin(x**2)/(1+abs(x))")
    assert 1.5 < highest(points.slopes()).value < 2


def test_of_equal_bounds_the_place_nearest_0_counts_and_of_two_the_negative_one() -> None:
    def at(*places: float | None, value: float = 2, attained: bool = True) -> list[Candidate]:
        return [
            Candidate(mpmath.mpf(value), attained, None if p is None else mpmath.mpf(p))
            for p in places
        ]

    assert highest(at(5, -3, 4)) == lowest(at(5, -3, 4)) == Extreme(2, True, -3)
    assert highest(at(3, -3)) == lowest(at(3, -3)) == Extreme(2, True, -3)
    assert highest(at(3, -3 - 1e-13)).place == -3 - 1e-13
    assert highest(at(3, -3 - 1e-9)).place == 3
    assert highest([*at(5), *at(1, value=1), *at(7, value=3)]) == Extreme(3, True, 7)
    assert lowest([*at(5), *at(1, value=1), *at(7, value=3)]) == Extreme(1, True, 1)
    assert highest([*at(5), *at(None)]) == Extreme(2, True, None)
    assert highest([*at(5), *at(None, attained=False)]) == Extreme(2, True, 5)
    assert highest(at(5, attained=False)) == Extreme(2, False, None)
    assert highest([*at(5), *at(None, value=math.inf, attained=False)]) == Extreme(
        math.inf, False, None
    )
    assert lowest([*at(5), *at(None, value=-math.inf, attained=False)]).value == -math.inf
    assert math.copysign(1, lowest(at(0, value=0)).value) == 1


def test_bounds_are_equal_to_25_digits_of_the_unit() -> None:
    with mpmath.workdps(DIGITS):
        near = [
            Candidate(mpmath.mpf(1), False),
            Candidate(1 - mpmath.mpf("1e-24"), True, mpmath.mpf(3)),
            Candidate(1 - mpmath.mpf("0.9e-25"), True, mpmath.mpf(5)),
        ]
        assert highest(near) == Extreme(1, True, 5)
        small = [
            Candidate(mpmath.mpf("3e-40"), False),
            Candidate(mpmath.mpf("2e-40"), True, mpmath.mpf(5)),
        ]
        assert highest(small) == Extreme(3e-40, True, 5)
        assert highest(small, 1e-40) == Extreme(3e-40, False, None)
        large = [
            Candidate(mpmath.mpf("1e20"), False),
            Candidate(mpmath.mpf("1e20") - mpmath.mpf("0.9e-5"), True, mpmath.mpf(5)),
        ]
        assert highest(large).attained
        assert lowest(large).attained


Fixed = tuple[float | tuple[float, float], ...]

FIXED: list[tuple[str, Fixed]] = [
    ("x**2", (0, 1)),
    ("-x", (0,)),
    ("x+1", ()),
    ("cos(x)", (0.7390851332151607,)),
    ("x+(x-10)*(x+10)", (-10, 10)),
    ("x+(x-10.0001)*(x+9.9999)", (-9.9999,)),
    ("x+(x-2)**2", (2,)),
    ("x-(x-10)**2", (10,)),
    ("x-(x-10.01)**2", ()),
    ("x+(x+10)**2", (-10,)),
    ("x-(x+3)**4", (-3,)),
    ("x+(x-2)**2+1e-9", ()),
    ("x+(x-2)**2-1e-4", (1.99, 2.01)),
    ("x+sin(pi*x)/4", tuple(range(-10, 11))),
    ("relu(x)", ((0, math.inf),)),
    ("clip(x, -1, 2)", ((-1, 2),)),
    ("where(x>2, x, 3)", ((2, math.inf),)),
    ("where(x<-2, x, x-1)", ((-math.inf, -2),)),
    ("where(x<0, -x, where(x<1, x, where(x<5, 5-x, x)))", ((0, 1), 2.5, (5, math.inf))),
    ("sign(x)", (-1, 0, 1)),
    ("where(x==4, 4, 20)", (4,)),
    ("x**3*1e-2", (-10, 0, 10)),
    ("where(x<1, 3, -2)", ()),
    ("max(0.5*x, x)", ((0, math.inf),)),
    ("1e3*(x-0.5)+0.5", (0.5,)),
    ("1e-3*tanh(x)", (0,)),
    ("3*tanh(x)", (-2.9847045853, 0, 2.9847045853)),
]


@pytest.mark.parametrize(("text", "expected"), FIXED)
def test_fixed_points_up_to_10(text: str, expected: Fixed) -> None:
    found = fixed_points(taken_apart(text))
    assert len(found) == len(expected)
    for one, wanted in zip(found, expected, strict=True):
        if isinstance(wanted, tuple):
            assert one == wanted
        else:
            assert one == pytest.approx(wanted, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("text", ["sin(60*x)", "cos(90*x)*exp(-abs(x)/9)", "sin(1e6*x)"])
def test_an_oscillation_that_is_too_fast_is_refused(text: str) -> None:
    with pytest.raises(MeasurementError, match="Too much happens"):
        facts_of(text)


SHIFTED = ("X*sigmoid(X)", "tanh(X)", "exp(-X**2)", "max(X, 0.1*X)")


@pytest.mark.parametrize("text", SHIFTED)
@pytest.mark.parametrize(("by", "scale"), [(3.0, 1.0), (-700.0, 0.125), (0.0, 1024.0), (1e5, -2.0)])
def test_facts_of_a_moved_and_stretched_function_follow_from_the_original(
    text: str, by: float, scale: float
) -> None:
    original = facts_of(text.replace("X", "x"))
    moved = facts_of(text.replace("X", f"(({scale})*(x-({by})))"))
    assert (moved.range_low, moved.range_high) == pytest.approx(
        (original.range_low, original.range_high), rel=1e-14
    )
    assert moved.low_attained == original.low_attained
    assert moved.high_attained == original.high_attained
    assert moved.max_abs_grad == pytest.approx(original.max_abs_grad * abs(scale), rel=1e-14)
    assert moved.smoothness == original.smoothness
    ends = [original.lim_minus_inf, original.lim_plus_inf]
    slopes = [original.grad_lim_minus_inf, original.grad_lim_plus_inf]
    if scale < 0:
        ends, slopes = ends[::-1], slopes[::-1]
    assert [moved.lim_minus_inf, moved.lim_plus_inf] == ends
    assert [moved.grad_lim_minus_inf, moved.grad_lim_plus_inf] == [
        scale * slope for slope in slopes
    ]
    if original.min_x is not None:
        assert moved.min_x == pytest.approx(by + original.min_x / scale, rel=1e-14)
