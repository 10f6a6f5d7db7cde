"""The formula language: what it reads, what it refuses, and that its three backends agree."""

import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.activations.formula import (
    FormulaError,
    MpmathBackend,
    NumpyBackend,
    UnboundParameterError,
    parse,
)
from actlab.activations.formula.with_torch import FormulaModule, TorchBackend

FORMULAS = {
    "where(x>lambd, x-lambd, where(x<-lambd, x+lambd, 0.0))": {"lambd": 0.5},
    "clip(0.5*(x+1), 0, 1)": {},
    "0.5*(1+erf((x-mu)/(sigma*sqrt(2.0))))": {"mu": 0.707107, "sigma": 0.282095},
    "where(x>0, alpha_p*x**2+beta*x, alpha_n*(expm1(x)-x)+beta*x)": {
        "alpha_p": 0.8,
        "alpha_n": 0.8,
        "beta": 0.5,
    },
    "x*log(2-exp(-exp(x)))": {},
    "x/(1-x*exp(-(x+exp(x))))": {},
    "x*sin(pi/2*sigmoid(x))": {},
    "x-tanh(x)": {},
    "sign(x)*log1p(abs(x))": {},
    "0.5*(x+sqrt(x**2+b))": {"b": 4.0},
    "x*tanh(softplus(x))": {},
    "atan(x)+asinh(x)/2+0.1*cos(x)": {},
    "max(0, min(x, 1, b))": {"b": 2.0},
    "(x > 1)*x + (-1 <= x <= 1)*x**3": {},
    "sinh(clip(x, -3, 3))/cosh(x)": {},
    "tan(0.1*x) - relu(x)**1.5": {},
    "x if x > 0 or x < -2 else x*abs(x)/2": {},
}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(FORMULAS)), st.floats(-12.0, 12.0))
def test_the_three_backends_agree(text: str, x: float) -> None:
    formula = parse(text)
    parameters = FORMULAS[text]
    with mpmath.workdps(40):
        exact = float(formula.evaluate(MpmathBackend(), x, **parameters))
    quick = float(formula.evaluate(NumpyBackend(), x, **parameters))
    written = formula.evaluate(
        TorchBackend(), torch.tensor([x], dtype=torch.float64), **parameters
    ).item()
    assert quick == pytest.approx(exact, rel=1e-13, abs=1e-13)
    # torch's softplus is the identity above 20, and its kernels are looser by a few units.
    assert written == pytest.approx(exact, rel=1e-12, abs=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(FORMULAS)), st.floats(-6.0, 6.0))
