"""Measuring formulas: against closed forms, for any parameter value, and where it cannot be."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.activations import facts
from actlab.activations.catalogue.declared import (
    Kink,
    ScalarFacts,
    normal_cdf,
    normal_density,
    normal_tail,
)
from actlab.activations.facts import DomainError
from actlab.activations.facts.critical_points import limit
from actlab.activations.facts.curve import Curve, MeasurementError
from actlab.activations.facts.measuring import contradicting, normal_means

some = settings(max_examples=12, deadline=None, derandomize=True, database=None)


def measured(formula: str, **values: float) -> facts.Facts:
    return facts.of(facts.pasted(formula, **values))


@some
@given(slope=st.floats(-2, 2))
def test_leaky_relu_for_any_slope(slope: float) -> None:
    found = facts.of("leaky_relu", negative_slope=slope)
    if slope == 0.01:
        return
    assert found.mean_under_N01 == pytest.approx((1 - slope) / math.sqrt(2 * math.pi), abs=1e-12)
    assert found.second_moment_N01 == pytest.approx((1 + slope**2) / 2)
    assert found.max_abs_grad == max(1.0, abs(slope))
    if slope != 0:
        monotonic = "strictly_increasing" if slope > 0 else "non_monotonic"
        assert found.monotonic == monotonic
    assert found.smoothness == ("Cinf" if slope == 1 else "C0")


@some
@given(alpha=st.floats(0.05, 5))
def test_elu_for_any_alpha(alpha: float) -> None:
    found = facts.of("elu", alpha=alpha)
    below = math.exp(0.5) * normal_tail(1)
    assert found.range_low == pytest.approx(-alpha)
    assert found.low_attained is False
    assert found.mean_under_N01 == pytest.approx(
        normal_density(0) + alpha * (below - 0.5), abs=1e-12
    )
    assert found.max_abs_grad == max(1.0, alpha)
    assert found.smoothness == ("C1" if alpha == 1 else "C0")
    assert (found.df0_left, found.df0_right) == pytest.approx((alpha, 1))


@some
@given(beta=st.floats(0.05, 20))
def test_swish_scales_with_beta(beta: float) -> None:
    found, one = facts.of("swish", beta=beta), facts.of("silu")
    assert found.min_x == pytest.approx(one.min_x / beta, rel=1e-12)
    assert found.min_y == pytest.approx(one.min_y / beta, rel=1e-12)
    assert found.max_abs_grad == pytest.approx(one.max_abs_grad, rel=1e-12)
    assert found.argmax_abs_grad == pytest.approx(one.argmax_abs_grad / beta, rel=1e-9)
    assert found.mean_grad_N01 == pytest.approx(0.5)


@some
@given(omega=st.floats(0.2, 12))
def test_sine_of_any_frequency(omega: float) -> None:
    found = facts.of("sine", omega=omega)
    assert found.second_moment_N01 == pytest.approx((1 - math.exp(-2 * omega**2)) / 2)
    assert found.mean_grad_N01 == pytest.approx(omega * math.exp(-(omega**2) / 2), abs=1e-9)
    assert found.max_abs_grad == pytest.approx(omega)
    assert found.argmax_abs_grad == pytest.approx(0.0, abs=1e-12)
    assert found.min_x == pytest.approx(-math.pi / 2 / omega)
    assert (found.lim_minus_inf, found.lim_plus_inf) == (None, None)


@some
@given(mu=st.floats(-40, 40), sigma=st.floats(0.01, 3))
def test_laplace_wherever_it_is(mu: float, sigma: float) -> None:
    found = facts.of("laplace", mu=mu, sigma=sigma)
    spread = math.sqrt(1 + sigma**2)
    assert found.mean_under_N01 == pytest.approx(normal_cdf(-mu / spread), rel=1e-9, abs=1e-12)
    assert found.argmax_abs_grad == pytest.approx(mu, abs=1e-9)
    assert found.max_abs_grad == pytest.approx(normal_density(0) / sigma)
    assert (found.range_low, found.range_high) == (0, 1)
    assert (found.low_attained, found.high_attained) == (False, False)


@some
@given(alpha=st.floats(-0.9, 3), mu=st.floats(0.01, 1e6))
def test_smu_is_monotonic_only_where_the_leak_outweighs_the_dip(alpha: float, mu: float) -> None:
    if abs(alpha - 1) < 1e-3:
        return
    found = facts.of("smu", alpha=alpha, mu=mu)
    dip = math.erf(1) + 2 / math.sqrt(math.pi) / math.e
    margin = 1 + alpha - abs(1 - alpha) * dip
    if abs(margin) > 1e-3:
        assert (found.monotonic == "strictly_increasing") == (margin > 0)
    assert found.mean_grad_N01 == pytest.approx((1 + alpha) / 2, abs=1e-9)


@pytest.mark.parametrize(
    ("alpha", "beta", "steepest", "place"),
    [
        (41.705, 7.0241, 1.4252431136596, -0.62384917810),
        (-2.7919, 44.6086, 1.0000129486050, 0.00243934949),
    ],
)
def test_a_feature_far_from_every_zero_of_the_formula_is_found(
    alpha: float, beta: float, steepest: float, place: float
) -> None:
    """Numbers from a dense grid of the module's autograd, refined by golden sections."""
    found = facts.of("erfact", alpha=alpha, beta=beta)
    assert found.max_abs_grad == pytest.approx(steepest, rel=1e-11)
    assert found.argmax_abs_grad == pytest.approx(place, rel=1e-6)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("x", {"monotonic": "strictly_increasing", "fixed_points": ((-math.inf, math.inf),)}),
        ("-x", {"monotonic": "strictly_decreasing", "fixed_points": (0.0,)}),
        ("-relu(x)", {"monotonic": "non_increasing", "high_attained": True}),
        ("x**2", {"min_x": 0.0, "max_abs_grad": math.inf, "fixed_points": (0.0, 1.0)}),
        ("x*abs(x)", {"smoothness": "C1", "df0_left": 0.0}),
        ("x**2*abs(x)", {"smoothness": "C2"}),
        ("x**8*abs(x)", {"smoothness": "Cinf"}),
        ("where(x>0, x+1, x)", {"smoothness": "discontinuous", "monotonic": "strictly_increasing"}),
        ("clip(x, -2, 3)", {"range_low": -2.0, "range_high": 3.0, "high_attained": True}),
        ("tanh(x)", {"range_high": 1.0, "high_attained": False, "zero_grad_fraction_N01": 0.0}),
        ("tanh(exp(x))", {"range_high": 1.0, "high_attained": False, "range_low": 0.0}),
        ("(x**2-1)**2", {"min_x": -1.0, "min_y": 0.0}),
        ("sin(x)/(1+x**2)", {"lim_plus_inf": 0.0, "grad_lim_minus_inf": 0.0}),
        ("exp(-abs(x))", {"smoothness": "C0", "range_high": 1.0, "high_attained": True}),
        ("x*sin(x)", {"range_low": -math.inf, "range_high": math.inf, "lim_plus_inf": None}),
        ("log(1+exp(x))", {"lim_minus_inf": 0.0, "grad_lim_plus_inf": 1.0}),
        ("sqrt(1+x**2)", {"min_x": 0.0, "min_y": 1.0, "max_abs_grad": 1.0}),
        ("x+exp(-1000*(x-7)**2)", {"monotonic": "non_monotonic"}),
    ],
)
def test_pasted_formulas(formula: str, expected: dict[str, object]) -> None:
    found = measured(formula).as_json()
    for fact, value in expected.items():
        assert found[fact] == (pytest.approx(value) if isinstance(value, float) else value), fact


