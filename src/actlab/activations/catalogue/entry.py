"""An entry of the catalogue: what is declared of a function, as a value; it loads nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, Self

from actlab.activations.catalogue.declared import Declared
from actlab.errors import ActlabError, unknown_name
from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.activations.formula import Expression

Kind = Literal["scalar", "structural"]


class ParameterError(ActlabError):
    """A parameter that a function does not have, or a value outside its domain."""


@dataclass(frozen=True)
class Parameter:
    """One number that a function depends on, with the open or closed interval that it may lie in.

    >>> Parameter("alpha", 1.0, low=0.0).describe_domain()
    'alpha >= 0'
    """

    name: str
    default: float
    learnable: bool = False
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    whole: bool = False

    def admits(self, value: float) -> bool:
        """Return whether `value` is a finite number of the domain."""
        if not math.isfinite(value) or (self.whole and value != int(value)):
            return False
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def describe_domain(self) -> str:
        """Return the domain in the way that a message shows it."""
        bounds = []
        if math.isfinite(self.low):
            bounds.append(f"{self.name} {'>' if self.low_open else '>='} {self.low:g}")
        if math.isfinite(self.high):
            bounds.append(f"{self.name} {'<' if self.high_open else '<='} {self.high:g}")
        kind = _("a whole number") if self.whole else _("a finite number")
        return " and ".join(bounds) or f"{self.name}: {kind}"


@dataclass(frozen=True)
class HazardException:
    """Where the shipped module is wrong within the range of a dtype, and why it is shipped so.

    `quantity` is "value" or "gradient"; `beyond` the |x| below which it is right.
    """

    quantity: Literal["value", "gradient"]
    dtypes: tuple[str, ...]
    fault: Literal["nan", "inf", "error", "overflow"]
    beyond: float
    reason: str


def at_infinity(reason: str, *quantities: str) -> tuple[HazardException, ...]:
    """Return the exceptions of a module that is NaN for an infinite input, in every dtype."""
    dtypes = ("float16", "bfloat16", "float32", "float64")
    chosen = quantities or ("value", "gradient")
    return tuple(
        HazardException("value" if q == "value" else "gradient", dtypes, "nan", math.inf, reason)
        for q in chosen
    )


@dataclass(frozen=True)
class Entry:
    """A function as the catalogue declares it.

    `formula` is a Python expression in x and the parameters (see `actlab.activations.formula`);
    for a structural function it is prose. `factory` names the callable in
    `actlab.activations.modules` that builds the module from the parameters. `declared` are the
    facts for the default parameters, None for a structural function and after `bind` to other
    values. `pitfalls` are sentences for a reader (marked for translation). `exceptions` are where
    the shipped module is wrong within a dtype's range, each with its reason. A structural one has
    `arity`, the inputs that one output depends on, and `output_width` for an input of width n, and
    gives its LaTeX as `typeset`. `learns` says that more is learnt than the parameters,
    `ascending` names parameters whose values must not fall.
    `rewritten` holds, by parameter, the formula that counts once that parameter is given another
    value than its default. A gated function f(a, b) = g(a) h(b) has `factors`: the formulas of g
    and of h, both in x.

    >>> from actlab.activations import get
    >>> get("leaky_relu_0.1").values
    {'negative_slope': 0.1}
    """

    name: str
    formula: str
    source: str
    factory: str
    parameters: tuple[Parameter, ...] = ()
    aliases: tuple[str, ...] = ()
    kind: Kind = "scalar"
    declared: Declared | None = None
    pitfalls: tuple[str, ...] = ()
    exceptions: tuple[HazardException, ...] = ()
    arity: str | None = None
    output_width: str | None = None
    typeset: str | None = None
    learns: bool = False
    ascending: tuple[str, ...] = ()
    rewritten: Mapping[str, str] = field(default_factory=dict)
    factors: tuple[str, str] | None = None

    @property
    def values(self) -> dict[str, float]:
        """Return the parameters' values by name."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    @property
    def learnable(self) -> bool:
        """Return whether training changes a parameter."""
        return self.learns or any(parameter.learnable for parameter in self.parameters)

    @cached_property
    def expression(self) -> Expression:
        """Return the formula of a scalar function, parsed; its parameters keep their names."""
        from actlab.activations.formula import parse

        return parse(self.formula, parameters=self.values)

    @cached_property
    def gate_and_value(self) -> tuple[Expression, Expression]:
        """Return g and h of a gated function g(a) h(b), with the parameters as numbers.

        >>> from actlab.activations import get
        >>> print(*(factor.latex() for factor in get("swiglu").gate_and_value), sep="; ")
        x \\, \\sigma\\left(x\\right); x
        """
        from actlab.activations.formula import parse

        assert self.factors is not None, f"{self.name} is no product of a gate and a value"
        gate, value = (parse(text, parameters=self.values) for text in self.factors)
        given = [{name: self.values[name] for name in factor.names} for factor in (gate, value)]
        return gate.bind(**given[0]), value.bind(**given[1])

    @property
    def latex(self) -> str | None:
        """Return the formula in LaTeX, without dollar signs."""
        structural = self.typeset is not None or self.kind == "structural"
        return self.typeset if structural else self.expression.latex()

    def bind(self, **values: float) -> Self:
        """Return this function with other values of its parameters.

        Raises ParameterError for a value outside its domain, UnknownNameError for a parameter
        that the function does not have.

        >>> from actlab.activations import get
        >>> get("elu").bind(alpha=0.5).values
        {'alpha': 0.5}
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name, value in values.items():
            self._check(known, name, value)
        parameters = tuple(
            replace(parameter, default=float(values.get(parameter.name, parameter.default)))
            for parameter in self.parameters
        )
        if parameters == self.parameters:
            return self
        bound = {parameter.name: parameter.default for parameter in parameters}
        self._check_order(bound)
        moved = (name for name in self.rewritten if bound[name] != self.values[name])
        formula = next((self.rewritten[name] for name in moved), self.formula)
        return replace(self, formula=formula, parameters=parameters, declared=None)

    def _check_order(self, values: Mapping[str, float]) -> None:
        for lower, upper in pairwise(self.ascending):
            if values[lower] > values[upper]:
                message = _("{function} needs {lower} <= {upper}, but {low} and {high} were given.")
                raise ParameterError(
                    message.format(
                        function=self.name,
                        lower=lower,
                        upper=upper,
                        low=values[lower],
                        high=values[upper],
                    )
                )

    def _check(self, known: Mapping[str, Parameter], name: str, value: float) -> None:
        if not known:
            raise ParameterError(
                _('{function} has no parameters, but "{name}" was given.').format(
                    function=self.name, name=name
                )
            )
        if name not in known:
            raise unknown_name(_("parameter of {function}").format(function=self.name), name, known)
        if not known[name].admits(value):
            raise ParameterError(
                _("{function} needs {domain}, but {name} = {value} was given.").format(
                    function=self.name,
                    domain=known[name].describe_domain(),
                    name=name,
                    value=value,
                )
            )
