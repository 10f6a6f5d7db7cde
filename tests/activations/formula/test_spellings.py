"""The same function in many spellings: of papers, of programs, of chats."""

import math
from collections.abc import Callable

import pytest

from actlab.activations import Function, get
from actlab.activations.catalogue.macros import read
from actlab.activations.facts import measured, pasted
from actlab.activations.facts.nearest import nearest
from actlab.activations.formula import FormulaError, NumpyBackend

SPELLINGS = {
    "gelu": [
        r"\mathrm{GELU}(x) = x \cdot \frac{1}{2}\left[1 + \operatorname{erf}\left(\frac{x}{\sqrt{2}}\right)\right]",  # noqa: E501  a formula in one line
        r"x\,\Phi(x)",
        "x*norm.cdf(x)",
        "x*scipy.stats.norm.cdf(x)",
        "z * jax.scipy.stats.norm.cdf(z)",
        r"\frac{x}{2}\left(1+\mathrm{erf}\frac{x}{\sqrt{2}}\right)",
        "gelu(x) = 0.5 * x * (1 + erf(x / sqrt(2)))",
        "GELU(x) = xΦ(x)",
    ],
    "elu": [
        r"\begin{cases} x, & x \geq 0 \\ e^x - 1, & x < 0 \end{cases}",
        "x > 0 ? x : exp(x) - 1",
        "jnp.where(x >= 0, x, jnp.expm1(x))",
        r"\text{ELU}(x)=\begin{cases}x, & \text{if } x > 0 \\ \exp(x)-1, & \text{if } x \leq 0\end{cases}",  # noqa: E501  a formula in one line
        "(x.exp() - 1).clamp(max=0) + x.clamp(min=0)",
        "torch.where(x >= 0, x, torch.exp(x) - 1)",
        "(x > 0) * x + (x <= 0) * (np.exp(x) - 1)",
        "F.celu(x, 1.0)",
    ],
    "hardswish": [
        r"f(x) = \begin{cases} 0 & x \leq -3 \\ x & x \geq 3 \\ x(x+3)/6 & \text{otherwise} \end{cases}",  # noqa: E501  a formula in one line
        "relu6(x + 3) * x / 6.0",
    ],
    "mish": [
        r"\text{Mish}(x) = x \tanh(\text{softplus}(x))",
        r"x \cdot \tanh\!\left(\ln\left(1 + e^{x}\right)\right)",
        r"x\;\tanh\,\biggl(\ln\bigl(1 + e^x\bigr)\biggr)",
        "x ⋅ tanh(ln(1 + eˣ))",
        "x * F.softplus(x).tanh()",
        "x·tanh(softplus(x))",
        "jnp.tanh(jnp.log(1 + jnp.exp(x))) * x",
    ],
    "silu": [
        r"\text{swish}(x) := x\,\sigma(x)",
        r"\(x \cdot \sigma(x)\)",
        "tf.keras.activations.swish(x)",
        "x.sigmoid() * x",
        "nnx.silu(x)",
        "flax.linen.swish(x)",
        "x * x.sigmoid()",
        "x.mul(torch.sigmoid(x))",
        "lambda z: z / (1.0 + np.exp(-z))",
        "def f(x): return x * torch.sigmoid(x)",
        "return x * torch.sigmoid(x)",
        "x / (1.0f + expf(-x))",
        "SiLU(x)",
        "x*expit(x)",
        r"x\,\mathrm{sigmoid}(x)",
        "x(1+e^{-x})^{-1}",
        r"x \left/ \left(1+e^{-x}\right)\right.",
        "swish(x) = x · sigmoid(βx), β=1",
        "x∙σ(x)",
        "x = x * torch.sigmoid(x)",
        "y = x * sigmoid(x);",
        "(x) => x / (1 + Math.exp(-x))",
        "tl.sigmoid(x) * x",
        "x * (1 / (1 + exp(-x)))",
    ],
    "quick_gelu": [
        r"x \cdot \text{sigmoid}(1.702\, x)",
        "x × σ(1.702x)",
    ],
    "sigmoid": [
        r"\frac{1}{1+\exp\left(-x\right)}",
        "1 ∕ (1 + e⁻ˣ)",
        "scipy.special.expit(x)",
        r"\sigma(x) = \frac{1}{1+e^{-x}}",
        "(1+e^{-x})^{-1}",
        "1/(1+e^-x)",
        "1/(1+e**-x)",
    ],
    "gelu_tanh": [
        r"\tfrac12 x \left(1+\tanh\left(\sqrt{\tfrac{2}{\pi}}\,(x+0.044715\,x^3)\right)\right)",
        "0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))",  # noqa: E501  a formula in one line
        r"0.5\cdot x\cdot\left(1+\tanh\left[\sqrt{2/\pi}\left(x+0.044715x^3\right)\right]\right)",
        "F.gelu(x, approximate='tanh')",
        "nn.GELU(approximate='tanh')(x)",
    ],
    "relu_squared": [
        r"\operatorname{ReLU}(x)^2",
        "torch.relu(x).pow(2)",
        "jax.nn.relu(x) ** 2",
        "jax.numpy.square(jax.nn.relu(x))",
    ],
    "relu6": [
        r"\min(\max(0,x),6)",
        "x.clamp(0, 6)",
        "tf.minimum(tf.maximum(x, 0.), 6.)",
    ],
    "relu": [
        r"\max\{0, x\}",
        r"x\cdot \mathbb{1}_{x>0}",
        "jax.lax.max(x, 0.)",
        "torch.max(x, torch.zeros_like(x))",
        "np.piecewise(x, [x < 0, x >= 0], [0, lambda x: x])",
        "np.select([x<0, x>=0],[0*x, x])",
        "def f(x):\n    return np.maximum(0, x)",
        "Math.max(0, x)",
        "std::max(0.0f, x)",
        "fmaxf(x, 0.0f)",
        "sympy.Piecewise((x, x > 0), (0, True))",
        "Max(0, x)",
        "ReLU(x)",
        "[x]_+",
        "(x)_+",
        "0.5x + 0.5|x|",
        r"\mathbf{1}_{\{x>0\}}\, x",
        r"\mathbb{I}(x>0)x",
        "x^{+}",
        "[x]_{+}",
        "ReLU(x)=max(0,x)",
        "max{0,x}",
        "max[0,x]",
        "x.relu()",
        "x * (x > 0).float()",
        "x * (x > 0).to(x.dtype)",
        "F.threshold(x, 0, 0)",
        "nn.ReLU(inplace=True)(x)",
        "F.relu(x, inplace=True)",
        "out = F.relu(x)",
        "float f(float x) { return x > 0.0f ? x : 0.0f; }",
        "x.max(0.0)",
        "x => x > 0 ? x : 0",
        "tl.where(x > 0, x, 0.0)",
        "mx.maximum(x, 0)",
    ],
    "leaky_relu": [
        r"\max(0.01x, x)",
        r"f_\alpha(x)=\max(\alpha x, x), \quad \alpha=0.01",
    ],
    "softplus": [
        r"\ln\left(1+e^x\right)",
        "tf.math.softplus(x)",
        "nn.Softplus()(x)",
        r"\mathrm{softplus}(x)=\log(1+\exp(x))",
    ],
    "gaussian": [
        "e^{-x^2}",
    ],
    "symlog": [
        r"\mathrm{sgn}(x)\,\ln(1+|x|)",
        "log(1 + |x|) * sign(x)",
        "sign(x)log(|x|+1)",
    ],
    "abs": [
        r"\lvert x \rvert",
        r"\sqrt{x^2}",
    ],
    "tanh": [
        r"$$f(x) = \frac{e^{x}-e^{-x}}{e^{x}+e^{-x}}$$",
        "tanhf(x)",
        "2/(1+e^(-2x)) - 1",
        r"\tanh{x}",
        r"2\sigma(2x)-1",
        r"\frac{\sinh x}{\cosh x}",
        "tanh x",
        "x.tanh()",
    ],
    "softsign": [
        r"\frac{x}{1+|x|}",
        r"\frac{x}{1+\left|x\right|}",
    ],
    "arctan": [
        r"\arctan x",
    ],
    "logsigmoid": [
        "−log(1+exp(−x))",
    ],
    "hardtanh": [
        "-1 if x < -1 else (1 if x > 1 else x)",
        r"\operatorname{clip}(x,-1,1)",
        r"\text{clamp}(x, -1, 1)",
        "min(max(x, -1), 1)",
        "np.where((x > -1) & (x < 1), x, np.sign(x))",
        "np.where(np.abs(x) <= 1, x, np.sign(x))",
        "tf.clip_by_value(x, -1., 1.)",
        "jnp.clip(x, -1, 1)",
        "jnp.clip(x, min=-1, max=1)",
    ],
    "leaky_relu(negative_slope=0.1)": [
        "x ≥ 0 ? x : 0.1*x",
        "jax.nn.leaky_relu(x, negative_slope=0.1)",
        "nn.LeakyReLU(0.1)(x)",
        "np.maximum(0.0, x) + 0.1 * np.minimum(0.0, x)",
        "tf.nn.relu(x) - 0.1*tf.nn.relu(-x)",
        "x > 0.f ? x : 0.1f * x",
    ],
    "leaky_relu(negative_slope=0.2)": [
        "tf.where(x > 0., x, 0.2 * x)",
        "tf.nn.leaky_relu(x, alpha=0.2)",
        "torch.nn.functional.leaky_relu(x, 0.2)",
    ],
    "swish(beta=1.5)": [
        r"\mathrm{Swish}_\beta(x) = x\sigma(\beta x),\ \beta=1.5",
    ],
    "elu(alpha=0.5)": [
        "torch.nn.ELU(alpha=0.5)(x)",
    ],
    "softplus(beta=2)": [
        "nn.functional.softplus(x, beta=2)",
    ],
    "softplus(beta=5)": [
        "log(1+exp(5*x))/5",
    ],
}
"""By the function that is meant, as actlab calls it."""

