"""A curve's values and derivatives, and where something happens on it, against closed forms."""

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from actlab.activations.facts.curve import (
    DIGITS,
    Curve,
    DomainError,
    MeasurementError,
    refine,
    sign_changes,
)
from actlab.activations.formula import parse


def curve_of(text: str, work: list[int] | None = None, **values: float) -> Curve:
    return Curve(parse(text, tuple(values)).tree, values, work)


def close(found: Any, expected: Any, digits: int = DIGITS - 3) -> bool:
    with mpmath.workdps(DIGITS):
        return bool(abs(found - expected) <= mpmath.mpf(10) ** -digits * max(1, abs(expected)))


def in_digits(text: str) -> Any:
    with mpmath.workdps(DIGITS):
        return mpmath.mpf(text)


@pytest.mark.parametrize("x", ["0.3", "-2.5", "17"])
def test_values_and_derivatives_have_the_digits_of_the_reference(x: str) -> None:
    at = in_digits(x)
    with mpmath.workdps(DIGITS):
        cases = {
            "x**3-2*x": (at**3 - 2 * at, 3 * at**2 - 2, 6 * at, mpmath.mpf(6)),
            "exp(-x)": (mpmath.exp(-at), -mpmath.exp(-at), mpmath.exp(-at), -mpmath.exp(-at)),
            "sin(2*x)": (
                mpmath.sin(2 * at),
                2 * mpmath.cos(2 * at),
                -4 * mpmath.sin(2 * at),
                -8 * mpmath.cos(2 * at),
            ),
        }
    for text, expected in cases.items():
        found = curve_of(text).at(at, 3)
        assert len(found) == 4
        assert all(close(a, b) for a, b in zip(found, expected, strict=True)), text


def test_a_number_of_a_parameter_is_the_number() -> None:
    assert close(curve_of("a*x+b", a=3.0, b=-0.5).at(2)[0], 5.5)


def test_what_cancels_far_out_is_computed_with_more_digits() -> None:
    curve = curve_of("log(x+sqrt(x**2+1))")
    with mpmath.workdps(DIGITS):
        far = mpmath.mpf(10) ** 61
        assert close(curve.at(-far)[0], -mpmath.asinh(far), DIGITS - 5)
        assert close(curve.at(-far, 1)[1] * far, 1, DIGITS - 5)
    with pytest.raises(DomainError, match=r"it is not at x = -1\.0e\+200"):
        curve.at(mpmath.mpf("-1e200"))


def test_a_value_that_is_not_there_is_refused_and_a_slope_is_nan() -> None:
    for look in (curve_of("log(x)").at, lambda x: curve_of("log(x)").near(x, 1)):
        with pytest.raises(DomainError, match=r"it is not at x = -2\.5"):
            look(-2.5)
    value, slope, bend = curve_of("sqrt(abs(x))").near(0, 2)
    assert (value, mpmath.isnan(slope), mpmath.isnan(bend)) == (0, True, True)
    with pytest.raises(DomainError):
        curve_of("sqrt(abs(x))").at(0, 1)
    for text in ("1/x", "log(x)", "sqrt(x-1)"):
        with pytest.raises(DomainError, match=r"it is not at x = 0\.0"):
            curve_of(text).from_side(0, 1, -1)


def test_at_a_switch_the_value_is_that_of_the_place_itself() -> None:
    curve = curve_of("where(x>0, 3, where(x==0, 2, x))")
    assert (curve.at(0), curve.near(0, 0)) == ((2,), (2,))
    assert [curve.at(0, 1, side) for side in (-1, 1)] == [(0, 1), (3, 0)]


