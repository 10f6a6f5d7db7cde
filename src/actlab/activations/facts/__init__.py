"""Measuring what a function does, and verifying what the catalogue declares of it.

A `function` is a name, a function of the catalogue or anything else with the fields of
`Measurable`, as `pasted` makes it. Only `hazards`, `cost` and `verify` load torch.
"""

from __future__ import annotations

from collections.abc import Sequence

from actlab.activations.catalogue import find
from actlab.activations.catalogue.declared import Facts, Kink, ScalarFacts
from actlab.activations.catalogue.entry import Entry
from actlab.activations.facts.curve import DomainError
from actlab.activations.facts.measurable import Measurable, PastedFormula, pasted
from actlab.activations.facts.measuring import measured
from actlab.activations.facts.results import Cost, FirstErrors, Hazards, Row

__all__ = [
    "Cost",
    "DomainError",
    "Facts",
    "FirstErrors",
    "Hazards",
    "Kink",
    "Measurable",
    "Row",
    "ScalarFacts",
    "cost",
    "hazards",
    "hazards_by_dtype",
    "measure",
    "of",
    "pasted",
    "verify",
]


def of(function: str | Measurable, **parameters: float) -> Facts:
    """Return the facts of a function, with other values of its parameters where given.

    They are the declared ones where the catalogue declares them, and measured from the formula
    elsewhere: for other parameter values and for pasted formulas. Gated functions have facts of
    two inputs; other structural functions have none. Raises ParameterError, UnknownNameError or
    DomainError.

    >>> of("sigmoid").max_abs_grad
    0.25
    >>> of("leaky_relu", negative_slope=-0.5).monotonic
    'non_monotonic'
    """
    chosen = _measurable(function, parameters)
    if isinstance(chosen, Entry):
        return _of_entry(chosen)
    return Facts(
        name=chosen.name,
        aliases=(),
        formula=chosen.expression.text,
        latex=chosen.expression.latex(),
        parameters=chosen.values,
        source="",
        learnable=False,
        **vars(measured(chosen)),
    )


def _of_entry(function: Entry) -> Facts:
    inputs = None
    if function.factors is not None:
        from actlab.activations.facts.gated import KEPT_VALUES, gated_facts

        scalar, inputs = gated_facts(function)
    elif function.kind == "structural":
        scalar = ScalarFacts()
    elif function.declared is not None:
        scalar = function.declared.facts()
    else:
        scalar = measured(function)
    return Facts(
        name=function.name,
        aliases=function.aliases,
        formula=function.formula,
        latex=function.latex,
        parameters=function.values,
        source=function.source,
        learnable=function.learnable,
        kind=function.kind,
        arity=function.arity,
        output_width=function.output_width,
        inputs=inputs,
        kept_values=None if inputs is None else KEPT_VALUES,
        **vars(scalar),
    )


def measure(function: str | Measurable, **parameters: float) -> ScalarFacts:
    """Return the facts measured from the formula, whatever the catalogue declares.

    >>> measure("relu").zero_grad_fraction_N01
    0.5
    """
    return measured(_measurable(function, parameters))


def verify(names: Sequence[str] | None = None) -> list[Row]:
    """Return every declared fact of the named functions (None: all) against both routes.

    Raises UnknownNameError for a name that the catalogue does not have.

    >>> all(row.ok for row in verify(["relu"]))
    True
    """
    from actlab.activations.facts.verification import verification

    return verification(names)


def hazards(function: str | Measurable, dtype: str) -> Hazards:
    """Return from which |x| on the module and the formula as written are wrong in a dtype.

    dtypes are float16, bfloat16, float32 and float64; UnknownNameError for any other.

    >>> hazards("elu", "float16").formula.gradient_wrong
    'nan'
    """
    from actlab.activations.facts.numerical_errors import hazards_in

    return hazards_in(_measurable(function, {}), dtype)


def hazards_by_dtype(function: str | Measurable) -> dict[str, Hazards]:
    """Return the hazards in float16, bfloat16 and float32; of a gated function, see `slice_of`.

    >>> list(hazards_by_dtype("relu"))
    ['float16', 'bfloat16', 'float32']
    """
    from actlab.activations.facts.numerical_errors import measured_hazards

    return measured_hazards(_measurable(function, {}))


def cost(
    function: str | Measurable,
    dtype: str = "float32",
    device: str = "cpu",
    compiled: bool = False,
    *,
    elements: int = 1 << 20,
) -> Cost:
    """Return the time of the module, forward and backward, as a ratio to a copy of the tensor.

    Raises DeviceError for a device that this machine does not have.
    """
    from actlab.activations.facts.timing import timed

    return timed(_measurable(function, {}), dtype, device, compiled=compiled, elements=elements)


def _measurable(function: str | Measurable, parameters: dict[str, float]) -> Measurable:
    if isinstance(function, str):
        entry, values = find(function)
        return entry.bind(**{**values, **parameters})
    if isinstance(function, Entry):
        return function.bind(**parameters)
    if parameters:
        return PastedFormula(function.expression, {**function.values, **parameters}, function.name)
    return function
