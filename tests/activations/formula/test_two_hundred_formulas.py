"""A hundred formulas as users write them, and a hundred that are hostile or extreme."""

import math
import time
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from actlab.activations.catalogue.macros import read
from actlab.activations.facts import measured, pasted
from actlab.activations.facts.nearest import nearest
from actlab.activations.formula import FormulaError, NumpyBackend
from actlab.errors import ActlabError

sigmoid: Callable[[float], float] = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731
softplus: Callable[[float], float] = lambda x: math.log1p(math.exp(x))  # noqa: E731
cdf: Callable[[float], float] = lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2)))  # noqa: E731
gelu_tanh: Callable[[float], float] = lambda x: (  # noqa: E731
    0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
)
elu: Callable[[float], float] = lambda x: x if x > 0 else math.expm1(x)  # noqa: E731

USERS: dict[str, Callable[[float], float]] = {
    "x * torch.sigmoid(x)": lambda x: x * sigmoid(x),
    "x*torch.tanh(F.softplus(x))": lambda x: x * math.tanh(softplus(x)),
    "torch.nn.functional.silu(x)": lambda x: x * sigmoid(x),
    "nn.GELU()(x)": lambda x: x * cdf(x),
    "0.5 * x * (1 + torch.erf(x / math.sqrt(2)))": lambda x: x * cdf(x),
    "0.5*x*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3)))": gelu_tanh,
    "torch.where(x > 0, x, 0.1 * x)": lambda x: x if x > 0 else 0.1 * x,
    "np.maximum(x, 0)": lambda x: max(x, 0),
    "np.maximum(0, x)": lambda x: max(x, 0),
    "jnp.maximum(x, 0.1*x)": lambda x: max(x, 0.1 * x),
    "max(0, x)": lambda x: max(x, 0),
    "max(0,x)^2": lambda x: max(x, 0) ** 2,
    "relu(x)**2": lambda x: max(x, 0) ** 2,
    "F.relu(x).square()": lambda x: max(x, 0) ** 2,
    "torch.clamp(x, -1, 1)": lambda x: min(max(x, -1), 1),
    "x.clamp(min=0)": lambda x: max(x, 0),
    "np.clip(x, -2, 2)": lambda x: min(max(x, -2), 2),
    "torch.clamp(x, max=6)": lambda x: min(x, 6),
    "tf.nn.relu6(x)": lambda x: min(max(x, 0), 6),
    "x * tf.nn.sigmoid(1.702*x)": lambda x: x * sigmoid(1.702 * x),
    "x·σ(x)": lambda x: x * sigmoid(x),
    "x·Φ(x)": lambda x: x * cdf(x),
    "x²": lambda x: x**2,
    "x³/3": lambda x: x**3 / 3,
    "√(1+x²)-1": lambda x: math.sqrt(1 + x * x) - 1,
    "½(x+|x|)": lambda x: max(x, 0),
    "|x|": abs,
    "x/(1+|x|)": lambda x: x / (1 + abs(x)),
    "2σ(2x)-1": lambda x: 2 * sigmoid(2 * x) - 1,
    "e^x/(1+e^x)": sigmoid,
    "(e^x-e^{-x})/(e^x+e^{-x})": math.tanh,
    "exp(-x^2)": lambda x: math.exp(-x * x),
    "exp(-x**2/2)/sqrt(2*pi)": lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    "np.exp(-np.abs(x))": lambda x: math.exp(-abs(x)),
    "ln(1+exp(x))": softplus,
    "np.log1p(np.exp(x))": softplus,
    "np.logaddexp(0, x)": softplus,
    "log(1 + e^x)": softplus,
    "ln(x+sqrt(x^2+1))": math.asinh,
    "arctan(x)": math.atan,
    "tan^-1(x)": math.atan,
    "atan(x)*2/pi": lambda x: math.atan(x) * 2 / math.pi,
    "arcsinh(x)": math.asinh,
    "sgn(x)*log(1+|x|)": lambda x: math.copysign(math.log1p(abs(x)), x),
    "sign(x)*sqrt(|x|)": lambda x: math.copysign(math.sqrt(abs(x)), x),
    "x if x > 0 else 0.01*x": lambda x: x if x > 0 else 0.01 * x,
    "x if x >= 0 else exp(x)-1": elu,
    "(x>0)*x": lambda x: max(x, 0),
    "x*(x>0)": lambda x: max(x, 0),
    "where(x<0, 0, where(x>1, 1, x))": lambda x: min(max(x, 0), 1),
    "np.where(x < -3, 0, np.where(x > 3, x, x*(x+3)/6))": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "x * relu6(x+3) / 6": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "F.hardswish(x)": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "silu(x)": lambda x: x * sigmoid(x),
    "swish(x)": lambda x: x * sigmoid(x),
    "mish(x)": lambda x: x * math.tanh(softplus(x)),
    "elu(x)": elu,
    "F.elu(x, alpha=1.0)": elu,
    "selu(x)": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x)),
    "gelu(x)": lambda x: x * cdf(x),
    "keras.activations.gelu(x)": lambda x: x * cdf(x),
    "jax.nn.gelu(x, approximate=True)": gelu_tanh,
    "jax.nn.softplus(x)": softplus,
    "hard_sigmoid(x)": lambda x: min(max(x / 6 + 0.5, 0), 1),
    "quick_gelu(x)": lambda x: x * sigmoid(1.702 * x),
    "softsign(x)": lambda x: x / (1 + abs(x)),
    "erfc(-x/sqrt(2))*x/2": lambda x: x * cdf(x),
    "pow(x, 3)": lambda x: x**3,
    "math.pow(x, 2)": lambda x: x**2,
    "np.power(x,2)": lambda x: x**2,
    "lambda x: x*np.tanh(np.exp(x))": lambda x: x * math.tanh(math.exp(x)),
    "lambda t: max(t, 0)": lambda x: max(x, 0),
    "f(x) = x*sigmoid(x)": lambda x: x * sigmoid(x),
    "f(z)=z/(1+exp(-z))": lambda x: x * sigmoid(x),
    "y = tanh(x)": math.tanh,
    "z*sigmoid(z)": lambda x: x * sigmoid(x),
    "t*tanh(t)": lambda x: x * math.tanh(x),
    "2x+1": lambda x: 2 * x + 1,
    "0.5x(1+tanh(x))": lambda x: 0.5 * x * (1 + math.tanh(x)),
    "3(x+1)(x-1)": lambda x: 3 * (x * x - 1),
    "x sin(x)": lambda x: x * math.sin(x),
    "x+sin(x)^2": lambda x: x + math.sin(x) ** 2,
    "sin²(x)+x": lambda x: x + math.sin(x) ** 2,
    "cos(pi x)": lambda x: math.cos(math.pi * x),
    "sinc(x)": lambda x: 1 if x == 0 else math.sin(math.pi * x) / (math.pi * x),
    "1e-2*x+max(x,0)": lambda x: 0.01 * x + max(x, 0),
    "1.0/(1.0+np.exp(-x))": sigmoid,
    "1/(1+exp(-(x-1)))": lambda x: sigmoid(x - 1),
    r"\sigma(x)": sigmoid,
    r"x \sigma(x)": lambda x: x * sigmoid(x),
    r"\frac{x}{1+e^{-x}}": lambda x: x * sigmoid(x),
    r"\max(0, x)": lambda x: max(x, 0),
    r"\tanh(x)": math.tanh,
    r"x \cdot \tanh(\ln(1+e^{x}))": lambda x: x * math.tanh(softplus(x)),
    r"\frac{e^x - e^{-x}}{e^x + e^{-x}}": math.tanh,
    r"\sqrt{x^2+1}": lambda x: math.sqrt(x * x + 1),
    r"\log(1+e^{x})": softplus,
    r"\frac{2}{\pi}\arctan(x)": lambda x: 2 / math.pi * math.atan(x),
    r"$x \Phi(x)$": lambda x: x * cdf(x),
    r"\left|x\right|": abs,
    r"\begin{cases} x & x > 0 \\ 0 & \text{otherwise} \end{cases}": lambda x: max(x, 0),
}