@pytest.mark.parametrize("place", [0.0, 3.0, -0.25])
@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("abs(X)", (0, -1, 0), (0, 1, 0)),
        ("sqrt(abs(X))", (0, -math.inf, -math.inf), (0, math.inf, -math.inf)),
        ("abs(X)**0.1", (0, -math.inf, -math.inf), (0, math.inf, -math.inf)),
        ("abs(X)**1.5", (0, 0, math.inf), (0, 0, math.inf)),
        ("abs(X)**2.5", (0, 0, 0), (0, 0, 0)),
        ("sin(X)/X", (1, 0, -1 / 3), (1, 0, -1 / 3)),
        ("expm1(X)/X", (1, 1 / 2, 1 / 3), (1, 1 / 2, 1 / 3)),
        ("7*(cos(X)-1)/X", (0, -7 / 2, 0), (0, -7 / 2, 0)),
        ("exp(-1/X**2) if X!=0 else 0", (0, 0, 0), (0, 0, 0)),
        ("where(X>0, 3, X**2)", (0, 0, 2), (3, 0, 0)),
    ],
)
def test_one_sided_limits_at_a_switch_or_a_hole(
    text: str, left: tuple[float, ...], right: tuple[float, ...], place: float
) -> None:
    curve = curve_of(text.replace("X", f"(x-({place}))"))
    for side, expected in ((-1, left), (1, right)):
        found = [float(value) for value in curve.from_side(place, 2, side)]
        assert found == pytest.approx(expected, rel=1e-14, abs=1e-15)


def test_a_sample_is_the_curve_in_doubles_and_nan_where_it_fails() -> None:
    xs = np.linspace(-3, 3, 13)
    value, slope, bend = curve_of("x**2").sample(xs, 2)
    assert value.tolist() == (xs**2).tolist()
    assert slope.tolist() == (2 * xs).tolist()
    assert bend.tolist() == [2.0] * 13
    (constant,) = curve_of("x*0+7").sample(xs, 0)
    assert constant.tolist() == [7.0] * 13
    (half,) = curve_of("log(x)").sample(xs, 0)
    assert np.isnan(half[xs < 0]).all()
    assert half[xs > 0] == pytest.approx(np.log(xs[xs > 0]), rel=1e-15)


Scales = set[tuple[float, float]]

SCALES: list[tuple[str, Scales]] = [
    ("x", set()),
    ("relu(2*x-3)", {(1.5, 0.5)}),
    ("relu(-x/4-3)", {(-12.0, 4.0)}),
    ("relu(1e-3*x-1e9)", {(1e12, 1e3)}),
    ("1/(x-3)", {(3.0, 1.0)}),
    ("exp(-(x-3)**2)", {(3.0, 1.0)}),
    ("relu(x**2-4)", {(0.0, 2.0), (2.0, 0.25), (-2.0, 0.25), (0.0, 1.0)}),
    ("relu(8-2*(x-5)**2)", {(5.0, 1.0), (7.0, 0.125), (3.0, 0.125), (5.0, 2.0)}),
    ("tanh(x*x-2*x+9)", {(1.0, math.sqrt(8))}),
    ("sigmoid(x**3-8)", {(2.0, 1 / 12), (0.0, 1.0)}),
    ("tanh(exp(x)-5)", {(math.log(5), 0.2), (0.0, 1.0)}),
    ("tanh(exp(-x/100)-5)", {(-100 * math.log(5), 20.0), (0.0, 100.0)}),
    ("relu(tanh(x-2)+0)", {(2.0, 1.0)}),
    ("where(3*x>6, x, 2*x)", {(2.0, 1 / 3)}),
    ("max(x, 2*x+4)", {(-4.0, 1.0), (-2.0, 0.5), (0.0, 1.0)}),
]


@pytest.mark.parametrize(("text", "expected"), SCALES)
def test_something_happens_at_zeros_of_inner_arguments_on_the_scale_of_their_slopes(
    text: str, expected: Scales
) -> None:
    found = curve_of(text).scales
    wanted = sorted(expected | {(0.0, 1.0)})
    assert np.array(found) == pytest.approx(np.array(wanted), rel=1e-12, abs=1e-15)


def test_a_place_that_is_searched_for_is_found_up_to_1e6_on_both_sides() -> None:
    for place in (-9.9e5, -1234.5, -70.0, -1e-3, 1e-3, 63.9, 812.0, 9.9e5):
        found = dict(curve_of(f"tanh((x/{abs(place)})**3-({math.copysign(1, place)}))").scales)
        assert min(abs(at - place) for at in found) <= 1e-12 * abs(place)
        (width,) = (width for at, width in found.items() if abs(at - place) < 1e-9 * abs(place))
        assert width == pytest.approx(abs(place) / 3, rel=1e-9)
    beyond = curve_of("tanh((x/3e6)**3-1)").scales
    assert max(abs(at) for at, _width in beyond) < 1


