"""A study's verdict as it shows itself: a line in a terminal, a table per slot in a notebook."""

import html

from actlab.i18n import process_language, translation
from actlab.records import SlotVerdict, Verdict
from actlab.studies.confirm.verdict_text import wording
from actlab.text import Formatter
from actlab.verdicts.document import groups_in_short, html_table, table_of
from actlab.verdicts.text import Wording, summary


class StudyVerdict(Verdict):
    """A verdict that says its groups when it is shown; its numbers are a `Verdict`'s."""

    def __repr__(self) -> str:
        slots = "; ".join(f"{slot.slot}: {groups_in_short(slot)}" for slot in self.slots[:2])
        return f"<Verdict with {self.seeds} seeds, {slots}>"

    def _repr_html_(self) -> str:
        # What draws is loaded only where a notebook asks for it.
        from actlab.studies.interface.notebook import framed, verdict_lanes

        form = Formatter(translation(process_language()))
        how = wording(self, form)
        tables = "".join(_slot(slot, how) for slot in self.slots)
        return framed(verdict_lanes(self, form) + tables)


def shown(verdict: Verdict) -> StudyVerdict:
    """Return a verdict as one that shows itself."""
    return StudyVerdict(**vars(verdict))


def _slot(slot: SlotVerdict, how: Wording) -> str:
    answer = f"<p><b>{html.escape(slot.slot)}</b>: {html.escape(summary(slot, how))}</p>"
    return answer + html_table(*table_of(slot, how))
