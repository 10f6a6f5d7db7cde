"""Facts read off a live module, against those of its formula and against closed forms."""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from actlab.activations.catalogue.declared import (
    SCALAR_FACTS,
    Kink,
    ScalarFacts,
    normal_cdf,
    normal_tail,
)
from actlab.activations.facts import measure, pasted
from actlab.activations.facts.measurable import module_of
from actlab.activations.facts.module_route import ModuleRoute
from actlab.activations.facts.verification import agree

FORMULAS = [
    "x",
    "-2*x+1",
    "0*x+3",
    "clip(x, -2, 3)",
    "-relu(x-1)",
    "-1*relu(1-x)",
    "tanh(x-0.3)",
    "-3*tanh(2*x)",
    "5+sigmoid(x)",
    "exp(-(x-2)**2)",
    "-exp(-(x+2)**2/4)",
    "x*exp(-x**2/2)",
    "x*sigmoid(2*x+1)",
    "-x*sigmoid(-x)",
    "sin(x)",
    "x**2-4*x",
    "-x**2",
    "abs(x-1.5)",
    "where(x>1, x+1, x)",
    "where(x>=1, 0, exp(min(x, 1)))",
    "relu(x)**2",
    "relu(x+2)**3/6",
    "max(0.1*x, x)",
    "atan(x)*1e3",
    "1e-3*x**2*exp(-x**2)",
    "where(abs(x)<1, 0, x-sign(x))",
    "softplus(x)-relu(x)",
    "x+sin(2*x)",
]


@cache
def both(text: str) -> tuple[ScalarFacts, ScalarFacts]:
    function = pasted(text)
    module = module_of(function).double()
    by_formula = measure(function)
    with np.errstate(all="ignore"):
        return by_formula, ModuleRoute(module).facts(by_formula)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_module_and_its_formula_have_the_same_facts(text: str) -> None:
    by_formula, by_module = both(text)
    differing = {
        fact: (getattr(by_formula, fact), getattr(by_module, fact))
        for fact in SCALAR_FACTS
        if not agree(getattr(by_module, fact), getattr(by_formula, fact), 1e-7)
    }
    assert differing == {}


def route(function: Callable[[Tensor], Tensor]) -> ModuleRoute:
    return ModuleRoute(function)


def facts_of(
    function: Callable[[Tensor], Tensor], declared: ScalarFacts | None = None
) -> ScalarFacts:
    with np.errstate(all="ignore"):
        return route(function).facts(declared or ScalarFacts())


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (torch.cos, (0.7390851332151607,)),
        (lambda x: x**2, (0, 1)),
        (lambda x: 3 * torch.tanh(x), (-2.984704585356, 0, 2.984704585356)),
        (lambda x: x + (x - 10) * (x + 10) / 20, (-10, 10)),
        (lambda x: x + (x - 10.01) * (x + 9.99), (-9.99,)),
        (lambda x: torch.where(x > 1, -3.0 + 0 * x, 3.0 + 0 * x), ()),
        (lambda x: torch.where(x > 1, 0 * x, torch.exp(x.clamp(max=1))), ()),
        (lambda x: 1e4 * (x - 0.3) + 0.3, (0.3,)),
        (lambda x: x + 1, ()),
        (lambda x: -x / 3 + 4, (3,)),
    ],
)
def test_crossings_of_the_diagonal_are_found_up_to_10(
    function: Callable[[Tensor], Tensor], expected: tuple[float, ...]
) -> None:
    found = facts_of(function).fixed_points
    assert found == pytest.approx(expected, rel=1e-11, abs=1e-11)


def test_declared_fixed_points_that_are_fixed_are_kept_and_no_others() -> None:
    declared = ScalarFacts(fixed_points=((-math.inf, -2.0), (0.0, 1.0), 5.0, 7.5))
    found = facts_of(
        lambda x: torch.where(x < -2, x, torch.where(x < 0, -x, torch.where(x < 4, x, 10 - x))),
        declared,
    )
    assert found.fixed_points == ((-math.inf, -2.0), (0.0, 1.0), 5.0)


def test_values_and_slopes_are_the_modules() -> None:
    found = route(lambda x: x**3)
    xs = np.array([-2.0, 0.5])
    assert found.value(xs).tolist() == [-8, 0.125]
    assert found.slope(xs).tolist() == [12, 0.75]
    assert (found.at(2.0), found.slope_at(-1.0)) == (8, 3)
    assert xs.tolist() == [-2.0, 0.5]


BELOW = (math.sqrt(11) - 3) / 2
"""The root of 2 v^2 + 6 v - 1: where (v + 6)^2 (v^2 - 1) turns."""

