"""What can be measured: the catalogue's functions, and formulas that are not in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from actlab.activations.catalogue.entry import Entry
from actlab.activations.catalogue.macros import read
from actlab.activations.formula import Expression

if TYPE_CHECKING:
    from torch import nn


class Measurable(Protocol):
    """A scalar function of x that can be measured.

    `expression` is its formula, parsed, in x and the names of `values`, the numbers that its
    parameters have. Functions of the catalogue are measurable; `pasted` makes others.
    """

    @property
    def name(self) -> str: ...  # noqa: D102  a field

    @property
    def expression(self) -> Expression: ...  # noqa: D102  a field

    @property
    def values(self) -> Mapping[str, float]: ...  # noqa: D102  a field


@dataclass(frozen=True)
class PastedFormula:
    """A formula with values for its parameters."""

    expression: Expression
    values: Mapping[str, float] = field(default_factory=dict)
    name: str = "formula"

    def __post_init__(self) -> None:
        self.expression.check(dict(self.values))


def pasted(formula: str | Expression, **values: float) -> PastedFormula:
    """Return a formula that is not in the catalogue, ready to be measured.

    Raises FormulaError or UnboundParameterError where it cannot be read.

    >>> pasted("x*tanh(b*x)", b=2.0).values
    {'b': 2.0}
    """
    if isinstance(formula, str):
        formula = read(formula, tuple(values)).expression
    return PastedFormula(formula, values)


def module_of(function: Measurable) -> nn.Module:
    """Return the module that is shipped, or the formula itself as a module, word for word."""
    if isinstance(function, Entry):
        from actlab.activations.modules import build

        return build(function)
    own = getattr(function, "module", None)
    if own is not None:
        made: nn.Module = own()
        return made
    from actlab.activations.formula.with_torch import FormulaModule

    return FormulaModule(function.expression, function.values)
