"""What changes from the first of several studies to each other one, paired by seed."""

from collections.abc import Sequence
from typing import Any

from actlab.i18n import _, process_language, translation
from actlab.pages.words import obstacle_words
from actlab.studies.confirm.protocol_change import Change, protocol_change
from actlab.studies.interface.verdicts import replication_of
from actlab.studies.run_folder import RunFolder
from actlab.text import process_formatter


def changes(folders: Sequence[RunFolder]) -> list[dict[str, Any]]:
    """Return per study after the first: the change of every activation, or why there is none.

    `difference` is its accuracy minus that in the first study, over the seeds on which it trained
    in both; failed trainings are counted apart.
    """
    first, *others = folders
    messages = translation(process_language())
    first_replication = replication_of(first)
    found = [protocol_change(first_replication, replication_of(other)) for other in others]
    return [
        {
            "first": str(first.path),
            "second": str(other.path),
            "slots": {slot: [row_of(row) for row in rows] for slot, rows in one.slots.items()},
            "reason": one.obstacle and obstacle_words(one.obstacle, messages),
        }
        for other, one in zip(others, found, strict=True)
    ]


def row_of(change: Change) -> dict[str, Any]:
    """Return the document of one activation's change."""
    found = change.difference
    return {
        "activation": change.activation,
        "n": found.n if found else 0,
        "first_mean": change.first_mean,
        "second_mean": change.second_mean,
        "difference": found.mean if found else None,
        "low": found.low if found else None,
        "high": found.high if found else None,
        "p_value": found.p_value if found else None,
        "p_adjusted": change.p_adjusted,
        "seeds": change.seeds,
        "first_failures": change.first_failures,
        "second_failures": change.second_failures,
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
            for heading in (_("activation"), _("difference"), "95 %", "p", "n", _("failures")):
                table.add_column(heading)
            for row in rows:
                table.add_row(*_cells(row))
            console.print(table)


def _cells(row: dict[str, Any]) -> list[str]:
    form = process_formatter()
    low, high = form.points_number(row["low"]), form.points_number(row["high"])
    return [
        row["activation"],
        form.points_number(row["difference"]),
        f"{low} – {high}" if row["n"] else "",
        form.probability(row["p_adjusted"]),
        str(row["n"]),
        _failures(row),
    ]


def _failures(row: dict[str, Any]) -> str:
    if not row["first_failures"] and not row["second_failures"]:
        return ""
    text = _("{first} → {second} of {seeds}")
    return text.format(
        first=row["first_failures"], second=row["second_failures"], seeds=row["seeds"]
    )
