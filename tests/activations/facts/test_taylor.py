"""Taylor arithmetic against mpmath's numerical differentiation and against known series."""

import mpmath
import numpy as np
import pytest

from actlab.activations.facts.taylor import derivatives
from actlab.activations.formula import MpmathBackend, NumpyBackend, parse
from tests.contracts.functions import SCALAR, name_of

WORDS = [
    "sqrt(x**2+2)",
    "exp(sin(x))",
    "expm1(x)*log1p(x**2)",
    "log(2+cos(x))",
    "erf(x)/(1+x**2)",
    "tan(x/4)",
    "atan(asinh(x))",
    "sinh(x)/cosh(x)-tanh(x/2)",
    "sigmoid(x)*softplus(-x)",
    "(2+x**2)**1.5",
    "x**3-2*x**(-2)",
    "e**x*pi",
    "max(x, 0.3*x, 1-x)*min(x, 2)",
    "clip(x**2, 0.5, 3)",
    "abs(x)*sign(x-0.1)",
    "relu(x-0.2) if x < 1 else 0.8",
]


@pytest.mark.parametrize("text", WORDS)
@pytest.mark.parametrize("x", ["-1.37", "0.45", "1.9"])
def test_every_word_of_the_language_is_differentiated(text: str, x: str) -> None:
    expression = parse(text)
    with mpmath.workdps(40):
        point = mpmath.mpf(x)
        found = derivatives(expression.tree, {}, point, 3, MpmathBackend())
        for order in range(4):
            expected = mpmath.diff(
                lambda z: expression.evaluate(MpmathBackend(), z), point, order, h=1e-9
            )
            assert abs(found[order] - expected) < 1e-8 * (1 + abs(expected))


@pytest.mark.parametrize("function", SCALAR, ids=name_of)
def test_doubles_and_reals_agree_on_every_function(function) -> None:
    tree = parse(function.formula).tree
    xs = np.array([-6.3, -1.7, -0.4, 0.3, 1.2, 2.6, 7.1])
    doubles = derivatives(tree, function.values, xs, 2, NumpyBackend(largest=340.0))
    with mpmath.workdps(40):
        reals = [derivatives(tree, function.values, mpmath.mpf(x), 2, MpmathBackend()) for x in xs]
    for order in range(3):
        column = np.broadcast_to(doubles[order], xs.shape)
        assert np.allclose(column, [float(row[order]) for row in reals], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "side", "expected"),
    [
        ("abs(x)", -1, (0, -1, 0)),
        ("abs(x)", 1, (0, 1, 0)),
        ("relu(x)", -1, (0, 0, 0)),
        ("where(x>0, x**2, x)", 1, (0, 0, 2)),
        ("where(x>=0, x**2, x)", -1, (0, 1, 0)),
        ("where(x**2>0, x, 7)", 1, (0, 1, 0)),
        ("where(x**2>0, x, 7)", 0, (7, 0, 0)),
        ("sign(x)", -1, (-1, 0, 0)),
        ("max(x, 2*x)", -1, (0, 1, 0)),
        ("where(x<0 or x>1, 5, x)", -1, (5, 0, 0)),
        ("where(x>-1 and x<1, 5, x)", -1, (5, 0, 0)),
        ("where(x>0 and x<1, 5, x)", -1, (0, 1, 0)),
        ("where(x<=0, 7, x)", 0, (7, 0, 0)),
        ("where(x<=0, 7, x)", 1, (0, 1, 0)),
        ("max(x, x)", 1, (0, 1, 0)),
    ],
)
def test_either_side_of_a_switch_can_be_followed(text, side, expected) -> None:
    found = derivatives(parse(text).tree, {}, mpmath.mpf(0), 2, MpmathBackend(), side)
    assert tuple(int(value) for value in found) == expected


def test_the_first_jet_is_the_value() -> None:
    xs = np.linspace(-3, 3, 7)
    expression = parse("x*tanh(exp(x))")
    (value,) = derivatives(expression.tree, {}, xs, 0, NumpyBackend(largest=340.0))
    assert np.allclose(value, expression.evaluate(NumpyBackend(), xs))


@pytest.mark.parametrize("x", ["1e38", "-1e38", "1e300"])
def test_numbers_of_any_size_are_evaluated_in_time(x: str) -> None:
    """mpmath alone would fill the memory with the digits of tanh(exp(1e38))."""
    for function in SCALAR:
        found = derivatives(
            parse(function.formula).tree, function.values, mpmath.mpf(x), 1, MpmathBackend()
        )
        assert all(mpmath.isfinite(value) for value in found), function.name


def test_powers_of_one_base_are_differentiated_as_if_each_stood_alone() -> None:
    text = "(1+x**2)**x*(1+x**2)**sin(x)+(2+x)**x"
    expression = parse(text)
    with mpmath.workdps(40):
        found = derivatives(expression.tree, {}, mpmath.mpf("0.7"), 2, MpmathBackend())
        for order in range(3):
            expected = mpmath.diff(lambda z: expression.evaluate(MpmathBackend(), z), 0.7, order)
            assert abs(found[order] - expected) < 1e-12 * abs(expected)