@pytest.mark.parametrize("text", ["sqrt((x-1)**2)", "sqrt((x-1)*(x-1))", "((x-1)**2)**0.5"])
def test_the_root_of_a_square_has_a_kink(text: str) -> None:
    found = measured(text)
    (kink,) = found.kinks
    assert (kink.x, kink.left, kink.right) == (1.0, -1.0, 1.0)
    assert (found.min_y, found.max_abs_grad, found.smoothness) == (0.0, 1.0, "C0")


def test_telu_is_tanhexp() -> None:
    found, known = measured("x*tanh(exp(x))"), facts.of("tanhexp")
    for fact in ("min_x", "max_abs_grad", "mean_under_N01", "second_moment_grad_N01"):
        assert getattr(found, fact) == pytest.approx(getattr(known, fact), rel=1e-12)


@pytest.mark.parametrize(
    "formula", ["1/x", "log(x)", "sqrt(x)", "x/(1+x)", "tan(x)", "1/(x**2-2)", "1/x**2"]
)
def test_a_formula_without_a_value_somewhere_is_refused_in_one_line(formula: str) -> None:
    with pytest.raises(DomainError, match="must be finite on the whole line") as raised:
        measured(formula)
    assert "\n" not in str(raised.value)


def test_a_constant_measures() -> None:
    found = measured("0*x+2")
    assert (found.range_low, found.range_high) == (2, 2)
    assert found.max_abs_grad == 0
    assert found.gain_backward is None
    assert found.zero_grad_fraction_N01 == 1


