"""`actlab functions formula`: all that can be said of a formula that someone pastes."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from actlab.cli.functions.arguments import Json, Values, parameter_values
from actlab.cli.output import print_json
from actlab.i18n import _
from actlab.text import significant

Text = Annotated[
    str, typer.Argument(metavar="FORMULA", help=_('An expression in x, as in "x*tanh(exp(x))".'))
]


def formula(text: Text, values: Values = None, *, json: Json = False) -> None:
    """Print the facts and hazards of a formula, the nearest known function, and a module."""
    document = described(text, parameter_values(values))
    if json:
        print_json(document)
    else:
        _print(document)


def described(text: str, values: dict[str, float]) -> dict[str, Any]:
    """Return everything about a formula; raises FormulaError where it cannot be read."""
    from actlab.activations import facts
    from actlab.activations.catalogue.macros import read
    from actlab.activations.code_lines import FRAMEWORKS, formula_line, module_source
    from actlab.activations.facts.nearest import nearest

    reading = read(text, tuple(values))
    pasted = facts.pasted(reading.expression, **values)
    known = facts.of(pasted).as_json()
    near = nearest(pasted.expression, values)
    bound = pasted.expression.bind(**values)
    hazards = facts.hazards_by_dtype(pasted)
    return {
        **known,
        "read_as": reading.read_as,
        "nearest": None if near is None else {**asdict(near), "call": near.call},
        "hazards": {dtype: found.as_json() for dtype, found in hazards.items()},
        "code": {framework: formula_line(bound, framework) for framework in FRAMEWORKS},
        "module": module_source(bound, near),
    }


def _print(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape

    from actlab.activations.pitfalls import pitfalls
    from actlab.cli.functions.tables import print_facts, print_hazards
    from actlab.i18n import process_language, translation

    console = Console(highlight=False)
    if document["read_as"] is not None:
        console.print(_("read as {formula}").format(formula=escape(document["read_as"])))
    near = document["nearest"]
    if near is not None:
        console.print(f"[bold]{escape(nearest_sentence(near))}[/bold]")
    print_facts(document, pitfalls((), document, translation(process_language())))
    console.print(_("Hazards"), style="bold")
    print_hazards(document["hazards"], module=False)
    console.print(_("Module"), style="bold")
    console.print(escape(document["module"]))


def nearest_sentence(near: dict[str, Any]) -> str:
    """Return which known function it is, or is most like."""
    if near["equal"]:
        return _("equals {name}").format(name=near["call"])
    message = _("nearest: {name}, at a distance of {distance} (root mean square, normal input)")
    return message.format(name=near["call"], distance=significant(near["distance"], 3))