@pytest.mark.parametrize(
    ("text", "far"),
    [
        ("x", 40),
        ("relu(x-1000)", 1040),
        ("relu(x/5+1000)", 5200),
        ("relu(x**2-900)", 1200),
        ("relu(2*x-3)+relu(x+7)", 47),
    ],
)
def test_nothing_happens_beyond_40_widths(text: str, far: float) -> None:
    assert curve_of(text).far == pytest.approx(far, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("tanh(x)", 1.0),
        ("1e-3*tanh(x)", 1e-3),
        ("1e-3*tanh(x/1e4)", 1e-3),
        ("-1e-3*sin(50*x)", 0.05),
        ("1e3*sin(x)", 1.0),
        ("1e-200*tanh(x)", 1e-200),
        ("0*x", 1.0),
    ],
)
def test_the_unit_is_the_size_of_value_and_slope_up_to_1(text: str, unit: float) -> None:
    assert curve_of(text).unit == pytest.approx(unit, rel=1e-3)


def test_what_is_larger_than_doubles_can_square_is_refused() -> None:
    assert curve_of("9e149*x").unit == 1
    own = "where(x==1, 1.1e150, x)"
    for text in ("1.1e150*x", "-1.1e150*x", "1.1e150*sigmoid(-9*x)", own):
        with pytest.raises(MeasurementError, match="too large to be measured"):
            assert curve_of(text).unit


@pytest.mark.parametrize("text", ["relu(x-2e100)", "relu(x/2e100-1)", "exp(-(x/2e100)**2)"])
def test_what_happens_at_the_end_of_doubles_is_refused(text: str) -> None:
    with pytest.raises(MeasurementError, match="near the end of double precision"):
        assert curve_of(text).scales
    closer = curve_of(text.replace("2e100", "2e99")).scales
    assert max(max(abs(at), width) for at, width in closer) == pytest.approx(2e99, rel=0.5)


@pytest.mark.parametrize(("place", "width"), [(0.3, 1e-4), (-55.0, 2.0), (7e4, 1e3), (1.0, 1e-9)])
def test_the_grid_is_dense_on_the_scale_of_what_happens(place: float, width: float) -> None:
    grid = curve_of(f"tanh((x-({place}))/{width})").grid
    assert (np.diff(grid) > 0).all()
    steps = (grid - place) / width
    inside = steps[abs(steps) <= 40]
    assert (inside.min(), inside.max()) == pytest.approx((-40, 40), abs=0.07)
    assert np.diff(inside).max() <= 1 / 16 + 1e-6
    for side in (-1, 1):
        close_by = side * steps[(side * steps > 5e-10) & (side * steps < 1e-2)]
        assert close_by.min() == pytest.approx(1e-9, rel=1e-5) or width < 1e-3
        assert (np.sort(close_by)[1:] < 1.4 * np.sort(close_by)[:-1]).all() or width < 1e-3


def test_the_grid_is_dense_near_0_and_reaches_a_million() -> None:
    grid = curve_of("x").grid
    assert (grid == -grid[::-1]).all()
    assert grid.max() == pytest.approx(1e6)
    near = grid[abs(grid) <= 20]
    assert near.max() == 20
    assert np.diff(near).max() == 1 / 64
    middle = grid[(abs(grid) > 20) & (abs(grid) <= 64)]
    assert middle.max() == 64
    assert np.diff(middle[middle > 0]).max() <= 0.25
    far = grid[grid >= 64]
    assert (far[1:] < 1.07 * far[:-1]).all()
    small = grid[(grid > 0) & (grid < 1e-2)]
    assert small.min() == pytest.approx(1e-9)
    assert (small[1:] < 1.4 * small[:-1]).all()


def test_far_out_the_grid_has_points_beside_a_place_that_doubles_can_tell_from_it() -> None:
    place = 3e12
    grid = curve_of(f"tanh(x-{place})").grid
    for side in (-1, 1):
        shares = np.sort(side * (grid / place - 1))
        beside = shares[(shares > 2e-11) & (shares < 0.6)]
        assert len(beside) >= 20
        assert (beside[1:] < 4 * beside[:-1]).all()
        assert beside.max() == pytest.approx(0.5)


def test_the_grid_has_points_beside_a_place_that_is_narrow_for_where_it_is() -> None:
    place = 3e5
    grid = curve_of(f"tanh((x-{place})*1e5)").grid
    for share in (0.5, 1.5):
        assert np.abs(grid - share * place).min() < 1e-6


