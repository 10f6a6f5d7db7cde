"""A function as lines to paste into torch, Keras, JAX, NumPy, C++ or C, each in its convention."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from actlab.activations.catalogue import ENTRIES
from actlab.activations.catalogue.entry import Entry
from actlab.activations.facts.nearest import Nearest
from actlab.activations.formula import Expression, parse
from actlab.activations.formula.nodes import Node
from actlab.activations.formula.printers.code import DIALECTS, TORCH, Framework, code
from actlab.activations.formula.stable import stable
from actlab.activations.printed_functions import LANGUAGES, function_source, gated_source
from actlab.errors import ActlabError, unknown_name
from actlab.i18n import _

FRAMEWORKS: tuple[Framework, ...] = ("torch", "keras", "jax", "numpy", "cpp", "c")


_TORCH = {
    "identity": "torch.nn.Identity()",
    "relu": "torch.nn.ReLU()",
    "relu6": "torch.nn.ReLU6()",
    "leaky_relu": "torch.nn.LeakyReLU(negative_slope={negative_slope!r})",
    "prelu": "torch.nn.PReLU(init={a!r})",
    "rrelu_eval": "torch.nn.RReLU(lower={lower!r}, upper={upper!r}).eval()",
    "hardtanh": "torch.nn.Hardtanh({min_val!r}, {max_val!r})",
    "hardsigmoid": "torch.nn.Hardsigmoid()",
    "hardshrink": "torch.nn.Hardshrink(lambd={lambd!r})",
    "softshrink": "torch.nn.Softshrink(lambd={lambd!r})",
    "sigmoid": "torch.nn.Sigmoid()",
    "tanh": "torch.nn.Tanh()",
    "softsign": "torch.nn.Softsign()",
    "elu": "torch.nn.ELU(alpha={alpha!r})",
    "celu": "torch.nn.CELU(alpha={alpha!r})",
    "selu": "torch.nn.SELU()",
    "softplus": "torch.nn.Softplus({beta!r}, {threshold!r})",
    "logsigmoid": "torch.nn.LogSigmoid()",
    "gelu": "torch.nn.GELU()",
    "gelu_tanh": 'torch.nn.GELU(approximate="tanh")',
    "silu": "torch.nn.SiLU()",
    "hardswish": "torch.nn.Hardswish()",
    "mish": "torch.nn.Mish()",
    "tanhshrink": "torch.nn.Tanhshrink()",
    "glu": "torch.nn.GLU(dim=-1)",
    "softmax": "torch.nn.Softmax(dim=-1)",
}
_KERAS = {
    "identity": "keras.activations.linear",
    "relu": "keras.activations.relu",
    "relu6": "keras.activations.relu6",
    "leaky_relu": "lambda x: keras.activations.leaky_relu(x, negative_slope={negative_slope!r})",
    "prelu": "keras.layers.PReLU(alpha_initializer=keras.initializers.Constant({a!r}))",
    "hardtanh": "keras.activations.hard_tanh",
    "hardsigmoid": "keras.activations.hard_sigmoid",
    "sparse_sigmoid": "keras.activations.sparse_sigmoid",
    "hardshrink": "lambda x: keras.activations.hard_shrink(x, threshold={lambd!r})",
    "softshrink": "lambda x: keras.activations.soft_shrink(x, threshold={lambd!r})",
    "sigmoid": "keras.activations.sigmoid",
    "tanh": "keras.activations.tanh",
    "softsign": "keras.activations.softsign",
    "elu": "lambda x: keras.activations.elu(x, alpha={alpha!r})",
    "celu": "lambda x: keras.activations.celu(x, alpha={alpha!r})",
    "selu": "keras.activations.selu",
    "sparse_plus": "keras.activations.sparse_plus",
    "logsigmoid": "keras.activations.log_sigmoid",
    "exponential": "keras.activations.exponential",
    "gelu": "lambda x: keras.activations.gelu(x, approximate=False)",
    "silu": "keras.activations.silu",
    "hardswish": "keras.activations.hard_silu",
    "mish": "keras.activations.mish",
    "tanhshrink": "keras.activations.tanh_shrink",
    "glu": "lambda x: keras.activations.glu(x, axis=-1)",
    "softmax": "lambda x: keras.activations.softmax(x, axis=-1)",
    # keras.activations.sparsemax (Keras 3.15.1) gives outputs that do not sum to 1.
    "sparsemax": (
        "lambda x: keras.ops.relu(x - keras.ops.max((keras.ops.cumsum(keras.ops.flip("
        "keras.ops.sort(x, axis=-1), axis=-1), axis=-1) - 1) / keras.ops.arange("
        "1, x.shape[-1] + 1, dtype=x.dtype), axis=-1, keepdims=True))"
    ),
    "crelu": "lambda x: keras.ops.relu(keras.ops.concatenate([x, -x], axis=-1))",
    "maxout": (
        "lambda x: keras.ops.max(keras.ops.reshape(x, (*x.shape[:-1], -1, {pieces:.0f})), axis=-1)"
    ),
}
_JAX = {
    "identity": "jax.nn.identity",
    "relu": "jax.nn.relu",
    "relu6": "jax.nn.relu6",
    "leaky_relu": "lambda x: jax.nn.leaky_relu(x, negative_slope={negative_slope!r})",
    "hardtanh": "jax.nn.hard_tanh",
    "hardsigmoid": "jax.nn.hard_sigmoid",
    "sparse_sigmoid": "jax.nn.sparse_sigmoid",
    "sigmoid": "jax.nn.sigmoid",
    "tanh": "jax.nn.tanh",
    "softsign": "jax.nn.soft_sign",
    "elu": "lambda x: jax.nn.elu(x, alpha={alpha!r})",
    "celu": "lambda x: jax.nn.celu(x, alpha={alpha!r})",
    "selu": "jax.nn.selu",
    "sparse_plus": "jax.nn.sparse_plus",
    "logsigmoid": "jax.nn.log_sigmoid",
    "gelu": "lambda x: jax.nn.gelu(x, approximate=False)",
    "silu": "jax.nn.silu",
    "hardswish": "jax.nn.hard_silu",
    "mish": "jax.nn.mish",
    "glu": "lambda x: jax.nn.glu(x, axis=-1)",
    "softmax": "lambda x: jax.nn.softmax(x, axis=-1)",
    "sparsemax": (
        "lambda x: jax.nn.relu(x - ((jnp.cumsum(jnp.sort(x, axis=-1)[..., ::-1], axis=-1) - 1) / "
        "jnp.arange(1, x.shape[-1] + 1)).max(axis=-1, keepdims=True))"
    ),
    "crelu": "lambda x: jax.nn.relu(jnp.concatenate([x, -x], axis=-1))",
    "maxout": "lambda x: x.reshape(*x.shape[:-1], -1, {pieces:.0f}).max(axis=-1)",
}
_NATIVE: dict[Framework, dict[str, str]] = {
    "torch": _TORCH,
    "keras": _KERAS,
    "jax": _JAX,
    "numpy": {},
    "cpp": {},
    "c": {},
}


@dataclass(frozen=True)
class CodeLines:
    """What to paste: the activation, and weights that start with the function's gain."""

    framework: Framework
    activation: str
    initialisation: str | None

    @property
    def text(self) -> str:
        """Return the lines."""
        named = self.framework in LANGUAGES
        lines = [self.activation if named else f"activation = {self.activation}"]
        if self.initialisation is not None:
            lines.append(self.initialisation)
        return ("\n\n\n" if named else "\n").join(lines)


