"""`actlab functions plot`: f and f' as HTML, PNG or SVG."""

from pathlib import Path
from typing import Annotated

import typer

from actlab.cli.functions.arguments import Json, parameter_values
from actlab.cli.output import print_json
from actlab.errors import ActlabError
from actlab.i18n import _

Names = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME...", help=_("Functions; PARAMETER=VALUE after a name sets a parameter of it.")
    ),
]
Output = Annotated[
    Path,
    typer.Option("-o", "--output", metavar="FILE.html|png|svg", help=_("Where to draw.")),
]

MOST = 8


def plot(names: Names, *, output: Output, json: Json = False) -> None:
    """Draw functions, with kinks, minima and ranges marked."""
    from actlab.activations import get
    from actlab.activations.drawing.picture import picture

    wanted: list[tuple[str, list[str]]] = []
    for text in names:
        if "=" not in text:
            wanted.append((text, []))
        elif wanted:
            wanted[-1][1].append(text)
        else:
            message = _("A parameter follows the name of its function: NAME {given}.")
            raise ActlabError(message.format(given=text))
    if len(wanted) > MOST:
        message = _("At most {most} functions fit into one picture; {given} were named.")
        raise ActlabError(message.format(most=MOST, given=len(wanted)))
    functions = [get(name).bind(**parameter_values(values)) for name, values in wanted]
    path = picture(functions).save(output)
    if json:
        print_json({"plot": str(path), "names": [function.name for function in functions]})
    else:
        print(path)
