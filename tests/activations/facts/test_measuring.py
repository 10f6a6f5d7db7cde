"""Measuring formulas: against closed forms, for any parameter value, and where it cannot be."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.activations import facts
from actlab.activations.catalogue.declared import normal_cdf, normal_density, normal_tail
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
