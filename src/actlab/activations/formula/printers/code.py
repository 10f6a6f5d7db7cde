"""A tree as code of another language or framework, ready to paste."""

import math
from dataclasses import dataclass
from typing import Literal

from actlab.activations.formula.nodes import Binary, Call, Choice, Node, Number, depends_on_input
from actlab.activations.formula.parser import WORDS
from actlab.activations.formula.printers import ATOM, POWER, PRODUCT, SIGN, SUM, Writer

Framework = Literal["torch", "keras", "jax", "numpy", "cpp", "c"]


@dataclass(frozen=True)
class Dialect:
    """How a language spells the parts of a formula; `{0}`, `{1}`, `{2}` stand for the parts."""

    calls: dict[str, str]
    scalar_calls: dict[str, str]
    choice: str
    scalar_choice: str
    conjunction: str
    disjunction: str
    constants: dict[str, str]
    parameter: str = "{0}"
    power: str | None = None
    filled: str | None = None
    literal: str | None = None

    def call(self, function: str, scalar: bool) -> str:
        """Return the template of a function, of the input or of plain numbers."""
        return (self.scalar_calls if scalar else self.calls)[function]


_ELEMENTARY = (
    "floor",
    "sqrt",
    "exp",
    "expm1",
    "log",
    "log1p",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
)
"""Functions that every dialect calls by the name that formulas use."""

_PYTHON_SCALARS = {
    "abs": "abs({0})",
    "sign": "math.copysign(1.0, {0})",
    "relu": "max({0}, 0.0)",
    "sigmoid": "(1 / (1 + math.exp(-({0}))))",
    "softplus": "math.log1p(math.exp({0}))",
    "clip": "min(max({0}, {1}), {2})",
    "max": "max({0}, {1})",
    "min": "min({0}, {1})",
} | {name: f"math.{name}({{0}})" for name in (*_ELEMENTARY, "erf", "atan", "asinh")}


def _python(calls: dict[str, str], where: str, filled: str, joined: tuple[str, str]) -> Dialect:
    return Dialect(
        calls=calls,
        scalar_calls=_PYTHON_SCALARS,
        choice=f"{where}({{0}}, {{1}}, {{2}})",
        scalar_choice="({1} if {0} else {2})",
        conjunction=joined[0],
        disjunction=joined[1],
        constants={"pi": "math.pi", "e": "math.e"},
        filled=filled,
    )


_SAME = ("abs", "sign", *_ELEMENTARY)

TORCH = _python(
    {name: f"torch.{name}({{0}})" for name in [*_SAME, "erf", "atan", "asinh", "sigmoid", "relu"]}
    | {
        "softplus": "torch.nn.functional.softplus({0})",
        "clip": "torch.clamp({0}, {1}, {2})",
        "max": "torch.clamp({0}, min={1})",
        "min": "torch.clamp({0}, max={1})",
    },
    "torch.where",
    "torch.full_like(x, {0})",
    ("({0}) & ({1})", "({0}) | ({1})"),
)
JAX = _python(
    {name: f"jnp.{name}({{0}})" for name in _SAME}
    | {
        "erf": "jax.scipy.special.erf({0})",
        "atan": "jnp.arctan({0})",
        "asinh": "jnp.arcsinh({0})",
        "sigmoid": "jax.nn.sigmoid({0})",
        "softplus": "jax.nn.softplus({0})",
        "relu": "jax.nn.relu({0})",
        "clip": "jnp.clip({0}, {1}, {2})",
        "max": "jnp.maximum({0}, {1})",
        "min": "jnp.minimum({0}, {1})",
    },
    "jnp.where",
    "jnp.full_like(x, {0})",
    ("({0}) & ({1})", "({0}) | ({1})"),
)
KERAS = _python(
    {name: f"keras.ops.{name}({{0}})" for name in [*_SAME, "erf", "sigmoid", "softplus", "relu"]}
    | {
        "atan": "keras.ops.arctan({0})",
        "asinh": "keras.ops.arcsinh({0})",
        "clip": "keras.ops.clip({0}, {1}, {2})",
        "max": "keras.ops.maximum({0}, {1})",
        "min": "keras.ops.minimum({0}, {1})",
    },
    "keras.ops.where",
    "keras.ops.full_like(x, {0})",
    ("keras.ops.logical_and({0}, {1})", "keras.ops.logical_or({0}, {1})"),
)

NUMPY = _python(
    {name: f"np.{name}({{0}})" for name in _SAME}
    | {
        "erf": "erf({0})",
        "atan": "np.arctan({0})",
        "asinh": "np.arcsinh({0})",
        "sigmoid": "np.exp(-np.logaddexp(0, -({0})))",
        "softplus": "np.logaddexp(0, {0})",
        "relu": "np.maximum({0}, 0)",
        "clip": "np.clip({0}, {1}, {2})",
        "max": "np.maximum({0}, {1})",
        "min": "np.minimum({0}, {1})",
    },
    "np.where",
    "np.full_like(x, {0})",
    ("({0}) & ({1})", "({0}) | ({1})"),
)
"""`erf` is SciPy's."""

_C_CALLS = {name: f"{name}({{0}})" for name in (*_ELEMENTARY, "erf", "asinh", "atan")} | {
    "abs": "fabs({0})",
    "sign": "sign_of({0})",
    "sigmoid": "sigmoid({0})",
    "softplus": "softplus({0})",
    "relu": "larger({0}, {zero})",
    "clip": "smaller(larger({0}, {1}), {2})",
    "max": "larger({0}, {1})",
    "min": "smaller({0}, {1})",
}