sigmoid: Callable[[float], float] = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731

OTHERS: dict[str, Callable[[float], float]] = {
    "|x+1|-|x-1|": lambda x: abs(x + 1) - abs(x - 1),
    "||x|-1|": lambda x: abs(abs(x) - 1),
    "x|x|": lambda x: x * abs(x),
    "|x||x|": lambda x: x * x,
    "3|x|+2": lambda x: 3 * abs(x) + 2,
    "-|x|": lambda x: -abs(x),
    "x e^{-x²/2}": lambda x: x * math.exp(-x * x / 2),
    "x e^(-x^2/2)": lambda x: x * math.exp(-x * x / 2),
    "x^2 e^{-x^2}": lambda x: x * x * math.exp(-x * x),
    r"\sin^2 x": lambda x: math.sin(x) ** 2,
    r"\log_{10}(1+x^2)": lambda x: math.log10(1 + x * x),
    r"\log_2(1+x^2)": lambda x: math.log2(1 + x * x),
    r"\log\cosh x": lambda x: math.log(math.cosh(x)),
    "(x-1)_+": lambda x: max(x - 1, 0),
    "x.abs().sqrt()": lambda x: math.sqrt(abs(x)),
    "x(1-x)(1+x)": lambda x: x * (1 - x) * (1 + x),
    "sigmoid(x)(1-sigmoid(x))": lambda x: sigmoid(x) * (1 - sigmoid(x)),
    "σ(x)(1−σ(x))": lambda x: sigmoid(x) * (1 - sigmoid(x)),
    "0 if x < 0 else x if x < 1 else 1": lambda x: min(max(x, 0), 1),
    "np.clip(0.2*x + 0.5, 0, 1)": lambda x: min(max(0.2 * x + 0.5, 0), 1),
    "|x|^{3/2}": lambda x: abs(x) ** 1.5,
    r"x + \frac{\sin^2(2x)}{2}": lambda x: x + math.sin(2 * x) ** 2 / 2,
    r"\left( x^{2} + 1 \right)^{1/2}": lambda x: math.hypot(x, 1),
    "np.tanh(x) if x < 0 else x": lambda x: math.tanh(x) if x < 0 else x,
}
PAIRS = [(name, text) for name, texts in SPELLINGS.items() for text in texts]
POINTS = (-3.3, -1.0, -0.4, 0.0, 0.2, 1.0, 2.7, 7.5)

