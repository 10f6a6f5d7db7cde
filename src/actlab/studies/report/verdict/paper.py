"""Tables for a paper: LaTeX with booktabs, and Markdown."""

import re

from actlab.pages.words import slot_word
from actlab.records import Candidate, SlotVerdict, Verdict
from actlab.studies.report.verdict.groups import group_looks
from actlab.text import NOT_KNOWN, Formatter

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "−": r"$-$",
    "–": "--",
    "\xa0": "~",
}


def markdown_tables(verdict: Verdict, form: Formatter) -> str:
    """Return a Markdown table per slot, each under its heading."""
    parts = []
    for slot in verdict.slots:
        head = _headings(form)
        lines = [
            f"**{slot_word(slot.slot, form.translations)}**",
            "",
            "| " + " | ".join(markdown_text(cell) for cell in head) + " |",
            "|" + "|".join([":--", ":--", *["--:"] * (len(head) - 2)]) + "|",
            *(
                "| " + " | ".join(markdown_text(cell) for cell in _cells(row, form)) + " |"
                for row in slot.candidates
            ),
        ]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, _note(verdict, form)])


def latex_tables(verdict: Verdict, form: Formatter) -> str:
    """Return a LaTeX table per slot; the preamble needs `\\usepackage{booktabs}`."""
    return "\n\n".join(_latex_table(slot, verdict, form) for slot in verdict.slots)


def _latex_table(slot: SlotVerdict, verdict: Verdict, form: Formatter) -> str:
    head = _headings(form)
    caption = f"{slot_word(slot.slot, form.translations)}. {_note(verdict, form)}"
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(caption)}}}",
        rf"\label{{tab:{slot.slot}-activation}}",
        rf"\begin{{tabular}}{{ll{'r' * (len(head) - 2)}}}",
        r"\toprule",
        " & ".join(latex_text(cell) for cell in head) + r" \\",
        r"\midrule",
        *(
            " & ".join(latex_text(cell) for cell in _cells(row, form)) + r" \\"
            for row in slot.candidates
        ),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)


def latex_text(text: str) -> str:
    r"""Return a text in which LaTeX sees no command.

    >>> print(latex_text("leaky_relu_0.01 & 50 %"))
    leaky\_relu\_0.01 \& 50 \%
    """
    return "".join(_LATEX.get(character, character) for character in text)


def markdown_text(text: str) -> str:
    r"""Return a text in which Markdown sees no mark-up and no end of a cell.

    >>> print(markdown_text("a|b *c* leaky_relu"))
    a\|b \*c\* leaky\_relu
    """
    return re.sub(r"([\\|*_`<>\[\]])", r"\\\1", text)


def _headings(form: Formatter) -> tuple[str, ...]:
    _ = form.translations.gettext
    return (
        _("activation"),
        _("verdict"),
        _("seeds"),
        _("accuracy (%)"),
        _("interval (95 %)"),
        _("difference (points)"),
        _("adjusted p"),
    )


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
    return _(
        "Mean accuracy over seeds with Student t interval; difference to the best, paired by seed; "
        "tied: within {margin} at 5 %; otherwise p of the paired t test after Holm over all pairs."
        " Runs that failed count in no mean."
    ).format(margin=form.points(verdict.margin))