def _c(literal: str) -> Dialect:
    calls = {name: text.replace("{zero}", literal.format("0.0")) for name, text in _C_CALLS.items()}
    return Dialect(
        calls=calls,
        scalar_calls=calls,
        choice="({0} ? {1} : {2})",
        scalar_choice="({0} ? {1} : {2})",
        conjunction="(({0}) && ({1}))",
        disjunction="(({0}) || ({1}))",
        constants={"pi": literal.format(repr(math.pi)), "e": literal.format(repr(math.e))},
        power="pow({0}, {1})",
        literal=literal,
    )


CPP, C = _c("real({0})"), _c("{0}f")
"""`sign_of`, `sigmoid`, `softplus`, `larger` and `smaller` are functions that come along."""

_MATH = {name: f"Math.{name}({{0}})" for name in (*_SAME, "atan", "asinh")} | {
    "erf": "erf({0})",
    "sigmoid": "sigmoid({0})",
    "softplus": "softplus({0})",
    "relu": "Math.max({0}, 0)",
    "clip": "Math.min(Math.max({0}, {1}), {2})",
    "max": "Math.max({0}, {1})",
    "min": "Math.min({0}, {1})",
}
JAVASCRIPT = Dialect(
    calls=_MATH,
    scalar_calls=_MATH,
    choice="({0} ? {1} : {2})",
    scalar_choice="({0} ? {1} : {2})",
    conjunction="(({0}) && ({1}))",
    disjunction="(({0}) || ({1}))",
    constants={"pi": "Math.PI", "e": "Math.E"},
    parameter="p.{0}",
    power="Math.pow({0}, {1})",
)
"""`erf`, `sigmoid` and `softplus` are functions that the page has to define."""

_FORMULA_CALLS = {name: f"{name}({{0}})" for name in WORDS} | {
    "clip": "clip({0}, {1}, {2})",
    "max": "max({0}, {1})",
    "min": "min({0}, {1})",
}
FORMULA = Dialect(
    calls=_FORMULA_CALLS,
    scalar_calls=_FORMULA_CALLS,
    choice="where({0}, {1}, {2})",
    scalar_choice="where({0}, {1}, {2})",
    conjunction="({0}) and ({1})",
    disjunction="({0}) or ({1})",
    constants={"pi": "pi", "e": "e"},
)
"""The formula language itself."""

DIALECTS: dict[Framework, Dialect] = {
    "torch": TORCH,
    "keras": KERAS,
    "jax": JAX,
    "numpy": NUMPY,
    "cpp": CPP,
    "c": C,
}


def code(tree: Node, dialect: Dialect) -> str:
    """Return the tree as an expression of the dialect in x and the parameters.

    >>> from actlab.activations.formula import parse
    >>> code(parse("x*tanh(exp(x))").tree, TORCH)
    'x * torch.tanh(torch.exp(x))'
    """
    return _CodeWriter(dialect).written(tree)


class _CodeWriter(Writer):
    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def bracketed(self, text: str) -> str:
        return f"({text})"

    def number(self, node: Number) -> str:
        value = node.value
        if self._dialect.literal is not None:
            return self._dialect.literal.format(repr(value))
        return str(int(value)) if value.is_integer() and value < 1e9 else repr(value)

    def letter(self, name: str) -> str:
        return name

    def constant(self, name: str) -> str:
        return self._dialect.constants[name]

    def parameter(self, name: str) -> str:
        return self._dialect.parameter.format(name)

    def negative(self, operand: str) -> str:
        return f"-{operand}"

    def binary(self, node: Binary) -> tuple[str, int]:
        left, right, power = node.left, node.right, self._dialect.power
        match node.operator:
            case "+" | "-" as sign:
                return f"{self.written(left)} {sign} {self.written(right, PRODUCT)}", SUM
            case "**" if power is not None:
                return power.format(self.written(left), self.written(right)), ATOM
            case "**":
                return f"{self.written(left, ATOM)} ** {self.written(right, ATOM)}", POWER
            case sign:
                text = f"{self.written(left, PRODUCT)} {sign} {self.written(right, SIGN)}"
                return text, PRODUCT

    def call(self, node: Call) -> tuple[str, int]:
        first, *others = node.arguments
        if node.function in ("max", "min"):
            return self._extreme(node.function, first, others), ATOM
        scalar = not any(depends_on_input(argument) for argument in node.arguments)
        template = self._dialect.call(node.function, scalar)
        return template.format(*(self.written(argument) for argument in node.arguments)), ATOM

    def _extreme(self, function: str, first: Node, others: list[Node]) -> str:
        second: Node = others[0] if len(others) == 1 else Call(function, tuple(others))
        both = depends_on_input(first) and depends_on_input(second)
        if not depends_on_input(first):
            first, second = second, first
        template = self._dialect.call(function, scalar=not depends_on_input(first))
        if both and self._dialect is TORCH:
            # torch.clamp takes a number, torch.maximum two tensors.
            template = f"torch.{function}imum({{0}}, {{1}})"
        return template.format(self.written(first), self.written(second))

    def choice(self, node: Choice) -> tuple[str, int]:
        then, otherwise = self.written(node.then), self.written(node.otherwise)
        condition = self.truth(node.condition)
        if not depends_on_input(node.condition):
            return self._dialect.scalar_choice.format(condition, then, otherwise), ATOM
        plain = not depends_on_input(node.then) and not depends_on_input(node.otherwise)
        if plain and self._dialect.filled is not None:
            # Two plain numbers have no dtype of their own: the result takes that of x.
            then = self._dialect.filled.format(then)
        return self._dialect.choice.format(condition, then, otherwise), ATOM

    def compared(self, left: str, relation: str, right: str) -> str:
        return f"{left} {relation} {right}"

    def joined(self, left: str, joiner: str, right: str) -> str:
        both = self._dialect.conjunction if joiner == "and" else self._dialect.disjunction
        return both.format(left, right)