def checked_framework(given: str) -> Framework:
    """Return the framework of that name; raises UnknownNameError for another."""
    for framework in FRAMEWORKS:
        if given == framework:
            return framework
    raise unknown_name(_("framework"), given, FRAMEWORKS)


def code_lines(function: Entry, framework: Framework, gain_forward: float | None) -> CodeLines:
    """Return the lines for a function of the catalogue, with its parameters as numbers."""
    return CodeLines(
        framework, activation_line(function, framework), start_line(framework, gain_forward)
    )


def activation_line(function: Entry, framework: Framework) -> str:
    """Return the framework's own function, actlab's module (torch), or the formula spelt out.

    >>> from actlab.activations import get
    >>> activation_line(get("leaky_relu"), "jax")
    'lambda x: jax.nn.leaky_relu(x, negative_slope=0.01)'
    """
    native = _NATIVE[framework].get(function.name)
    if native is not None and _takes_parameters(function, framework):
        return native.format(**function.values)
    if framework == "torch":
        given = "".join(f", {name}={value!r}" for name, value in _changed(function).items())
        return f'actlab.get("{function.name}").module({given[2:]})'
    if framework in LANGUAGES and function.kind == "scalar":
        return function_source(function.name, _printed(function).tree, framework)
    if function.factors is not None:
        return _gated_line(function, framework)
    if function.kind == "structural":
        message = _("{name} has no one-line form in {framework}; its formula is {formula}.")
        raise ActlabError(
            message.format(name=function.name, framework=framework, formula=function.formula)
        )
    return formula_line(_printed(function), framework)


def _gated_line(function: Entry, framework: Framework) -> str:
    """Return a gated function of the halves of x, or (NumPy, C++, C) of its gate and its value."""
    gate, value = (factor.tree for factor in function.gate_and_value)
    if framework in LANGUAGES:
        return gated_source(function.name, gate, value, framework)
    order = "b, a" if function.name == "glu" else "a, b"
    sides = [_factor_text(tree, letter, framework) for tree, letter in ((gate, "a"), (value, "b"))]
    split = f"*{_ARRAYS[framework]}.split(x, 2, axis=-1)"
    return _WIDENED[framework].format(f"(lambda x: (lambda {order}: {' * '.join(sides)})({split}))")


