"""The verdict for the terminal: a sentence and a table per slot, the claims below."""

from rich.console import Console
from rich.table import Table

from actlab.i18n import _, process_language, translation
from actlab.pages.words import group_words
from actlab.records import Candidate, Claim, SlotVerdict, Verdict
from actlab.studies.confirm.verdict_text import slot_notices, wording
from actlab.text import process_formatter, significant
from actlab.verdicts.text import Wording, summary


def print_verdict(verdict: Verdict, claims: tuple[Claim, ...]) -> None:
    """Print the group of every candidate in each slot, with the numbers."""
    console = Console()
    words = process_formatter()
    for slot in verdict.slots:
        console.print(_table(slot, wording(verdict, words)))
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


def _table(slot: SlotVerdict, how: Wording) -> Table:
    table = Table(title=_("{slot} activation").format(slot=slot.slot), box=None)
    for heading in (_("activation"), _("group"), _("mean"), "95 %", "n", _("difference"), "p"):
        table.add_column(heading)
    for candidate in slot.candidates:
        style = "bold" if candidate.group in ("best", "tied") else None
        table.add_row(*_cells(candidate, how), style=style)
    return table


def _cells(candidate: Candidate, how: Wording) -> list[str]:
    low, high = _number(candidate.low, how), _number(candidate.high, how)
    behind, p = candidate.difference, candidate.p_adjusted
    return [
        candidate.name,
        group_words(translation(process_language()))[candidate.group],
        _number(candidate.mean, how),
        f"{low} – {high}" if low else "",
        str(candidate.n),
        "" if behind is None else how.end(behind),
        "" if p is None else how.words.probability(p),
    ]


def _number(value: float | None, how: Wording) -> str:
    if value is None:
        return ""
    return how.words.percent_number(value) if how.accuracies else significant(value, 5)


def _outcome(outcome: str) -> str:
    return {
        "supported": _("Supported"),
        "not supported": _("Not supported"),
        "not enough evidence": _("Not enough evidence"),
    }[outcome]
