"""Reading a formula as people write it: the functions that they know stand for formulas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from actlab.activations.catalogue import ENTRIES
from actlab.activations.catalogue.aliases import FRAMEWORKS, OTHER_NAMES
from actlab.activations.formula import Expression, FormulaError, parse
from actlab.activations.formula.parser import Macro, is_word, parse_tree
from actlab.activations.formula.printers.code import FORMULA, code
from actlab.activations.formula.reading import normalised

_OTHER_WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Phi": ("0.5*(1+erf(x/sqrt(2)))", ()),
    "normcdf": ("0.5*(1+erf(x/sqrt(2)))", ()),
    "ndtr": ("0.5*(1+erf(x/sqrt(2)))", ()),
    "add": ("x+y", ("y",)),
    "ceil": ("-floor(-x)", ()),
    "cbrt": ("sign(x)*abs(x)**(1/3)", ()),
    "cosech": ("1/sinh(x)", ()),
    "div": ("x/y", ("y",)),
    "divide": ("x/y", ("y",)),
    "erfc": ("1-erf(x)", ()),
    "exp2": ("2**x", ()),
    "heaviside": ("where(x>0, 1, where(x==0, y, 0))", ("y",)),
    "hypot": ("sqrt(x**2+y**2)", ("y",)),
    "log2": ("log(x)/log(2)", ()),
    "log10": ("log(x)/log(10)", ()),
    "logaddexp": ("max(x, y)+log1p(exp(-abs(x-y)))", ("y",)),
    "mul": ("x*y", ("y",)),
    "multiply": ("x*y", ("y",)),
    "neg": ("-x", ()),
    "negative": ("-x", ()),
    "normpdf": ("exp(-x**2/2)/sqrt(2*pi)", ()),
    "pow": ("x**y", ("y",)),
    "power": ("x**y", ("y",)),
    "reciprocal": ("1/x", ()),
    "round": ("floor(x+0.5)", ()),
    "rsqrt": ("1/sqrt(x)", ()),
    "sech": ("1/cosh(x)", ()),
    "sinc": ("where(x==0, 1, sin(pi*x)/(pi*x))", ()),
    "square": ("x**2", ()),
    "sub": ("x-y", ("y",)),
    "subtract": ("x-y", ("y",)),
    "true_divide": ("x/y", ("y",)),
}
"""Words of NumPy, torch and papers, by their formula and their further arguments."""


@dataclass(frozen=True)
class Reading:
    """A formula that was read; `read_as` is it in the formula language, None if it was in it."""

    expression: Expression
    read_as: str | None


@cache
def macros() -> dict[str, Macro]:
    """Return the functions that formulas may call besides the words of the language."""
    found = {
        name: Macro(parse(text).tree, dict.fromkeys(names, 0.0 if name == "heaviside" else None))
        for name, (text, names) in _OTHER_WORDS.items()
    }
    for name, entry in ENTRIES.items():
        if entry.kind == "scalar" and name.isidentifier():
            values = {key: entry.values[key] for key in entry.expression.names}
            found[name] = Macro(entry.expression.tree, dict(values))
    for spelling, target in OTHER_NAMES.items():
        if isinstance(target, str) and target in found and not is_word(spelling):
            found.setdefault(spelling, found[target])
    for framework, names_of_it in FRAMEWORKS.items():
        for spelling, target in names_of_it.items():
            name = target if isinstance(target, str) else target[0]
            values = {} if isinstance(target, str) else dict(target[1])
            if name in found and not is_word(spelling.casefold()):
                macro = found[name]
                bound = Macro(macro.tree, {**macro.parameters, **values})
                found[f"{framework}__{spelling}"] = bound
    return found


def read(text: str, parameters: tuple[str, ...] = ()) -> Reading:
    """Return the formula that `text` means, however it is written; nothing of it is run.

    Prefixes of libraries, `^`, products without a sign, `|x|`, Unicode, LaTeX and `lambda x:` are
    read; functions of the catalogue stand for their formulas; a single free name that is not among
    `parameters` is the input. Raises FormulaError, one line with the place.

    >>> read("z*F.silu(z)^2").read_as
    'x * (x * sigmoid(x)) ** 2'
    >>> read("x*tanh(x)").read_as is None
    True
    """
    try:
        return Reading(parse(text), None)
    except FormulaError:
        tree = parse_tree(normalised(text), None, macros(), any_input=not parameters)
    shown = code(tree, FORMULA)
    return Reading(Expression(shown, tree), shown)
