"""Which known function a formula is."""

import math

import numpy as np
import pytest

from actlab.activations.facts.nearest import Known, Nearest, known_functions, nearest, nearest_to
from actlab.activations.formula import parse


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("log(1+exp(x))", "softplus(beta=1)"),
        ("log1p(exp(x))", "softplus(beta=1)"),
        ("log(1+exp(10*x))/10", "softplus(beta=10)"),
        ("sqrt(x**2)", "abs"),
        ("(exp(x)-exp(-x))/(exp(x)+exp(-x))", "tanh"),
        ("x/(1+exp(-1.5*x))", "swish(beta=1.5)"),
        ("x", "identity"),
        ("where(x>0, x, 0.3*x)", "leaky_relu(negative_slope=0.3)"),
    ],
)
def test_a_formula_is_recognised_however_it_is_written(text: str, call: str) -> None:
    found = nearest(parse(text), {})
    assert found is not None
    assert (found.call, found.equal) == (call, True)


@pytest.mark.parametrize("text", ["max(x-1000000, 0)", "sigmoid(x-1e5)", "1e-300*x", "-x", "2*x"])
def test_equal_is_relative_to_the_size_of_the_function(text: str) -> None:
    found = nearest(parse(text), {})
    assert found is not None
    assert not found.equal


def known(
    name: str, text: str, learns: bool = False, **parameters: tuple[float, float, float]
) -> Known:
    """Return a function to compare with; each parameter has its value and its bounds."""
    return Known(
        name,
        parse(text, tuple(parameters)),
        {key: value for key, (value, _low, _high) in parameters.items()},
        {key: (low, high) for key, (_value, low, high) in parameters.items()},
        learns,
    )


def among(text: str, *candidates: Known) -> Nearest:
    found = nearest(parse(text), {}, candidates)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "other", "distance"),
    [
        ("x", "2*x+1", math.sqrt(2)),
        ("x**2", "x", 2.0),
        ("x**2", "x**2-3", 3.0),
        ("1e-3*x", "0*x", 1e-3),
        ("exp(x)", "0*x", math.exp(1)),
    ],
)
def test_the_distance_is_that_under_a_normal_input(text: str, other: str, distance: float) -> None:
    found = among(text, known("other", other))
    assert found.distance == pytest.approx(distance, rel=1e-9)
    assert (found.call, found.equal) == ("other", False)


def test_the_distance_to_what_overflows_is_infinite() -> None:
    assert among("x", known("huge", "exp(exp(x*x))")).distance == math.inf
    assert among("x", known("huge", "exp(exp(x*x))"), known("line", "3*x")).name == "line"


def test_of_several_the_nearest_is_returned_and_of_none_none() -> None:
    lines = [known(f"{k} lines", f"{k}*x") for k in (1, 2, 4)]
    assert among("2.9*x", *lines).name == "2 lines"
    assert among("3.1*x", *lines).name == "4 lines"
    assert among("4*x", *lines) == Nearest("4 lines", {}, 0.0, True)
    assert nearest(parse("x"), {}, []) is None


FAMILIES = {
    "swish": known("swish", "x*sigmoid(b*x)", b=(1.0, 0.01, 20.0)),
    "line": known("line", "a*x+b", a=(1.0, -20.0, 20.0), b=(0.0, -20.0, 20.0)),
    "hinge": known("hinge", "where(x>0, x, a*(exp(x)-1))", a=(1.0, 0.0, 20.0)),
    "step": known(
        "step", "a*tanh(b*(x-c))", a=(-1.0, -9.0, 9.0), b=(1.0, 0.1, 9.0), c=(0.0, -3.0, 3.0)
    ),
}


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("x*sigmoid(7.25*x)", "swish(b=7.25)"),
        ("x*sigmoid(0.02*x)", "swish(b=0.02)"),
        ("-3.5*x+11", "line(a=-3.5, b=11)"),
        ("1e-3*x-1e-2", "line(a=0.001, b=-0.01)"),
        ("where(x>0, x, 0.123456*(exp(x)-1))", "hinge(a=0.123456)"),
        ("where(x>0, x, 19*(exp(x)-1))", "hinge(a=19)"),
        ("-2.5*tanh(0.75*x-0.9)", "step(a=-2.5, b=0.75, c=1.2)"),
    ],
)
def test_fitted_parameters_are_those_of_the_formula(text: str, call: str) -> None:
    found = among(text, *FAMILIES.values())
    assert (found.call, found.equal) == (call, True)
    assert found.distance == pytest.approx(0, abs=1e-9)


def test_parameters_have_the_least_distance_where_none_is_equal() -> None:
    """(x^3 - 3 x) / sqrt(6) has the size 1 and nothing of a line."""
    found = among("8*x+2+(x**3-3*x)/sqrt(6)", FAMILIES["line"], FAMILIES["swish"])
    assert (found.call, found.equal) == ("line(a=8, b=2)", False)
    assert found.distance == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize(("off", "name"), [(0.2, "own"), (0.14, "fitted"), (0.16, "own")])