def test_the_derivative_is_that_of_autograd(text: str, x: float) -> None:
    formula = parse(text)
    parameters = FORMULAS[text]
    point = torch.tensor([x], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(formula.evaluate(TorchBackend(), point, **parameters), point)
    derivative = formula.derivative()
    used = {name: parameters[name] for name in derivative.names}
    for switch in formula.switches():
        inner = {name: parameters[name] for name in switch.names}
        if abs(float(switch.evaluate(NumpyBackend(), x, **inner))) < 1e-9:
            return  # at a kink either side may be meant
    assert float(derivative.evaluate(NumpyBackend(), x, **used)) == pytest.approx(
        slope.item(), rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize(
    ("text", "position", "word"),
    [
        ("__import__('os')", 1, '"__import__"'),
        ("x + eval('1')", 5, '"eval"'),
        ("x.__class__", 1, "dot"),
        ("torch.tanh(x)", 1, "write tanh(x)"),
        ("x*tanhh(x)", 3, 'Did you mean "tanh"?'),
        ("tanh", 1, "write tanh(x)"),
        ("2x", 1, "2*x"),
        ("x^2", 1, "x**2"),
        ("x*", 2, "not a complete expression"),
        ("(x", 1, "never closed"),
        ("x)", 2, "closes nothing"),
        ("lambda x: x", 1, "in x"),
        ("3", 1, "does not contain"),
        ("", 1, "empty"),
        ("relu(x, 1)", 1, "arguments of relu is 1, not 2"),
        ("x*True", 3, "real numbers"),
        ("1j*x", 1, "real numbers"),
        ("x % 2", 1, "operators"),
        ("where(x, 1, 2)", 7, "comparison"),
        ("y=x", 2, "right-hand side"),
        ("x" * 501, 501, "501 characters"),
        ("(" * 60 + "x" + ")" * 60, 41, "nested"),
        ("-" * 300 + "x", 41, "nested"),
        ("10" + "0" * 400 + "*x", 1, "too large"),
        ("[t for t in x]", 1, "no place"),
        ("x[0]", 1, "indexing"),
        ("x\n+1", 2, "no place"),
        ("é*x", 1, "letters"),
    ],
)
def test_what_is_not_the_language_is_refused_in_one_line(
    text: str, position: int, word: str
) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert caught.value.position == position
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet="x()+-*/.,<>=01a'_ \\\"[]{}:eE^%&|~@!", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        formula = parse(text)
    except FormulaError:
        return
    assert formula.latex()


def test_only_known_parameters_are_accepted_where_they_are_named() -> None:
    with pytest.raises(FormulaError, match='Did you mean "beta"'):
        parse("x*sigmoid(betta*x)", parameters=("beta",))
    with pytest.raises(UnboundParameterError, match="give beta=1"):
        parse("x*sigmoid(beta*x)").evaluate(NumpyBackend(), 1.0)
    with pytest.raises(UnboundParameterError, match="it has: beta"):
        parse("x*sigmoid(beta*x)").evaluate(NumpyBackend(), 1.0, beta=1.0, gamma=2.0)


def test_a_decimal_keeps_its_digits_at_high_precision() -> None:
    with mpmath.workdps(50):
        value = parse("x*1.6732632423543772848170429916717").evaluate(MpmathBackend(), 1)
        assert value == mpmath.mpf("1.6732632423543772848170429916717")


@pytest.mark.parametrize("x", [-1e38, -1e4, 1e4, 1e38])
@pytest.mark.parametrize(
    ("text", "slope_at_infinity"),
    [("x*tanh(exp(x))", 1.0), ("x*exp(-exp(-x))", 1.0), ("x*log(2-exp(-exp(x)))", math.log(2))],
)
def test_an_inner_exp_is_no_trap_at_high_precision(
    text: str, slope_at_infinity: float, x: float
) -> None:
    value = float(parse(text).evaluate(MpmathBackend(), x))
    assert math.isclose(value, max(x, 0.0) * slope_at_infinity, rel_tol=1e-12, abs_tol=1e-9)


def test_latex_brackets_follow_the_tree() -> None:
    assert parse("-(x+1)**2").latex() == r"-\left(x + 1\right)^{2}"
    assert parse("x-(1-x)").latex() == r"x - \left(1 - x\right)"
    assert parse("2*3*x").latex() == r"2 \cdot 3 \, x"
    assert parse("where(x>0, x, negative_slope*x)").latex() == (
        r"\begin{cases} x & \text{if } x > 0 \\ "
        r"\mathrm{negative\ slope} \, x & \text{otherwise} \end{cases}"
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max(x, 1e39)", [math.inf, math.inf]),
        ("min(-1e300, x)", [-math.inf, -math.inf]),
        ("clip(x, -1e300, 1e300)", [-1.0, 2.0]),
        ("where(x>0, 1e39, x)", [-1.0, math.inf]),
        ("where(x>0, 1e39, -1e39)", [-math.inf, math.inf]),
        ("max(-3, where(x<0.1, 1e300, 1e300)) + 0*x", [math.inf, math.inf]),
        ("where(x>0, x>1, 2)", [2.0, 1.0]),
    ],
)
def test_a_number_beyond_the_dtype_is_an_infinity(
    text: str, expected: list[float], dtype: torch.dtype
) -> None:
    found = parse(text).evaluate(TorchBackend(), torch.tensor([-1.0, 2.0], dtype=dtype))
    assert found.tolist() == expected


def test_a_formula_that_comes_to_a_number_beyond_the_dtype_is_an_infinity() -> None:
    formula = parse("max(2420490104, where(-2.1e16 < 0.1, 2.7e16, x))")
    found = formula.evaluate(TorchBackend(), torch.zeros(2, dtype=torch.float16))
    assert found.tolist() == [math.inf, math.inf]


def test_the_numpy_backend_gives_the_shape_of_its_input() -> None:
    assert parse("x*0+1").evaluate(NumpyBackend(), np.zeros((2, 3))).shape == (2, 3)
    assert parse("where(x>0, 1.0, 0.0)").evaluate(TorchBackend(), torch.zeros(2, 3)).shape == (2, 3)


def test_torch_keeps_half_precision() -> None:
    x = torch.linspace(-2, 2, 5, dtype=torch.bfloat16)
    for text, parameters in FORMULAS.items():
        assert parse(text).evaluate(TorchBackend(), x, **parameters).dtype == torch.bfloat16


@pytest.mark.parametrize(("text", "expected"), [("max(0,0,x)**2", 9.0), ("min(5,2,x)+0*x", 2.0)])
def test_two_numbers_that_come_first_are_joined_as_numbers(text: str, expected: float) -> None:
    function = FormulaModule(parse(text), {})
    assert function(torch.tensor([3.0])).item() == expected
    assert function(torch.tensor([-1.0])).item() == (0.0 if "max" in text else -1.0)