REFUSED = {
    "x.__init__.__globals__": "nothing is looked up with a dot",
    "getattr(x,'a')": 'There is no function "getattr"',
    "x if __import__('os').system('true') else 0": "a condition is a comparison",
    "(lambda f: f(f))(lambda f: f(f))": "defines no functions",
    "x*1e309": "this number is too large",
    "σ'(x)": "a derivative is not written with a prime",
    "x>0?x": "not a complete expression",
    "np.piecewise(x,[x>0],[])": 'There is no function "piecewise"',
    "Piecewise((x,x>0))": 'There is no function "Piecewise"',
    "nn.Linear(3,4)(x)": "arguments of linear is 1, not 3",
    "torch.load('a')(x)": 'There is no function "load"',
    "x.data.exp()": "nothing is looked up with a dot",
    "relu(**{'x':x})": "not a complete expression",
    "f(x)=": "it is empty",
    "$$": "it is empty",
    "a b": "does not contain the input",
    "x***2": "not a complete expression",
    "x!": "not a complete expression",
    "∑x": "not a complete expression",
    "х*2": "cannot name a parameter",
    "x;import os": 'the character ";"',
    "'x'*2": "only real numbers",
    "True*x": "only real numbers",
    "x in x": "numbers are compared with",
    "(x>0) & x": "a condition is a comparison",
    "x & 1": "a condition is a comparison",
    "max(x)": "takes 2 to 8 arguments",
    "where(x>0,1)": "the number of arguments of where",
    "softmax(x)": 'There is no function "softmax"',
    "np.random.rand()*x": 'There is no function "rand"',
    "x.int()*2": 'There is no function "int"',
    "x[0]": "indexing is not part",
    "x.shape[0]*x": "indexing is not part",
    "x@x.T": "the operators are",
    "{" * 100: '"}" is missing',
    "[" * 100 + "x" + "]" * 100: "nested more than 40 deep",
    "|" * 99: "do not come in pairs",
    "x ? x : " * 40 + "x": "a condition is a comparison",
    "\\begin{cases}" * 5: "is missing",
    "\\frac" * 50 + "{x}{2}": "not a complete expression",
}


