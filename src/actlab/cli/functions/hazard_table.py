"""Where a function goes wrong in each dtype: measured, and shown as a table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.activations.facts import Measurable

DTYPES = ("float16", "bfloat16", "float32")


def measured_hazards(function: "Measurable") -> dict[str, Any]:
    """Return the hazards of the shipped module and of the formula as written, by dtype."""
    import torch

    from actlab.activations import facts

    threads = torch.get_num_threads()
    # These tensors are small: on a busy machine several threads only wait for each other.
    torch.set_num_threads(1)
    try:
        return {dtype: facts.hazards(function, dtype).as_json() for dtype in DTYPES}
    finally:
        torch.set_num_threads(threads)


def print_hazards(hazards: Mapping[str, Any], *, module: bool) -> None:
    """Print from which x on values and gradients are wrong, and the errors in the tails.

    `module` asks for the shipped module beside the formula as written.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    for heading in (_("value wrong"), _("gradient wrong"), _("ULP of f"), _("of f′")):
        table.add_column(heading, no_wrap=True)
    ways = (("module", _("module")), ("formula", _("as written")))
    for key, word in ways if module else ways[1:]:
        table.add_row(f"[bold]{word}[/bold]")
        for dtype, found in hazards.items():
            onset = found[key]
            table.add_row(
                f"  {dtype}",
                *(_onset(onset, quantity) for quantity in ("value", "gradient")),
                *(_tail(onset, quantity) for quantity in ("value", "gradient")),
            )
    console = Console()
    console.print(table)
    console.print(_("Wrong from that x on. ULP: the largest error in the tails (and where)."))


def _onset(onset: Mapping[str, Any], quantity: str) -> str:
    x = onset[f"{quantity}_from"]
    if x is None:
        return _("nowhere")
    words = {
        "nan": _("NaN"),
        "inf": _("inf"),
        "error": _("inexact"),
        "overflow": _("overflow"),
    }
    return f"{x:.4g} ({words[onset[f'{quantity}_wrong']]})"


def _tail(onset: Mapping[str, Any], quantity: str) -> str:
    error = onset[f"tail_{quantity}_ulp"]
    if error is None:
        return "-"
    return f"{error:.2g} ({onset[f'tail_{quantity}_at']:.3g})"