def test_fitted_parameters_have_to_be_twice_as_near(off: float, name: str) -> None:
    own = known("own", "x+0.3*(x**2-1)/sqrt(2)")
    fitted = known("fitted", f"a*x+{off}*(x**2-1)/sqrt(2)", a=(5.0, 0.1, 9.0))
    found = among("x", own, fitted)
    assert found.name == name
    assert found.distance == pytest.approx(0.3 if name == "own" else off, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("7*x+sin(x)", known("slope", "a*x", a=(1.0, 0.1, 5.0))),
        ("-7*x+sin(x)", known("slope", "a*x", a=(1.0, -5.0, 5.0))),
        ("x+x**2/100", known("bent", "x+a*tanh(x)", a=(1.0, -5.0, 5.0))),
    ],
)
def test_a_parameter_that_vanishes_or_is_at_its_bound_is_no_fit(text: str, family: Known) -> None:
    found = among(text, family)
    assert (found.parameters, found.equal) == (family.values, False)


def test_of_equal_functions_the_fixed_one_with_the_fewest_parameters_is_named() -> None:
    learnt = known("learnt", "where(x>0, x, a*x)", learns=True, a=(0.25, -20.0, 20.0))
    fixed = known("fixed", "where(x>0, x, s*x)", s=(0.01, -20.0, 20.0))
    both = known("both", "where(x>0, b*x, a*x)", a=(0.5, -9.0, 9.0), b=(1.0, -9.0, 9.0))
    text = "where(x>0, x, 0.3*x)"
    assert among(text, learnt, fixed, both).call == "fixed(s=0.3)"
    assert among(text, both, fixed, learnt).call == "fixed(s=0.3)"
    assert among(text, learnt, both).call == "learnt(a=0.3)"
    assert among(text, both).call == "both(a=0.3, b=1)"
    other = known("other", "where(x>1, x, s*x)", s=(0.01, -20.0, 20.0))
    assert among(text, learnt, other).call == "learnt(a=0.3)"
    plain = known("plain", "where(x>0, x, 0.3*x)")
    assert among(text, learnt, fixed, plain).call == "plain"


@pytest.mark.parametrize(("off", "equal"), [(0.9e-9, True), (1.2e-9, False), (-1.2e-9, False)])
def test_equal_is_up_to_nine_digits(off: float, equal: bool) -> None:
    assert among(f"x*(1+({off}))", known("line", "x")).equal == equal
    assert among(f"tanh(x)+({off})*(abs(x)<1e-3)", known("tanh", "tanh(x)")).equal == equal


def test_equal_is_everywhere_that_something_happens() -> None:
    line = known("line", "x")
    for text in ("x+relu(x-9.9e3)", "x-relu(-x-9.9e3)", "x+exp(-((x-3)*1e7)**2)", "x+relu(x-5e5)"):
        assert not among(text, line).equal
    assert not among("1e-9*tanh(x)", known("zero", "0*x")).equal
    assert among("2e-9*tanh(x)/2", known("small", "1e-9*tanh(x)")).equal


def test_what_doubles_overflow_on_the_way_to_is_compared_exactly() -> None:
    assert among("log(exp(x)+exp(-x))", known("same", "abs(x)+log1p(exp(-2*abs(x)))")).equal
    assert not among("log(exp(x)+exp(-x))", known("line", "abs(x)+(abs(x)<1)")).equal
    growing = among("exp(x)/(1+exp(x))*x", known("kinked", "where(x>800, 2*x, x*sigmoid(x))"))
    assert not growing.equal


def test_a_callable_agrees_up_to_the_digits_that_are_asked_for() -> None:
    rough = nearest_to(lambda x: np.tanh(x) * (1 + 1e-6), 1e-5)
    assert rough is not None
    assert (rough.call, rough.equal) == ("tanh", True)
    assert rough.distance == pytest.approx(1e-6 * math.sqrt(0.3942944903), rel=1e-5)
    half = nearest_to(lambda x: np.where(x > 0, x, np.nan))
    assert half is not None
    assert (half.name, half.equal) == ("identity", True)


def test_a_call_is_written_with_six_digits() -> None:
    found = Nearest("f", {"a": 1.5, "b": -2.0, "c": 0.12345678}, 0.0, True)
    assert found.call == "f(a=1.5, b=-2, c=0.123457)"
    assert Nearest("g", {}, 0.0, True).call == "g"


def test_parameters_are_searched_within_their_domain_up_to_20_times_their_usual_value() -> None:
    functions = {one.name: one for one in known_functions()}
    assert "softmax" not in functions
    assert functions["relu"].bounds == {}
    assert functions["leaky_relu"].bounds["negative_slope"] == (-19.999, 19.999)
    assert functions["leaky_relu"].values == {"negative_slope": 0.01}
    assert functions["prelu"].learns
    assert not functions["leaky_relu"].learns
    for one in functions.values():
        for name, value in one.values.items():
            low, high = one.bounds[name]
            assert low < value < high
            assert high <= 20 * max(1, abs(value)) - 1e-3
    assert functions["softcap"].bounds == {"cap": (0.001, 599.999)}
