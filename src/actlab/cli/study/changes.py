"""What changes from the first of several studies to each other one, paired by seed."""

from collections.abc import Sequence
from typing import Any

from actlab.i18n import _
from actlab.studies.confirm.protocol_change import Change, protocol_change
from actlab.studies.interface.verdicts import replication_of
from actlab.studies.run_folder import RunFolder
from actlab.text import process_formatter


def changes(folders: Sequence[RunFolder]) -> list[dict[str, Any]]:
    """Return per study after the first: the change of every activation, or why there is none.

    `difference` is its accuracy minus that in the first study, on the same seeds.
    """
    first, *others = folders
    first_replication = replication_of(first)
    found = [protocol_change(first_replication, replication_of(other)) for other in others]
    return [
        {
            "first": str(first.path),
            "second": str(other.path),
            "slots": {slot: [_row(row) for row in rows] for slot, rows in one.slots.items()},
            "reason": one.reason,
        }
        for other, one in zip(others, found, strict=True)
    ]


def _row(change: Change) -> dict[str, Any]:
    found = change.difference
    return {
        "activation": change.activation,
        "n": found.n,
        "first_mean": change.first_mean,
        "second_mean": change.second_mean,
        "difference": found.mean,
        "low": found.low,
        "high": found.high,
        "p_value": found.p_value,
        "p_adjusted": change.p_adjusted,
    }


def print_changes(found: Sequence[dict[str, Any]]) -> None:
    """Print a table per slot, or the reason why there is none."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for one in found:
        if one["reason"] is not None:
            console.print(one["reason"], highlight=False)
        for slot, rows in one["slots"].items():
            table = Table(
                title=_(
                    "{slot} activation: {second} minus {first}, paired by seed (points)"
                ).format(slot=slot, second=one["second"], first=one["first"])
            )
            for heading in (_("activation"), _("difference"), "95 %", "p", "n"):
                table.add_column(heading)
            for row in rows:
                table.add_row(*_cells(row))
            console.print(table)


def _cells(row: dict[str, Any]) -> list[str]:
    form = process_formatter()
    return [
        row["activation"],
        form.points_number(row["difference"]),
        f"{form.points_number(row['low'])} – {form.points_number(row['high'])}",
        form.probability(row["p_adjusted"]),
        str(row["n"]),
    ]