@pytest.mark.parametrize(
    ("function", "direction", "expected"),
    [
        (lambda x: 3 - 1 / x, 1, 3),
        (lambda x: x, -1, -math.inf),
        (lambda x: 1 / (1 + x * x), 1, 0),
    ],
)
def test_limits(function, direction, expected) -> None:
    assert float(limit(function, direction)) == pytest.approx(expected)


@pytest.mark.parametrize("power", range(0, 12, 2))
def test_moments_of_the_normal_distribution(power: int) -> None:
    (found,) = normal_means(lambda x: (x**power,), [], [(0.0, 1.0)])
    assert found == pytest.approx(math.prod(range(1, power, 2)), rel=1e-13)


def test_a_moment_is_given_where_it_exists() -> None:
    found = facts.measure(facts.pasted("exp(0.4*x**2)"))
    assert found.mean_under_N01 == pytest.approx(math.sqrt(5), rel=1e-12)
    assert found.second_moment_N01 is None
    assert found.gain_forward is None
    assert facts.measure(facts.pasted("exp(x**2)")).mean_under_N01 is None


@pytest.mark.parametrize("text", ["exp(0.4995*x**2)", "exp(2.5e-4*x**4)", "exp(0.6*x**2+x)"])
def test_a_moment_that_grows_against_the_density_far_out_is_not_given(text: str) -> None:
    found = facts.measure(facts.pasted(text))
    assert (found.mean_under_N01, found.mean_grad_N01) == (None, None)