TURNING: dict[str, tuple[Callable[[Tensor], Tensor], float | None, float | None]] = {
    "at a point of the grid": (lambda x: (x - 2) ** 2, 2, 0),
    "between points": (lambda x: (x - 1 / 3) ** 2 - 7, 1 / 3, -7),
    "far out": (lambda x: 1e-3 * (x + 44.4) ** 2, -44.4, 0),
    "twice, the negative one": (lambda x: (x**2 - 4) ** 2, -2, 0),
    "twice, the nearer one": (lambda x: (x + 3) ** 2 * (x - 2) ** 2, 2, 0),
    "on a stretch": (lambda x: torch.relu(x.abs() - 1), None, None),
    "on a stretch and at a point": (
        lambda x: 3 + torch.relu(x + 4) ** 2 * (x - 2) ** 2,
        None,
        None,
    ),
    "on a stretch in the middle and at a point": (
        lambda x: torch.relu((x + 2).abs() - 1) ** 2 * (x - 2) ** 2,
        None,
        None,
    ),
    "below a stretch": (
        lambda x: torch.relu(x + 4) ** 2 * ((x - 2) ** 2 - 1),
        2 + BELOW,
        (6 + BELOW) ** 2 * (BELOW**2 - 1),
    ),
    "nowhere": (torch.exp, None, None),
    "at a kink": (lambda x: (x + 0.7).abs(), -0.7, 0),
    "at a kink of the grid": (lambda x: 2 * (x - 1.5).abs() + 1, 1.5, 1),
}


@pytest.mark.parametrize("where", TURNING)
def test_the_least_value_and_its_place(where: str) -> None:
    function, place, least = TURNING[where]
    found = facts_of(function)
    assert found.min_x == (None if place is None else pytest.approx(place, abs=1e-7))
    assert found.min_y == (None if least is None else pytest.approx(least, abs=1e-12))
    if place is not None:
        assert found.low_attained
        assert found.range_low == pytest.approx(least, abs=1e-12)


RANGES: dict[str, tuple[Callable[[Tensor], Tensor], tuple[float, bool, float, bool]]] = {
    "bounded": (torch.tanh, (-1, False, 1, False)),
    "wide and bounded": (
        lambda x: 1e3 * torch.atan(x),
        (-500 * math.pi, False, 500 * math.pi, False),
    ),
    "clipped": (lambda x: x.clamp(-3, 6.5), (-3, True, 6.5, True)),
    "growing": (lambda x: x, (-math.inf, False, math.inf, False)),
    "growing slowly": (
        lambda x: torch.sign(x) * torch.log1p(x.abs()),
        (-math.inf, False, math.inf, False),
    ),
    "rising on the left": (torch.abs, (0, True, math.inf, False)),
    "swinging": (lambda x: x * torch.sin(x), (-math.inf, False, math.inf, False)),
    "settled far out": (lambda x: 9 * torch.tanh(x / 30), (-9, False, 9, False)),
    "a hump far out": (lambda x: 50 * torch.exp(-((x - 50.3) ** 2) / 100), (0, False, 50, True)),
    "a plateau that begins at 9": (
        lambda x: (x / 2).clamp(-4.5, 4.5),
        (-4.5, True, 4.5, True),
    ),
    "a plateau on the left alone": (
        lambda x: torch.relu(x + 9.5) ** 2 / 100 - 3,
        (-3, True, math.inf, False),
    ),
    "a stretch alone": (lambda x: 2 + torch.relu(x.abs() - 1), (2, True, math.inf, False)),
    "swinging on the left": (
        lambda x: torch.relu(-x) * torch.sin(x),
        (-math.inf, False, math.inf, False),
    ),
    "swinging on the right": (
        lambda x: torch.relu(x) * (1.5 + torch.sin(x)),
        (0, True, math.inf, False),
    ),
    "a step": (lambda x: torch.where(x > 3.5, 4 + 0 * x, -2 + 0 * x), (-2, True, 4, True)),
}


@pytest.mark.parametrize("kind", RANGES)
def test_the_range_and_whether_its_ends_are_attained(kind: str) -> None:
    function, expected = RANGES[kind]
    found = facts_of(function)
    rows = (found.range_low, found.low_attained, found.range_high, found.high_attained)
    assert rows == tuple(
        end if isinstance(end, bool) else pytest.approx(end, rel=1e-9, abs=1e-9) for end in expected
    )


