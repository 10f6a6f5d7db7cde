"""`actlab functions formula`: all that can be said of a formula that someone pastes."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actlab.cli.functions.arguments import Json, Values, parameter_values
from actlab.cli.output import print_json
from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.activations.formula.expression import Expression
    from actlab.activations.formula.nearest import Known, Nearest

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
    from actlab.activations.code_lines import FRAMEWORKS, formula_line
    from actlab.activations.formula import parse
    from actlab.activations.formula.nearest import nearest
    from actlab.cli.functions.hazard_table import measured_hazards

    expression = parse(text)
    expression.check(values)
    pasted = facts.pasted(expression.text, **values)
    found = facts.of(pasted).as_json()
    near = nearest(expression, values, known_functions())
    bound = expression.bind(**values)
    return {
        **found,
        "nearest": None if near is None else {**asdict(near), "call": near.call},
        "hazards": measured_hazards(pasted),
        "code": {framework: formula_line(bound, framework) for framework in FRAMEWORKS},
        "module": module_source(bound, near),
    }


def known_functions() -> "list[Known]":
    """Return the scalar functions of the catalogue to compare a formula with."""
    from actlab.activations import functions
    from actlab.activations.formula import parse
    from actlab.activations.formula.nearest import Known

    return [
        Known(
            function.name,
            parse(function.formula),
            function.values,
            {
                parameter.name: (max(parameter.low, -10.0) + 1e-3, min(parameter.high, 10.0) - 1e-3)
                for parameter in function.parameters
            },
        )
        for function in functions()
        if function.kind == "scalar"
    ]


def module_source(bound: "Expression", near: "Nearest | None") -> str:
    """Return lines that make a module of the formula; the catalogue's own where they are equal."""
    from actlab.activations.formula.printers.code import TORCH, code

    if near is not None and near.equal:
        inside = ", ".join(f"{name}={value!r}" for name, value in near.parameters.items())
        return f'activation = actlab.get("{near.name}").module({inside})'
    body = code(bound.tree, TORCH)
    imports = "import math\nimport torch\n" if "math." in body else "import torch\n"
    return (
        f"{imports}\nclass Activation(torch.nn.Module):\n"
        f"    def forward(self, x):\n        return {body}"
    )


def _print(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape

    from actlab.activations.pitfalls import pitfalls
    from actlab.cli.functions.fact_table import print_facts
    from actlab.cli.functions.hazard_table import print_hazards
    from actlab.i18n import process_language, translation

    console = Console(highlight=False)
    near = document["nearest"]
    if near is not None:
        console.print(f"[bold]{escape(_nearest_sentence(near))}[/bold]")
    print_facts(document, pitfalls((), document, translation(process_language())))
    console.print(_("Hazards"), style="bold")
    print_hazards(document["hazards"], module=False)
    console.print(_("Module"), style="bold")
    console.print(escape(document["module"]))


def _nearest_sentence(near: dict[str, Any]) -> str:
    if near["equal"]:
        return _("equals {name}").format(name=near["call"])
    message = _("nearest: {name}, at a distance of {distance} (root mean square, normal input)")
    return message.format(name=near["call"], distance=f"{near['distance']:.3g}")