HOSTILE = [
    "", " ", "x**", "(((x", "x)))", "|x", "x;x", "x\ny", "x = = 2", "import os", "__import__('os')",
    "exec('x')", "eval(x)", "open('/etc/passwd')", "x.__class__", "().__class__.__bases__",
    "lambda: 0", "lambda x, y: x", "[x]", "{x}", "x[0]", "x if", "x else 0", "x and 1", "not x",
    "x := 3", "f'{x}'", "'x'", "b'x'", "x @ x", "x // 0", "x % 0", "x | 1", "x & 1", "~x", "x << 2",
    "1", "pi", "nan", "inf", "x*inf", "x+nan", "0*x", "x-x", "x/x", "1/x", "1/0*x", "x/0", "0/0*x",
    "log(x)", "sqrt(x)", "x**0.5", "x**x", "x**-1", "(-1)**x", "tan(x)", "1/sin(x)", "log(log(x))",
    "exp(exp(x))", "exp(exp(exp(x)))", "exp(x**2)", "exp(-exp(exp(x)))", "9**9**9*x", "x**9**9",
    "1e308*x*1e308", "1e-308*x*1e-308", "1e400*x", "x**200", "x**-200", "exp(700*x)",
    "max(x-1e6,0)",
    "sigmoid(x-1e5)", "sigmoid(1e6*x)", "exp(-1e6*(x-0.3)**2)", "exp(-1e12*(x-1e3)**2)", "sin(1/x)",
    "sin(1e6*x)", "sin(exp(x))", "sign(sin(1/x))", "floor(x)", "floor(1e6*x)", "floor(2*x)/2",
    "abs(x)**1.5", "where(x==0,1,x)", "where(x!=0,exp(-1/x**2),0)", "where(x>x,1,x)", "x**20-x**19",
    "+".join(f"cos({3**k}*x)/{2**k}" for k in range(12)), "+".join(["x"] * 400),
    "(" * 300 + "x" + ")" * 300,
    "-" * 400 + "x", "abs(" * 60 + "x" + ")" * 60, "tanh(" * 30 + "x" + ")" * 30, "x" * 3000,
    "x" + "0" * 5000, "*".join(["x"] * 60), "x\u202e*x", "ｘ*2", "x\x00", "\\frac{x", "\\foo{x}",
    "\\begin{matrix}x\\end{matrix}", "a*b", "a*x+b*x+c", "tanhh(x)", "F.nosuch(x)", "relu(x, x, x)",
]  # fmt: skip
"""Not all are refused: some are read, and then nothing false is said of them."""

