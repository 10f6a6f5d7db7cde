"""Formulas as people write them, and as some write them who should be refused."""

import time

import pytest

from actlab.activations.catalogue.macros import read
from actlab.activations.formula import FormulaError


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("np.where(x>0,x,0.01*x)", "where(x > 0, x, 0.01 * x)"),
        ("torch.clamp(x,0,6)", "clip(x, 0, 6)"),
        ("torch.clamp(x, min=0)", "max(x, 0)"),
        ("np.clip(x, None, 6)", "min(x, 6)"),
        ("x.clamp(0, 6)", "clip(x, 0, 6)"),
        ("F.silu(x)", "x * sigmoid(x)"),
        ("nn.SiLU()(x)", "x * sigmoid(x)"),
        ("jax.nn.gelu(x)", "0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3)))"),
        ("F.gelu(x)", "0.5 * x * (1 + erf(x / sqrt(2)))"),
        (
            "F.gelu(x, approximate='tanh')",
            "0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3)))",
        ),
        ("keras.activations.leaky_relu(x)", "where(x > 0, x, 0.2 * x)"),
        ("F.leaky_relu(x, 0.2, inplace=True)", "where(x > 0, x, 0.2 * x)"),
        ("x^2", "x ** 2"),
        ("0.5x(1+tanh(x))", "0.5 * x * (1 + tanh(x))"),
        ("(x+1)(x-1)", "(x + 1) * (x - 1)"),
        ("x sigmoid(x)", "x * sigmoid(x)"),
        ("1e-3x", "0.001 * x"),
        ("x·σ(βx)", "x * sigmoid(beta * x)"),
        ("x*Φ(x)", "x * (0.5 * (1 + erf(x / sqrt(2))))"),
        ("2x³", "2 * x ** 3"),
        ("x√2", "x * sqrt(2)"),
        ("x/(1+|x|)", "x / (1 + abs(x))"),
        ("|x||x-1|", "abs(x) * abs(x - 1)"),
        ("lambda z: z*sigmoid(z)", "x * sigmoid(x)"),
        ("f(t) = t*sigmoid(t)", "x * sigmoid(x)"),
        ("y = 2x+1", "2 * x + 1"),
        ("u*tanh(u)", "x * tanh(x)"),
        ("pow(x, 2)", "x ** 2"),
        ("erfc(x)", "1 - erf(x)"),
        (r"\frac{x}{1+e^{-x}}", "x / (1 + exp(-x))"),
        (r"\max(0,x)", "max(x, 0)"),
        (r"x\tanh(\ln(1+e^x))", "x * tanh(log(1 + exp(x)))"),
        (r"\tanh^2 x", "tanh(x) ** 2"),
        (r"x e^{-x^2}", "x * exp(-x ** 2)"),
        (r"\left|x\right|^{1.5}", "abs(x) ** 1.5"),
        (
            r"\begin{cases} x & x > 0 \\ \alpha (e^x - 1) & \text{otherwise} \end{cases}",
            "where(x > 0, x, alpha * (exp(x) - 1))",
        ),
        (
            r"\frac{1}{2}x\left(1+\operatorname{erf}\left(\frac{x}{\sqrt{2}}\right)\right)",
            "1 / 2 * x * (1 + erf(x / sqrt(2)))",
        ),
    ],
)
def test_a_formula_is_read_as_it_is_meant(text: str, meaning: str) -> None:
    assert read(text).read_as == meaning
    assert read(meaning).read_as is None


def test_what_is_in_the_language_is_left_as_it_is() -> None:
    reading = read("x*tanh(exp(x))")
    assert reading.read_as is None
    assert reading.expression.text == "x*tanh(exp(x))"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("__import__('os').system('x')", "no function|nothing is looked up|no place"),
        ("x[0]", "indexing is not part"),
        ("x;y", "no place in a formula"),
        ("(((x", "never closed"),
        ("|x", "do not come in pairs"),
        ("tanhh(x)", 'Did you mean "tanh"'),
        (r"\foo{x}", "not known here"),
        (r"\frac{x", "is missing"),
        (r"\begin{matrix} x \end{matrix}", 'only "cases"'),
        ("", "it is empty"),
        ("x**", "not a complete expression"),
        ("a*b", "does not contain the input"),
        ("(" * 5000 + "x" + ")" * 5000, "at most 500 are read"),
        ("eval(x)", "There is no function"),
        ("[x for x in x]", "no place|not a complete"),
        ("x if", "not a complete expression"),
        ("F.elu(x, beta=1)", 'There is no name "beta"'),
        ("F.elu(x, 1, 2, 3)", "takes 1 to 2 arguments"),
        ("silu(x, 2)", "number of arguments of silu is 1, not 2"),
        ("x3", r"may lack a sign; write x\*\*3 for a power, x\*3 for a product"),
        ("2x3y", "may lack a sign"),
        ("3x2 + 1", "may lack a sign"),
    ],
)
def test_a_hostile_or_broken_formula_is_refused_in_one_line(text: str, words: str) -> None:
    start = time.process_time()
    with pytest.raises(FormulaError, match=words) as raised:
        read(text)
    assert "\n" not in str(raised.value)
    assert time.process_time() - start < 1


def test_a_long_sum_is_not_deep() -> None:
    assert read("+".join(["x"] * 100)).expression.names == ()
