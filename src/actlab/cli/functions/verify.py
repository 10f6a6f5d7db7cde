"""`actlab functions verify`: each declared fact against two other routes; 1 where one fails."""

from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actlab.cli.functions.arguments import Json
from actlab.cli.output import print_json, say
from actlab.i18n import _, ngettext
from actlab.text import significant

if TYPE_CHECKING:
    from actlab.activations.facts import Row

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help=_("Functions; all without a name."))
]
Every = Annotated[bool, typer.Option("--all", help=_("Print the facts that hold, too."))]


def verify(names: Names = None, *, every: Every = False, json: Json = False) -> None:
    """Measure every declared fact again and compare."""
    from actlab.activations import facts, get

    known = [get(name).name for name in names] if names else None
    rows = list(facts.verify(known))
    failed = [row for row in rows if not row.ok]
    if json:
        print_json(
            {"ok": not failed, "checked": len(rows), "rows": [_document(row) for row in rows]}
        )
    else:
        _print(rows if every else failed, rows)
        say(_summary(len(rows), len(failed)))
    if failed:
        raise typer.Exit(1)


def _document(row: "Row") -> dict[str, object]:
    return {
        "function": row.function,
        "fact": row.fact,
        "declared": _plain(row.declared),
        "measured": _plain(row.measured),
        "route": row.route,
        "ok": row.ok,
        "derivation": row.derivation,
    }


def _plain(value: Any) -> Any:
    """Return a fact as numbers, words and lists."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _summary(checked: int, failed: int) -> str:
    if failed:
        text = ngettext(
            "{failed} of {checked} comparison fails.",
            "{failed} of {checked} comparisons fail.",
            checked,
        )
        return text.format(failed=failed, checked=checked)
    text = ngettext("{checked} comparison holds.", "All {checked} comparisons hold.", checked)
    return text.format(checked=checked)


def _print(shown: "list[Row]", rows: "list[Row]") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    totals = Table(box=None, header_style="bold")
    for heading in (_("function"), _("comparisons"), _("fail")):
        totals.add_column(heading, justify="left" if heading == _("function") else "right")
    for name in dict.fromkeys(row.function for row in rows):
        own = [row for row in rows if row.function == name]
        bad = sum(not row.ok for row in own)
        totals.add_row(name, str(len(own)), str(bad or "-"), style="red" if bad else None)
    console.print(totals)
    if not shown:
        return
    table = Table(box=None, header_style="bold")
    for heading in ("", _("function"), _("fact"), _("declared"), _("measured"), _("route")):
        table.add_column(heading)
    for row in shown:
        cells = (row.function, row.fact, _value(row.declared), _value(row.measured), row.route)
        table.add_row("✓" if row.ok else "✗", *cells, style=None if row.ok else "red")
    console.print(table)


def _value(value: object) -> str:
    return significant(value, 12) if isinstance(value, float) else str(value)