STEEPEST: dict[str, tuple[Callable[[Tensor], Tensor], float, float | None]] = {
    "between points": (lambda x: torch.tanh(x - 1 / 3), 1, 1 / 3),
    "far out": (lambda x: -7 * torch.tanh((x - 33.3) / 7), 1, 33.3),
    "twice, the nearer one": (lambda x: torch.tanh(x + 9) - torch.tanh(x - 8), 1, 8),
    "twice, the negative one": (lambda x: torch.tanh(x + 9) - torch.tanh(x - 9), 1, -9),
    "one of two that is steeper": (
        lambda x: torch.tanh(x - 4) + 1.001 * torch.tanh(x + 40),
        1.001,
        -40,
    ),
    "on a stretch": (lambda x: x.clamp(-1, 1), 1, None),
    "at a kink": (lambda x: torch.exp(-(x - 5).abs()), 1, 5),
    "without bound": (lambda x: x**2, math.inf, None),
    "at infinity": (torch.nn.functional.softplus, 1, None),
    "nowhere": (torch.zeros_like, 0, None),
}


@pytest.mark.parametrize("kind", STEEPEST)
def test_the_steepest_slope_and_where_it_is(kind: str) -> None:
    function, size, place = STEEPEST[kind]
    found = facts_of(lambda x: function(x) + 0 * x)
    assert found.max_abs_grad == pytest.approx(size, rel=1e-9)
    assert found.argmax_abs_grad == (None if place is None else pytest.approx(place, abs=1e-6))


def test_kinks_have_the_slopes_of_their_sides_and_the_one_that_autograd_returns() -> None:
    found = facts_of(lambda x: torch.relu(x - 1) * 3 + (x + 4.5).abs() + torch.relu(x - 7) ** 2)
    assert found.smoothness == "C0"
    expected = (Kink(-4.5, -1, 1, 0), Kink(1, 1, 4, 1))
    assert agree(expected, found.kinks, 1e-9)
    assert (found.df0_left, found.df0_right) == pytest.approx((1, 1), rel=1e-9)
    jumps = facts_of(lambda x: torch.where(x > 2, x, x - 1))
    assert jumps.smoothness == "discontinuous"
    assert agree((Kink(2, 1, 1, 1),), jumps.kinks, 1e-9)
    bent = facts_of(lambda x: torch.relu(x - 2) ** 2)
    assert (bent.smoothness, bent.kinks) == ("C1", ())
    assert facts_of(lambda x: torch.relu(x) ** 3).smoothness == "C2"
    assert facts_of(torch.tanh).smoothness == "Cinf"


DIRECTIONS: list[tuple[str, Callable[[Tensor], Tensor]]] = [
    ("strictly_increasing", lambda x: torch.tanh(x / 2)),
    ("strictly_increasing", lambda x: 1e6 + 1e-12 * x),
    ("strictly_increasing", lambda x: x + torch.sin(x)),
    ("strictly_increasing", lambda x: x.clamp(-7.25, 7.25)),  # it is decided on [-7, 7]
    ("non_decreasing", lambda x: torch.relu(x - 6.5) - 0.5),
    ("non_decreasing", lambda x: torch.relu(x - 6.5) - torch.relu(-x - 6.5)),
    ("strictly_decreasing", lambda x: -1e6 * x - 3),
    ("non_increasing", lambda x: -x.clamp(-6.5, 2)),
    ("non_increasing", lambda x: torch.where(x > 2, 1 + 0 * x, 2 + 0 * x)),
    ("non_monotonic", lambda x: x - 1.5 * torch.sin(x)),
    ("non_monotonic", lambda x: 1e-6 * torch.cos(x)),
    ("non_monotonic", lambda x: torch.where(x > 6.9, x - 0.5, x)),
]


@pytest.mark.parametrize(("direction", "function"), DIRECTIONS)
def test_the_direction(direction: str, function: Callable[[Tensor], Tensor]) -> None:
    assert facts_of(function).monotonic == direction


def test_moments_of_a_normal_input() -> None:
    found = facts_of(lambda x: x**2 + 3 * x)
    moments = (
        found.mean_under_N01, found.second_moment_N01, found.mean_grad_N01,
        found.second_moment_grad_N01,
    )  # fmt: skip
    assert moments == pytest.approx((1, 12, 3, 13), rel=1e-12)
    assert found.gain_forward == pytest.approx(12**-0.5, rel=1e-12)
    assert found.gain_backward == pytest.approx(13**-0.5, rel=1e-12)
    assert found.nfnet_gamma == pytest.approx(11**-0.5, rel=1e-12)
    assert found.zero_centredness == pytest.approx(1 - 12**-0.5, rel=1e-12)


@pytest.mark.parametrize(
    ("function", "share"),
    [
        (lambda x: x.clamp(-1.5, 2), normal_tail(1.5) + normal_tail(2)),
        (lambda x: torch.relu(x.abs() - 0.125), normal_cdf(0.125) - normal_cdf(-0.125)),
        (torch.tanh, 0.0),
        (lambda x: 0 * x, 1.0),
    ],
)
def test_the_share_of_a_normal_input_without_a_gradient(
    function: Callable[[Tensor], Tensor], share: float
) -> None:
    assert facts_of(function).zero_grad_fraction_N01 == pytest.approx(share, rel=1e-12)
