"""A formula as functions to paste into NumPy, C++ and C: its value and its gradient."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from actlab.activations.formula.derivative import derivative
from actlab.activations.formula.nodes import Node
from actlab.activations.formula.printers.code import CPP, NUMPY, C, Dialect, code
from actlab.activations.formula.stable import stable

Language = Literal["numpy", "cpp", "c"]
LANGUAGES: tuple[Language, ...] = ("numpy", "cpp", "c")

_DIALECTS: Mapping[Language, Dialect] = {"numpy": NUMPY, "cpp": CPP, "c": C}
_RESERVED = frozenset(
    {"abs", "asinh", "atan", "double", "erf", "exp", "float", "sin", "step", "tanh"}
)
"""Names of the languages and of the C library."""

_HELPERS: Mapping[str, tuple[int, str]] = {
    "sigmoid": (1, "return 1 / (1 + exp(-z));"),
    "softplus": (1, "return (z > 0 ? z : 0 * z) + log1p(exp(-fabs(z)));"),
    "sign_of": (1, "return z > 0 ? 1 : z < 0 ? -1 : z;"),
    "larger": (2, "return z < w ? w : z;"),
    "smaller": (2, "return z > w ? w : z;"),
}
"""What C has no name for: how many inputs, and the body. A NaN that comes first stays one."""


def function_source(name: str, tree: Node, language: Language) -> str:
    """Return two functions, NAME and NAME_gradient, whose values are finite where f and f' are.

    Types narrower than float are computed in float; C's functions take float alone.

    >>> from actlab.activations.formula import parse
    >>> print(function_source("twice", parse("2*x").tree, "c"))
    #include <tgmath.h>
    <BLANKLINE>
    float twice(float x) {
        return 2.0f * x;
    }
    <BLANKLINE>
    float twice_gradient(float x) {
        return 2.0f;
    }
    """
    value, dialect = stable(tree), _DIALECTS[language]
    parts = {"": code(value, dialect), "_gradient": code(derivative(value), dialect)}
    return _source(name, ("x",), parts, language)


def gated_source(name: str, gate: Node, value: Node, language: Language) -> str:
    """Return NAME(a, b) = g(a) h(b), and its gradients NAME_gradient_a and NAME_gradient_b."""
    g, h, dialect = stable(gate), stable(value), _DIALECTS[language]

    def product(left: Node, right: Node) -> str:
        sides = ((left, "a"), (right, "b"))
        texts = [re.sub(r"\bx\b", letter, code(tree, dialect)) for tree, letter in sides]
        return " * ".join(f"({text})" for text in texts)

    parts = {
        "": product(g, h),
        "_gradient_a": product(derivative(g), h),
        "_gradient_b": product(g, derivative(h)),
    }
    return _source(name, ("a", "b"), parts, language)


def _source(
    name: str, letters: tuple[str, ...], parts: Mapping[str, str], language: Language
) -> str:
    plain = re.sub(r"\W", "_", name)
    first = f"{plain}_" if plain in _RESERVED else plain
    texts = {(f"{plain}{suffix}" if suffix else first): text for suffix, text in parts.items()}
    match language:
        case "numpy":
            return _numpy(letters, texts)
        case "cpp":
            return _cpp(letters, texts)
        case "c":
            return _c(letters, texts, plain)


def _numpy(letters: tuple[str, ...], texts: Mapping[str, str]) -> str:
    bodies = []
    for name, text in texts.items():
        constant = not re.search(rf"\b{letters[0]}\b", text)
        result = f"np.full_like({letters[0]}, {text})" if constant else text
        lines = [
            f"def {name}({', '.join(letters)}):",
            *(f"    {letter} = np.asarray({letter})" for letter in letters),
            f"    given = np.result_type({', '.join(letters)})",
            "    wide = np.promote_types(given, np.float32)",
            *(f"    {letter} = {letter}.astype(wide)" for letter in letters),
            '    with np.errstate(over="ignore", under="ignore"):',
            f"        y = {result}",
            '        return y.astype(wide if given.kind in "biu" else given)',
        ]
        bodies.append("\n".join(lines))
    everything = "\n".join(bodies)
    imports = ["import numpy as np"]
    if "math." in everything:
        imports.insert(0, "import math\n")
    if re.search(r"(?<![.\w])erf\(", everything):
        imports.append("from scipy.special import erf")
    return "\n\n\n".join(["\n".join(imports), *bodies])


def _used(texts: Mapping[str, str]) -> list[str]:
    return [name for name in _HELPERS if re.search(rf"\b{name}\(", "\n".join(texts.values()))]


def _inputs(count: int, kind: str) -> str:
    return ", ".join(f"{kind} {letter}" for letter in "zw"[:count])


def _cpp(letters: tuple[str, ...], texts: Mapping[str, str]) -> str:
    bodies = []
    for name, text in texts.items():
        helpers = [(helper, *_HELPERS[helper]) for helper in _used({name: text})]
        lines = [
            "template <typename T>",
            f"T {name}({', '.join(f'T {letter}_' for letter in letters)}) {{",
            "    using namespace std;",
            "    using real = conditional_t<(sizeof(T) < 4), float, T>;",
            *(
                f"    const auto {helper} = []({_inputs(count, 'real')}) -> real {{ {body} }};"
                for helper, count, body in helpers
            ),
            *(
                f"    [[maybe_unused]] const real {letter} = static_cast<real>({letter}_);"
                for letter in letters
            ),
            f"    return static_cast<T>({text});",
            "}",
        ]
        bodies.append("\n".join(lines))
    return "\n\n".join(["#include <cmath>\n#include <type_traits>", *bodies])


def _c(letters: tuple[str, ...], texts: Mapping[str, str], prefix: str) -> str:
    used = _used(texts)
    helpers = [
        f"static inline float {prefix}_{name}({_inputs(_HELPERS[name][0], 'float')}) "
        f"{{ {_HELPERS[name][1]} }}"
        for name in used
    ]
    bodies = []
    for name, text in texts.items():
        for helper in used:
            text = re.sub(rf"\b{helper}\(", f"{prefix}_{helper}(", text)
        given = ", ".join(f"float {letter}" for letter in letters)
        bodies.append(f"float {name}({given}) {{\n    return {text};\n}}")
    parts = ["#include <tgmath.h>", *(["\n".join(helpers)] if helpers else []), *bodies]
    return "\n\n".join(parts)
