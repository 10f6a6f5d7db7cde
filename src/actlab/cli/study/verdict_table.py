"""The verdict for the terminal: a sentence and a table per slot, the claims below."""

from rich.console import Console
from rich.table import Table

from actlab.i18n import _
from actlab.records import Candidate, SlotVerdict, Verdict


def print_verdict(verdict: Verdict) -> None:
    """Print who is best, tied, worse or unclear in each slot, with the numbers."""
    console = Console()
    for slot in verdict.slots:
        console.print(_table(slot))
        for text in (slot.summary, *slot.notices):
            console.print(text, highlight=False)
        console.print()
    for claim in verdict.claims:
        console.print(
            _("Claim {number}: {text} {outcome}: {reason}").format(
                number=claim.number,
                text=claim.text,
                outcome=_outcome(claim.outcome),
                reason=claim.reason,
            ),
            highlight=False,
        )


def _table(slot: SlotVerdict) -> Table:
    table = Table(title=_("{slot} activation").format(slot=slot.slot), box=None)
    for heading in (_("activation"), _("group"), _("mean"), "95 %", "n", _("difference"), "p"):
        table.add_column(heading)
    for candidate in slot.candidates:
        style = "bold" if candidate.group in ("best", "tied") else None
        table.add_row(*_cells(candidate), style=style)
    return table


def _cells(candidate: Candidate) -> list[str]:
    low, high = _number(candidate.low), _number(candidate.high)
    return [
        candidate.activation,
        group_word(candidate.group),
        _number(candidate.mean),
        f"{low} – {high}" if low else "",
        str(candidate.n),
        _number(candidate.difference),
        "" if candidate.p_adjusted is None else f"{candidate.p_adjusted:.3f}",
    ]


def _number(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:.2f}"


def group_word(group: str) -> str:
    """Return the word for a group."""
    return {"best": _("best"), "tied": _("tied"), "worse": _("worse"), "unclear": _("unclear")}[
        group
    ]


def _outcome(outcome: str) -> str:
    return {
        "supported": _("Supported"),
        "not supported": _("Not supported"),
        "not enough evidence": _("Not enough evidence"),
    }[outcome]
