"""The verdict for the terminal: a sentence and a table per slot, the claims below."""

from rich.console import Console
from rich.table import Table

from actlab.i18n import _, process_language, translation
from actlab.pages.words import group_words
from actlab.records import Candidate, Claim, SlotVerdict, Verdict
from actlab.studies.confirm.verdict_text import slot_notices, wording
from actlab.text import process_formatter
from actlab.verdicts.text import summary


def print_verdict(verdict: Verdict, claims: tuple[Claim, ...]) -> None:
    """Print the group of every candidate in each slot, with the numbers."""
    console = Console()
    words = process_formatter()
    for slot in verdict.slots:
        console.print(_table(slot))
        console.print(summary(slot, wording(verdict, words)), highlight=False)
        for text in slot_notices(slot, verdict, words):
            console.print(text, highlight=False)
        console.print()
    for claim in claims:
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
    form = process_formatter()
    low, high = _number(candidate.low), _number(candidate.high)
    behind, p = candidate.difference, candidate.p_adjusted
    return [
        candidate.name,
        group_words(translation(process_language()))[candidate.group],
        _number(candidate.mean),
        f"{low} – {high}" if low else "",
        str(candidate.n),
        "" if behind is None else form.difference(behind),
        "" if p is None else form.probability(p),
    ]


def _number(fraction: float | None) -> str:
    return "" if fraction is None else process_formatter().percent_number(fraction)


def _outcome(outcome: str) -> str:
    return {
        "supported": _("Supported"),
        "not supported": _("Not supported"),
        "not enough evidence": _("Not enough evidence"),
    }[outcome]