def test_what_costs_too_much_is_refused() -> None:
    xs = np.zeros(2000)
    for spent, order, digits in ((1, 0, True), (4, 1, True), (9, 2, True), (2, 1, False)):
        for left, enough in ((spent, True), (spent - 1, False)):
            curve = curve_of("x", work=[4_000_000 - left])
            look = curve.at if digits else lambda _x, order, c=curve: c.sample(xs, order)
            if enough:
                look(0.5, order)
            else:
                with pytest.raises(MeasurementError, match="Too much happens"):
                    look(0.5, order)


def test_the_parts_of_a_formula_share_what_it_may_cost() -> None:
    work = [0]
    curve = curve_of("sin(x)+x", work)
    curve.at(1.0)
    assert work == [4]
    part = curve.part(parse("x*x").tree)
    assert part.at(3.0) == (9,)
    assert work == [7]


def test_sign_changes_are_between_points_whose_sign_is_sure() -> None:
    xs = np.arange(8.0)
    values = np.array([1.0, 2.0, -1.0, 0.0, 3.0, math.nan, 1e-5, -2.0])
    assert sign_changes(xs, values) == [(1, 2), (2, 4), (6, 7)]
    assert sign_changes(xs, values, noise=1e-4) == [(1, 2), (2, 4), (4, 7)]
    assert sign_changes(xs, values, noise=1.0) == [(4, 7)]
    assert sign_changes(xs, values, noise=np.full(8, 2.0)) == []
    assert sign_changes(xs, -values) == sign_changes(xs, values)
    assert sign_changes(xs, np.zeros(8)) == []


Root = tuple[Callable[[Any], tuple[Any, Any]], float, float, Callable[[], Any]]

ROOTS: dict[str, Root] = {
    "of a parabola": (lambda x: (x * x - 2, 2 * x), 0, 2, lambda: mpmath.sqrt(2)),
    "falling": (lambda x: (2 - x * x, -2 * x), 0, 2, lambda: mpmath.sqrt(2)),
    "of a steep arc": (
        lambda x: (mpmath.atan(1000 * (x - 3)), 1000 / (1 + (1000 * (x - 3)) ** 2)),
        -50,
        4,
        lambda: mpmath.mpf(3),
    ),
    "of a cube": (lambda x: ((x - 1) ** 3, 3 * (x - 1) ** 2), -1, 2.5, lambda: mpmath.mpf(1)),
    "with a wrong slope": (lambda x: (x - 1 / mpmath.mpf(3), -1), 0, 1, lambda: mpmath.mpf(1) / 3),
    "without a slope": (lambda x: (x**3 - 5, 0), 0, 2, lambda: mpmath.cbrt(5)),
    "with an infinite slope": (
        lambda x: (mpmath.sign(x - 2) * mpmath.sqrt(abs(x - 2)), mpmath.inf),
        0,
        5,
        lambda: mpmath.mpf(2),
    ),
    "far out": (lambda x: (x - 1e20 * mpmath.pi, 1), 1e20, 1e21, lambda: 1e20 * mpmath.pi),
    "of a jump": (lambda x: (mpmath.sign(x - 2) + 0.5, 0), 0, 3, lambda: mpmath.mpf(2)),
    "at the left end": (lambda x: (x, 1), 0, 1, lambda: mpmath.mpf(0)),
    "at the right end": (lambda x: (x - 1, 1), 0, 1, lambda: mpmath.mpf(1)),
    "of rounding at an end": (
        lambda x: (mpmath.sin(mpmath.pi * x), mpmath.pi * mpmath.cos(mpmath.pi * x)),
        1,
        1.5,
        lambda: mpmath.mpf(1),
    ),
}


@pytest.mark.parametrize("kind", ROOTS)
def test_a_root_is_refined_to_the_working_precision(kind: str) -> None:
    function, low, high, expected = ROOTS[kind]
    found = refine(function, low, high)
    with mpmath.workdps(DIGITS):
        root = expected()
    assert found is not None
    assert close(found, root, 15 if kind == "of a cube" else DIGITS - 5)


@pytest.mark.parametrize(
    "function", [lambda x: (x * x + 1, 2 * x), lambda x: (-1 - x * x, -2 * x), lambda x: (x * 0, 0)]
)
def test_without_a_crossing_there_is_no_root(function: Callable[[Any], tuple[Any, Any]]) -> None:
    assert refine(function, -1, 2) is None