def _factor_text(tree: Node, letter: str, framework: Framework) -> str:
    text = re.sub(r"\bx\b", letter, code(stable(tree), DIALECTS[framework]))
    return text if text.isidentifier() else f"({text})"


_ARRAYS: dict[Framework, str] = {"keras": "keras.ops", "jax": "jnp"}

_OTHER_FORMS = {
    "bent_identity": "0.5*(max(abs(x), 1)*sqrt(1+(min(abs(x), 1)/max(abs(x), 1))**2)-1)+x",
    "colu": "where(x>0, x/(1-x*exp(-(x+exp(min(x,11))))), x*exp(x+exp(x))/(exp(x+exp(x))-x))",
    "lisht": "x*tanh(clip(x, -20, 20))",
    "sqrtsoftplus": "where(x>-15, sqrt(softplus(x)), exp(0.5*x))",
    "symlog": "where(x>=0, log1p(x), -log1p(-x))",
}
"""Equal formulas that do not overflow, for those that no general rule makes safe."""


def _printed(function: Entry) -> Expression:
    """Return the formula that is printed, its parameters as numbers."""
    other = _OTHER_FORMS.get(function.name)
    expression = function.expression if other is None else parse(other)
    return expression.bind(**function.values)


def formula_line(expression: Expression, framework: Framework) -> str:
    """Return a formula without parameters as a lambda of the framework, safe to differentiate.

    Half types are computed in float32. NumPy, C++ and C get two functions, with the gradient.

    >>> from actlab.activations.formula import parse
    >>> formula_line(parse("x*tanh(exp(x))"), "torch").partition("(")[2][:59]
    'lambda x: x * torch.tanh(torch.exp(torch.clamp(x, max=11)))'
    """
    if framework in LANGUAGES:
        return function_source("activation", expression.tree, framework)
    inside = f"(lambda x: {code(stable(expression.tree), DIALECTS[framework])})"
    return _WIDENED[framework].format(inside)


_WIDENED: dict[Framework, str] = {
    "torch": "lambda x: {0}(x.to(torch.promote_types(x.dtype, torch.float32))).to(x.dtype)",
    "keras": (
        "lambda x: keras.ops.cast({0}(keras.ops.cast("
        'x, keras.backend.result_type(x.dtype, "float32"))), x.dtype)'
    ),
    "jax": "lambda x: {0}(x.astype(jnp.promote_types(x.dtype, jnp.float32))).astype(x.dtype)",
}
"""A function {0} of x, computed in float32 where x is narrower."""


def module_source(bound: Expression, near: Nearest | None) -> str:
    """Return lines that make a module of the formula; the catalogue's own where they are equal."""
    if near is not None and near.equal:
        inside = ", ".join(f"{name}={value!r}" for name, value in near.parameters.items())
        return f'activation = actlab.get("{near.name}").module({inside})'
    body = code(stable(bound.tree), TORCH)
    imports = "import math\nimport torch\n" if "math." in body else "import torch\n"
    return (
        f"{imports}\nclass Activation(torch.nn.Module):\n"
        "    def forward(self, given):\n"
        "        x = given.to(torch.promote_types(given.dtype, torch.float32))\n"
        f"        return ({body}).to(given.dtype)"
    )


def start_line(framework: Framework, gain: float | None) -> str | None:
    """Return a line that starts weights with deviation gain / sqrt(fan-in), None without a gain."""
    if gain is None or not 0 < gain < float("inf"):
        return None
    match framework:
        case "torch":
            deviation = f"{gain:.6g} / layer.weight[0].numel() ** 0.5"
            return f"torch.nn.init.normal_(layer.weight, std={deviation})"
        case "keras":
            options = f'scale={gain**2:.6g}, mode="fan_in", distribution="untruncated_normal"'
            return f"kernel_initializer = keras.initializers.VarianceScaling({options})"
        case "jax":
            options = f'{gain**2:.6g}, "fan_in", "normal"'
            return f"kernel_init = jax.nn.initializers.variance_scaling({options})"
        case "numpy":
            deviation = f"{gain:.6g} / fan_in**0.5"
            return f"weight = np.random.default_rng().normal(0, {deviation}, (fan_out, fan_in))"
        case _:
            return None


def _changed(function: Entry) -> Mapping[str, float]:
    """Return the parameters whose values are not those of the catalogue."""
    usual = ENTRIES[function.name].values
    return {name: value for name, value in function.values.items() if value != usual.get(name)}


def _takes_parameters(function: Entry, framework: Framework) -> bool:
    """Return whether the framework's function takes, or has, the parameters of this one."""
    fixed = {"selu", "geglu"} if framework == "torch" else {"selu", "geglu", "hardtanh"}
    return function.name not in fixed or not _changed(function)
