"""`actlab functions cost`: what each function costs on this machine, next to a copy."""

from typing import TYPE_CHECKING, Annotated

import typer

from actlab.cli.functions.arguments import Json
from actlab.cli.output import print_json, say
from actlab.errors import unknown_name
from actlab.i18n import _
from actlab.text import process_formatter, significant

if TYPE_CHECKING:
    from actlab.activations.facts import Cost

DTYPES = ("float32", "bfloat16", "float16", "float64")
DEVICES = ("cpu", "cuda")

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help=_("Functions; all scalar ones without a name.")),
]
DType = Annotated[
    str, typer.Option("--dtype", metavar="|".join(DTYPES), help=_("The type of the elements."))
]
Device = Annotated[
    str, typer.Option("--device", metavar="cpu|cuda", help=_("Where it is measured."))
]
Compiled = Annotated[bool, typer.Option("--compiled", help=_("Through torch.compile."))]


def cost(
    names: Names = None,
    *,
    dtype: DType = "float32",
    device: Device = "cpu",
    compiled: Compiled = False,
    json: Json = False,
) -> None:
    """Measure the time of each function, forward and backward, as a ratio to a copy."""
    from actlab.activations import facts, functions, get

    if dtype not in DTYPES:
        raise unknown_name(_("dtype"), dtype, DTYPES)
    if device.split(":")[0] not in DEVICES:
        raise unknown_name(_("device"), device, DEVICES)
    chosen = [get(name) for name in names] if names else list(functions())
    measured: list[tuple[str, Cost]] = []
    for function in chosen:
        if function.kind == "structural" and not names:
            continue
        say(_("measuring {name} ...").format(name=function.name))
        measured.append(
            (function.name, facts.cost(function, dtype=dtype, device=device, compiled=compiled))
        )
    measured.sort(key=lambda pair: pair[1].forward_ratio + pair[1].backward_ratio)
    if json:
        print_json(
            {
                "dtype": dtype,
                "device": device,
                "compiled": compiled,
                "functions": [_document(name, found) for name, found in measured],
            }
        )
    else:
        _print(measured)


def _document(name: str, found: "Cost") -> dict[str, object]:
    from dataclasses import asdict

    return {"name": name, **asdict(found)}


def _print(measured: "list[tuple[str, Cost]]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column(_("function"))
    for heading in (_("forward"), _("backward"), _("bytes kept per element")):
        table.add_column(heading, justify="right")
    form = process_formatter()
    for name, found in measured:
        table.add_row(
            name,
            form.ratio(found.forward_ratio),
            form.ratio(found.backward_ratio),
            significant(found.saved_bytes, 3),
        )
    console = Console()
    console.print(table)
    console.print(_("Times are ratios to a copy of the same tensor on this machine."))