BUDGET = 5.0
POINTS = (-3.3, -1.0, -0.4, 0.0, 0.2, 1.0, 2.7)


@pytest.mark.parametrize("text", USERS)
def test_a_users_formula_computes_what_is_meant(text: str) -> None:
    expression = read(text).expression
    for x in POINTS:
        found = float(expression.evaluate(NumpyBackend(), x))
        assert found == pytest.approx(USERS[text](x), rel=1e-12, abs=1e-15), x


def test_there_are_a_hundred_of_each() -> None:
    assert len(USERS) >= 100
    assert len(set(HOSTILE)) >= 100


def facts_or_refusal(text: str) -> object:
    try:
        function = pasted(text)
        found = measured(function)
        nearest(function.expression, function.values)
    except ActlabError as error:
        return str(error)
    return found


def facts_within_the_budget(text: str) -> object:
    """Return the facts of a formula, or the one sentence in which they are refused."""
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = facts_or_refusal(text)
    assert not isinstance(found, str) or (found and "\n" not in found.strip()), text[:60]
    assert time.process_time() - start < BUDGET, text[:60]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("text", USERS)
def test_the_facts_of_a_users_formula_hold(text: str) -> None:
    found = facts_within_the_budget(text)
    assert not isinstance(found, str), found
    values = [USERS[text](x) for x in np.linspace(-6, 6, 61)]
    assert found.range_low <= min(values) + 1e-9  # type: ignore[attr-defined]
    assert found.range_high >= max(values) - 1e-9  # type: ignore[attr-defined]
    rising = found.monotonic in ("strictly_increasing", "non_decreasing")  # type: ignore[attr-defined]
    assert not rising or all(np.diff(values) >= -1e-12)
    x = np.linspace(-10, 10, 40_001)
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    mean = float(np.trapezoid(np.array([USERS[text](value) for value in x]) * density, x))
    if found.mean_under_N01 is not None:  # type: ignore[attr-defined]
        assert found.mean_under_N01 == pytest.approx(mean, abs=2e-4)  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", HOSTILE, ids=lambda text: text[:40].encode("unicode_escape").decode()
)
def test_a_hostile_formula_is_refused_in_one_sentence_or_told_truly(text: str) -> None:
    found = facts_within_the_budget(text)
    if isinstance(found, str):
        return
    expression = read(text).expression
    xs = np.array([-700.0, -30.0, -5.0, -1.0, -0.3, 0.31, 1.0, 5.0, 30.0, 700.0, 1e5 + 1, 1e6 + 2])
    with np.errstate(all="ignore"):
        values = np.asarray(expression.evaluate(NumpyBackend(), xs), dtype=float)
    values = values[np.isfinite(values)]
    slack = 1e-9 * np.maximum(1.0, np.abs(values))
    assert np.all(values >= found.range_low - slack)  # type: ignore[attr-defined]
    assert np.all(values <= found.range_high + slack)  # type: ignore[attr-defined]


def test_a_formula_is_never_run() -> None:
    for text in ("__import__('os')", "open('/etc/passwd')", "x.__class__", "exec('x')"):
        with pytest.raises(FormulaError):
            read(text)