@pytest.mark.parametrize(
    ("text", "low", "high", "steepest", "smoothness", "ends"),
    [
        ("max(x-1000000, 0)", 0, math.inf, 1, "C0", (0, math.inf)),
        ("sigmoid(x-1e5)", 0, 1, 0.25, "Cinf", (0, 1)),
        ("sigmoid((x+3e9)/7)", 0, 1, 0.25 / 7, "Cinf", (0, 1)),
        ("1e-300*x", -math.inf, math.inf, 1e-300, "Cinf", (-math.inf, math.inf)),
        ("1e-300*relu(x)", 0, math.inf, 1e-300, "C0", (0, math.inf)),
        ("exp(-1e6*(x-0.3)**2)", 0, 1, math.sqrt(2e6 / math.e), "Cinf", (0, 0)),
        ("exp(-1e12*(x+2)**2)", 0, 1, math.sqrt(2e12 / math.e), "Cinf", (0, 0)),
        ("where(x==0, 1, x)", -math.inf, math.inf, 1, "discontinuous", (-math.inf, math.inf)),
        ("abs(x)**1.5", 0, math.inf, math.inf, "C1", (math.inf, math.inf)),
        ("sqrt(abs(x))", 0, math.inf, math.inf, "C0", (math.inf, math.inf)),
        ("relu(x-5e5)-relu(x+5e5)", -1e6, 0, 1, "C0", (0, -1e6)),
    ],
)
def test_what_is_far_narrow_small_or_steep_is_measured(
    text: str,
    low: float,
    high: float,
    steepest: float,
    smoothness: str,
    ends: tuple[float, float],
) -> None:
    found = facts.measure(facts.pasted(text))
    assert (found.range_low, found.range_high) == pytest.approx((low, high), rel=1e-12)
    assert found.max_abs_grad == pytest.approx(steepest, rel=1e-12)
    assert found.smoothness == smoothness
    assert (found.lim_minus_inf, found.lim_plus_inf) == ends


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("exp(-1/x**2) if x!=0 else 0", 0.0, 1.0),
        ("where(abs(x)<1, exp(-1/(1-x**2)), 0)", 0.0, math.exp(-1)),
        ("x**20-x**19", (19 / 20) ** 19 * (19 / 20 - 1), math.inf),
    ],
)
def test_a_branch_that_is_not_taken_is_not_asked(text: str, low: float, high: float) -> None:
    found = facts.measure(facts.pasted(text))
    assert (found.range_low, found.range_high) == pytest.approx((low, high), rel=1e-12, abs=1e-300)
    assert found.smoothness == "Cinf"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1e308*x*1e308", "too large"),
        ("9**9**9*x", "too large"),
        ("+".join(f"0.5**{i}*cos(3**{i}*3.14159*x)" for i in range(12)), "Too much happens"),
        ("sign(sin(1/x))", "Too much happens"),
        ("sin(1e6*x)", "Too much happens"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(MeasurementError, match=words):
        facts.measure(facts.pasted(text))


def test_facts_that_contradict_each_other_are_not_given() -> None:
    curve = Curve.of(facts.pasted("sigmoid(x)"))
    right = facts.measure("sigmoid")
    assert contradicting(right, curve) is None
    for wrong in (
        {"range_high": 0.0},
        {"range_high": 0.9},
        {"lim_plus_inf": 2.0},
        {"mean_under_N01": 1.5},
        {"second_moment_N01": 0.1},
        {"second_moment_grad_N01": 0.1},
        {"lim_minus_inf": 1.0, "lim_plus_inf": 0.0},
    ):
        assert contradicting(replace(right, **wrong), curve) is not None, wrong


OUTSIDE = "it takes values outside its range"
LIMIT = "a limit lies outside its range"
MEAN = "its mean lies outside its range"
SPREAD = "its mean is larger than its second moment allows"
SLOPE = "the mean slope is larger than the largest"
AGAINST = "its limits are against its direction"
MOVES = "its range is one number, but it moves"


@pytest.mark.parametrize(
    ("text", "wrong", "reason"),
    [
        ("tanh(x)", {}, None),
        ("tanh(x)", {"range_low": None}, None),
        ("tanh(x)", {"range_high": None}, None),
        ("tanh(x)", {"max_abs_grad": None}, None),
        ("tanh(x)", {"range_low": 2.0}, MOVES),
        ("tanh(x)", {"range_low": 1.0}, MOVES),
        ("0*x+2", {}, None),
        ("0*x+2", {"max_abs_grad": 1.0}, MOVES),
        ("0*x+2", {"monotonic": "strictly_decreasing"}, MOVES),
        ("0*x+2", {"max_abs_grad": 1.0, "smoothness": "discontinuous"}, None),
        ("tanh(x)", {"range_high": 1 - 0.9e-9, "lim_plus_inf": None}, None),
        ("tanh(x)", {"range_high": 1 - 1.1e-9, "lim_plus_inf": None}, OUTSIDE),
        ("tanh(x)", {"range_low": -1 + 0.9e-9, "lim_minus_inf": None}, None),
        ("tanh(x)", {"range_low": -1 + 1.1e-9, "lim_minus_inf": None}, OUTSIDE),
        ("tanh(x)", {"range_high": 1 - 0.9e-9}, LIMIT),
        ("relu(x)", {"range_low": 0.9e-12, "lim_minus_inf": None}, None),
        ("relu(x)", {"range_low": 1.1e-12, "lim_minus_inf": None}, OUTSIDE),
        ("relu(x-3)-2", {"range_low": -2 + 0.9e-9, "lim_minus_inf": None}, None),
        ("1e-6*relu(x)", {"range_low": 0.9e-12 * 41, "lim_minus_inf": None}, OUTSIDE),
        ("tanh(x)", {"lim_plus_inf": 1.01}, LIMIT),
        ("tanh(x)", {"lim_minus_inf": -1.01}, LIMIT),
        ("tanh(x)", {"mean_under_N01": 1 + 0.9e-9, "second_moment_N01": None}, None),
        ("tanh(x)", {"mean_under_N01": 1 + 1.1e-9}, MEAN),
        ("1e-6*tanh(x)", {"mean_under_N01": 1e-6 + 1.1e-15, "second_moment_N01": None}, MEAN),
        ("1e6*tanh(x)", {"mean_under_N01": 1e6 + 0.9e-3, "second_moment_N01": None}, None),
        ("tanh(x)", {"mean_under_N01": -1 - 1.1e-9}, MEAN),
        ("tanh(x)", {"mean_under_N01": 0.5, "second_moment_N01": 0.25}, None),
        ("tanh(x)", {"mean_under_N01": 0.5, "second_moment_N01": 0.25 * (1 - 0.9e-9)}, None),
        ("tanh(x)", {"mean_under_N01": 0.5, "second_moment_N01": 0.25 * (1 - 1.1e-9)}, SPREAD),
        ("tanh(x)", {"mean_under_N01": None, "second_moment_N01": 0.0}, None),
        ("3*tanh(x)", {"second_moment_grad_N01": 9 * (1 + 0.9e-9)}, None),
        ("3*tanh(x)", {"second_moment_grad_N01": 9 * (1 + 1.1e-9)}, SLOPE),
        ("3*tanh(x)", {"second_moment_grad_N01": None}, None),
        ("tanh(x)", {"monotonic": "strictly_decreasing"}, AGAINST),
        ("tanh(x)", {"monotonic": "non_increasing"}, AGAINST),
        ("tanh(x)", {"monotonic": "non_decreasing"}, None),
        ("tanh(x)", {"monotonic": "non_monotonic"}, None),
        ("-tanh(x)", {"monotonic": "non_decreasing"}, AGAINST),
        ("-tanh(x)", {"monotonic": "strictly_increasing"}, AGAINST),
        ("-tanh(x)", {"monotonic": "strictly_increasing", "lim_plus_inf": None}, None),
        ("exp(-x**2)", {"monotonic": "strictly_increasing"}, None),
        ("exp(-x**2)", {"monotonic": "strictly_decreasing"}, None),
    ],
)
def test_a_contradiction_is_named(text: str, wrong: dict[str, object], reason: str | None) -> None:
    function = facts.pasted(text)
    found = replace(facts.measure(function), **wrong)
    assert contradicting(found, Curve.of(function)) == reason


def moments(text: str) -> tuple[float | None, ...]:
    found = facts.measure(facts.pasted(text))
    return (
        found.mean_under_N01,
        found.second_moment_N01,
        found.mean_grad_N01,
        found.second_moment_grad_N01,
    )


def absolute(power: float) -> float:
    """Return E |z|^power."""
    return 2 ** (power / 2) * math.gamma((power + 1) / 2) / math.sqrt(math.pi)


def bump(place: float, width: float) -> float:
    """Return E exp(-((z - place) / width)^2)."""
    spread = width**2 + 2
    return width / math.sqrt(spread) * math.exp(-(place**2) / spread)


PHI, TAIL = normal_density(1.3), normal_tail(1.3)

MOMENTS: list[tuple[str, tuple[float | None, ...]]] = [
    ("3*x-2", (-2, 13, 3, 9)),
    ("x**3", (0, 15, 3, 27)),
    ("exp(x)", (math.exp(0.5), math.exp(2), math.exp(0.5), math.exp(2))),
    ("exp(-2*x)", (math.exp(2), math.exp(8), -2 * math.exp(2), 4 * math.exp(8))),
    ("relu(x-1.3)", (PHI - 1.3 * TAIL, (1 + 1.3**2) * TAIL - 1.3 * PHI, TAIL, TAIL)),
    ("relu(1.3-x)", (PHI + 1.3 * (1 - TAIL), 2.69 * (1 - TAIL) + 1.3 * PHI, TAIL - 1, 1 - TAIL)),
    ("where(x>1.3, 1, 0)", (TAIL, TAIL, 0, 0)),
    ("sin(3*x)", (0, (1 - math.exp(-18)) / 2, 3 * math.exp(-4.5), 4.5 * (1 + math.exp(-18)))),
    ("abs(x)**1.5", (absolute(1.5), absolute(3), 0, 2.25 * absolute(1))),
    ("abs(x)**0.5", (absolute(0.5), absolute(1), 0, None)),
    ("abs(x)**0.9", (absolute(0.9), absolute(1.8), 0, 0.81 * absolute(-0.2))),
    ("exp(-((x-2)*1e5)**2)", (bump(2, 1e-5), bump(2, 1e-5 / math.sqrt(2)), None, None)),
    ("exp(0.2*x**2)", (0.6**-0.5, 0.2**-0.5, 0, 0.16 * 0.2**-1.5)),
    ("exp(0.45*x**2)", (0.1**-0.5, None, 0, None)),
    ("where(x>0, exp(0.225*x**2), 1)", (0.5 * 0.55**-0.5 + 0.5, 0.5 * 0.1**-0.5 + 0.5, None, None)),
    ("where(x<0, exp(0.225*x**2), 1)", (0.5 * 0.55**-0.5 + 0.5, 0.5 * 0.1**-0.5 + 0.5, None, None)),
    ("where(x>0, exp(0.3*x**2), 1)", (0.5 * 0.4**-0.5 + 0.5, None, None, None)),
    ("where(x<0, exp(0.3*x**2), 1)", (0.5 * 0.4**-0.5 + 0.5, None, None, None)),
]


@pytest.mark.parametrize(("text", "expected"), MOMENTS)
def test_moments_against_closed_forms(text: str, expected: tuple[float | None, ...]) -> None:
    found = moments(text)
    for one, wanted in zip(found, expected, strict=True):
        if wanted is not None:
            assert one == pytest.approx(wanted, rel=3e-13, abs=1e-15)


def test_a_moment_that_does_not_exist_is_none() -> None:
    assert moments("exp(0.45*x**2)")[1::2] == (None, None)
    assert moments("exp(0.48*x**2)") == (None,) * 4
    assert moments("where(x>0, exp(0.6*x**2), 1)") == (None,) * 4
    assert moments("where(x<0, exp(0.6*x**2), 1)") == (None,) * 4
    assert moments("where(x<0, exp(0.3*x**2), 1)")[1::2] == (None, None)
    assert moments("abs(x)**0.5")[3] is None
    assert moments("x*0+exp(exp(x))") == (None,) * 4


@pytest.mark.parametrize("text", ["x*sigmoid(X)", "exp(-X*X)", "max(X, 0.1*X)", "X-sin(2*X)"])
def test_facts_of_a_multiple_and_of_a_reflection_follow_from_the_original(text: str) -> None:
    text = text.replace("x*sig", "X*sig")
    one = facts.measure(facts.pasted(text.replace("X", "x")))
    for factor in (-1e-3, 512.0):
        many = facts.measure(facts.pasted(f"({factor})*({text.replace('X', 'x')})"))
        assert scaled(many, 1 / factor) == pytest.approx(scaled(one, 1), rel=1e-12, abs=1e-15)
        assert many.zero_centredness == pytest.approx(one.zero_centredness, rel=1e-12)
        assert [k.x for k in many.kinks or ()] == [k.x for k in one.kinks or ()]
    mirrored = facts.measure(facts.pasted(text.replace("X", "(-x)")))
    assert mirrored.mean_under_N01 == pytest.approx(one.mean_under_N01, rel=1e-13, abs=1e-16)
    assert mirrored.mean_grad_N01 == pytest.approx(-(one.mean_grad_N01 or 0.0), rel=1e-12)
    assert mirrored.second_moment_grad_N01 == pytest.approx(one.second_moment_grad_N01, rel=1e-12)
    assert (mirrored.df0_left, mirrored.df0_right) == (-(one.df0_right or 0), -(one.df0_left or 0))
    assert (mirrored.lim_minus_inf, mirrored.lim_plus_inf) == (one.lim_plus_inf, one.lim_minus_inf)
    assert (mirrored.range_low, mirrored.range_high) == (one.range_low, one.range_high)


def scaled(found: ScalarFacts, factor: float) -> list[float | None]:
    size = abs(factor)

    def times(number: float | None, by: float) -> float | None:
        return None if number is None else number * by

    return [
        times(found.mean_under_N01, factor),
        times(found.second_moment_N01, factor**2),
        times(found.mean_grad_N01, factor),
        times(found.second_moment_grad_N01, factor**2),
        times(found.gain_forward, 1 / size),
        times(found.gain_backward, 1 / size),
        times(found.nfnet_gamma, 1 / size),
        times(found.max_abs_grad, size),
        times(found.df0_left, factor),
        times(found.df0_right, factor),
    ]


def test_kinks_and_slopes_at_0_are_those_of_the_sides() -> None:
    found = facts.measure(facts.pasted("3*relu(x)-relu(-x)/2+abs(x-2)+relu(x+5)**2"))
    assert found.kinks == (Kink(0.0, 9.5, 12.0), Kink(2.0, 16.0, 18.0))
    assert (found.df0_left, found.df0_right) == (9.5, 12.0)
    assert found.smoothness == "C0"
    jump = facts.measure(facts.pasted("where(x>1, 2*x, x)"))
    assert jump.kinks == (Kink(1.0, 1.0, 2.0),)
    assert facts.measure(facts.pasted("x*abs(x)")).kinks == ()


Integrand = Callable[[np.ndarray], tuple[np.ndarray, ...]]


def test_means_follow_breaks_and_scales() -> None:
    third: Integrand = lambda x: (np.abs(x - 1 / 3), 1.0 * (x > 1 / 3))  # noqa: E731
    mean = 2 * normal_density(1 / 3) + (1 - 2 * normal_tail(1 / 3)) / 3
    found = normal_means(third, [1 / 3], [(0.0, 1.0)])
    assert found == pytest.approx((mean, normal_tail(1 / 3)), rel=1e-14)
    assert normal_means(third, [], [(0.0, 1.0)]) == (None, None)
    for place, width in ((0.7, 1e-3), (-2.2, 1e-7), (5.0, 0.01)):
        narrow: Integrand = lambda x, p=place, w=width: (np.exp(-(((x - p) / w) ** 2)),)  # noqa: E731
        found = normal_means(narrow, [], [(place, width)])
        assert found == pytest.approx((bump(place, width),), rel=1e-13)


def test_a_mean_that_is_rounding_is_0_and_one_that_is_not_finite_is_none() -> None:
    assert normal_means(lambda x: (x**3, 0 * x, x**3 + 1e-10), [], [(0.0, 1.0)])[:2] == (0, 0)
    (tiny,) = normal_means(lambda x: (np.where(x > 0, x * (1 + 1e-15), x),), [], [(0.0, 1.0)])
    assert tiny == 0
    (small,) = normal_means(lambda x: (1e6 * x + 1e-6,), [], [(0.0, 1.0)])
    assert small == pytest.approx(1e-6, rel=1e-3)
    assert normal_means(lambda x: (np.full_like(x, np.nan),), [], [(0.0, 1.0)]) == (None,)
    assert normal_means(lambda x: (np.full_like(x, np.inf),), [], [(0.0, 1.0)]) == (None,)


@pytest.mark.parametrize("power", [0, 20, 40])
def test_high_moments_of_the_normal_distribution(power: int) -> None:
    (found,) = normal_means(lambda x: (x**power,), [], [])
    assert found == pytest.approx(math.prod(range(1, power, 2)), rel=1e-13)
