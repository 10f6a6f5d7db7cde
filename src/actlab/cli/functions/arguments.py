"""What several `actlab functions` commands take: a function's name, its parameters, --json."""

import math
import re
from typing import TYPE_CHECKING, Annotated

import typer

from actlab.errors import ActlabError
from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.activations import Function

Json = Annotated[bool, typer.Option("--json", help=_("Print one JSON document and nothing else."))]
Name = Annotated[str, typer.Argument(metavar="NAME", help=_("A name or an alias of a function."))]
Values = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PARAMETER=VALUE]...", help=_("Other values of its parameters.")),
]

_ASSIGNMENT = re.compile(r"(?:--)?([A-Za-z]\w*)=(.+)")


def chosen(name: str, values: list[str] | None) -> "Function":
    """Return the function of that name with the parameters as given.

    Raises UnknownNameError or ParameterError, with the nearest valid choice.
    """
    from actlab.activations import get

    return get(name).bind(**parameter_values(values))


def parameter_values(values: list[str] | None) -> dict[str, float]:
    """Return PARAMETER=VALUE arguments as numbers.

    >>> parameter_values(["alpha=0.5", "beta=1e-3"])
    {'alpha': 0.5, 'beta': 0.001}
    """
    found = {}
    for text in values or ():
        match = _ASSIGNMENT.fullmatch(text)
        if match is None:
            message = _('A parameter is written PARAMETER=VALUE, as in alpha=0.5; not "{given}".')
            raise ActlabError(message.format(given=text))
        name, given = match.groups()
        found[name] = _number(name, given)
    return found


def _number(name: str, given: str) -> float:
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        message = _('{name} has to be a finite number, as in {name}=0.5; not "{given}".')
        raise ActlabError(message.format(name=name, given=given))
    return value
