"""The formula language: a formula as a value, parsed safely, evaluated, typeset, differentiated.

>>> formula = parse("where(x>0, x, alpha*expm1(x))")
>>> formula.names
('alpha',)
>>> formula.evaluate(NumpyBackend(), [-1.0, 2.0], alpha=1.0).round(4)
array([-0.6321,  2.    ])
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from actlab.activations.formula.derivative import derivative, switches
from actlab.activations.formula.evaluation import Backend, MpmathBackend, NumpyBackend, evaluate
from actlab.activations.formula.nodes import Node, parameter_names, substituted
from actlab.activations.formula.parser import FormulaError, parse_tree
from actlab.activations.formula.printers.typeset import latex
from actlab.errors import ActlabError
from actlab.errors import nearest as nearest_name
from actlab.i18n import _

__all__ = [
    "Expression",
    "FormulaError",
    "MpmathBackend",
    "NumpyBackend",
    "UnboundParameterError",
    "parse",
]


class UnboundParameterError(ActlabError):
    """A parameter of a formula without a value, or a value without a parameter."""


@dataclass(frozen=True)
class Expression:
    """A formula in x and named parameters: `text` as written, `tree` what it means."""

    text: str
    tree: Node

    @property
    def names(self) -> tuple[str, ...]:
        """Return the parameters, in order of appearance."""
        return parameter_names(self.tree)

    def evaluate(self, backend: Backend, x: Any, **parameters: Any) -> Any:
        """Return the value at x as the backend computes it.

        Raises UnboundParameterError unless exactly the parameters of the formula are given.

        >>> from actlab.activations.formula import NumpyBackend
        >>> float(parse("clip(x+3, 0, 6)/6").evaluate(NumpyBackend(), 0.0))
        0.5
        """
        self.check(parameters)
        return evaluate(self.tree, backend, x, parameters)

    def latex(self) -> str:
        r"""Return the formula in LaTeX, without dollar signs.

        >>> parse("x/(1+abs(x))").latex()
        '\\frac{x}{1 + \\left|x\\right|}'
        """
        return latex(self.tree)

    def derivative(self) -> "Expression":
        """Return df/dx as an expression; at a switch it is that of the branch that is taken.

        >>> from actlab.activations.formula import NumpyBackend
        >>> float(parse("x**3").derivative().evaluate(NumpyBackend(), 2.0))
        12.0
        """
        return Expression(f"d/dx ({self.text})", derivative(self.tree))

    def bind(self, **values: float) -> "Expression":
        """Return the formula with parameters replaced by numbers.

        >>> parse("x*sigmoid(beta*x)").bind(beta=-1.5).names
        ()
        """
        return Expression(self.text, substituted(self.tree, values))

    def switches(self) -> "tuple[Expression, ...]":
        """Return expressions among whose zeros are all points where f may fail to be smooth.

        >>> [switch.latex() for switch in parse("where(x>1, x, abs(x))").switches()]
        ['x - 1', 'x']
        """
        return tuple(Expression(self.text, tree) for tree in switches(self.tree))

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Raise UnboundParameterError unless exactly the parameters of the formula are given."""
        missing = [name for name in self.names if name not in parameters]
        if missing:
            name = missing[0]
            message = _('The parameter "{name}" of the formula has no value; give {name}=1.')
            near = nearest_name(name, ("x", "pi"))
            hint = _('Did you mean "{near}"?').format(near=near) if near else ""
            raise UnboundParameterError(f"{message.format(name=name)} {hint}".rstrip())
        extra = [name for name in parameters if name not in self.names]
        if extra:
            message = _('The formula has no parameter "{name}"; it has: {names}.')
            names = ", ".join(self.names) or _("none")
            raise UnboundParameterError(message.format(name=extra[0], names=names))


def parse(text: str, parameters: Iterable[str] | None = None) -> Expression:
    """Return the formula that `text` writes, without running any of it.

    The input is x. There are + - * / **, comparisons, "and", "or", pi, e, numbers, the functions of
    `vocabulary.WORDS`, and parameters by name: those in `parameters`, or any where it is None.
    Raises FormulaError, one line with the position and the nearest valid word.

    >>> parse("x*tanhh(x)")
    Traceback (most recent call last):
        ...
    actlab.activations.formula.parser.FormulaError: The formula cannot be read at character 3: \
There is no function "tanhh". Did you mean "tanh"?
    """
    return Expression(text.strip(), parse_tree(text, parameters))