def meant_by(call: str) -> Function:
    """Return the function of a call such as leaky_relu(negative_slope=0.1)."""
    name, _bracket, inside = call.rstrip(")").partition("(")
    values = (part.split("=") for part in inside.split(", ") if part)
    return get(name).bind(**{key: float(value) for key, value in values})


@pytest.mark.parametrize(("name", "text"), PAIRS, ids=[text[:60] for _name, text in PAIRS])
def test_a_spelling_computes_the_function(name: str, text: str) -> None:
    function = meant_by(name)
    values = {key: function.values[key] for key in function.expression.names}
    found = read(text).expression
    for x in POINTS:
        meant = float(function.expression.evaluate(NumpyBackend(), x, **values))
        value = float(found.evaluate(NumpyBackend(), x))
        assert value == pytest.approx(meant, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("text", OTHERS)
def test_a_formula_computes_what_is_meant(text: str) -> None:
    found = read(text).expression
    for x in POINTS:
        value = float(found.evaluate(NumpyBackend(), x))
        assert value == pytest.approx(OTHERS[text](x), rel=1e-12, abs=1e-15)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text"), PAIRS, ids=[text[:60] for _name, text in PAIRS])
def test_a_spelling_is_recognised_as_the_function(name: str, text: str) -> None:
    function = pasted(text)
    near = nearest(function.expression, function.values)
    assert near is not None
    assert near.equal
    assert meant_by(near.call) == meant_by(name)
    assert measured(function).max_abs_grad is not None


@pytest.mark.parametrize("text", REFUSED, ids=[text[:40] for text in REFUSED])
def test_what_cannot_be_read_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(FormulaError) as caught:
        read(text)
    assert REFUSED[text] in str(caught.value)
    assert "\n" not in str(caught.value)
