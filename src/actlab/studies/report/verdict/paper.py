"""Tables for a paper: LaTeX with booktabs, and Markdown."""

from actlab.pages.words import slot_word
from actlab.records import Candidate, SlotVerdict, Verdict
from actlab.studies.confirm.verdict_text import is_of_accuracies, metric_word, wording
from actlab.studies.report.verdict.groups import group_looks
from actlab.text import NOT_KNOWN, Formatter
from actlab.verdicts.document import headings, latex_table, markdown_table, table_of


def markdown_tables(verdict: Verdict, form: Formatter) -> str:
    """Return a Markdown table per slot, each under its heading."""
    parts = []
    for slot in verdict.slots:
        heading = f"**{slot_word(slot.slot, form.translations)}**"
        parts.append(f"{heading}\n\n{markdown_table(*_table(slot, verdict, form))}")
    return "\n\n".join([*parts, _note(verdict, form)])


def latex_tables(verdict: Verdict, form: Formatter) -> str:
    """Return a LaTeX table per slot; the preamble needs `\\usepackage{booktabs}`."""
    tables = []
    for slot in verdict.slots:
        head, rows = _table(slot, verdict, form)
        caption = f"{slot_word(slot.slot, form.translations)}. {_note(verdict, form)}"
        tables.append(latex_table(head, rows, caption, f"{slot.slot}-activation"))
    return "\n\n".join(tables)


def _table(
    slot: SlotVerdict, verdict: Verdict, form: Formatter
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    if is_of_accuracies(verdict):
        return _headings(form), [_cells(row, form) for row in slot.candidates]
    return table_of(slot, wording(verdict, form))


def _headings(form: Formatter) -> tuple[str, ...]:
    _ = form.translations.gettext
    return headings(form, _("activation"), _("accuracy (%)"), _("difference (points)"))


def _cells(row: Candidate, form: Formatter) -> tuple[str, ...]:
    interval = NOT_KNOWN
    if row.low is not None and row.high is not None:
        interval = f"{form.percent_number(row.low)} – {form.percent_number(row.high)}"
    return (
        row.name,
        group_looks(form)[row.group].word,
        str(row.n),
        form.percent_number(row.mean),
        interval,
        NOT_KNOWN if row.group == "best" else form.points_number(row.difference),
        form.probability(row.p_adjusted),
    )


def _note(verdict: Verdict, form: Formatter) -> str:
    _ = form.translations.gettext
    note = _(
        "Mean {metric} over seeds with Student t interval; difference to the best, paired by seed, "
        "below 0 is worse; equivalent: within {margin} at 5 %; otherwise p of the paired t test "
        "after Holm over all pairs. Runs that failed count in no mean."
    )
    if not is_of_accuracies(verdict):
        how = wording(verdict, form)
        return note.format(metric=metric_word(verdict, form), margin=how.margin_text())
    return _(
        "Mean accuracy over seeds with Student t interval; difference to the best, paired by seed; "
        "equivalent: within {margin} at 5 %; otherwise p of the paired t test after Holm over all "
        "pairs."
        " Runs that failed count in no mean."
    ).format(margin=form.points(verdict.margin))
