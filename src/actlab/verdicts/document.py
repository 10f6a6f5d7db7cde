"""A verdict on scores as a document for scripts, and as a table: text, Markdown, LaTeX."""

import html
import re
from collections.abc import Sequence
from gettext import NullTranslations
from typing import Any

from actlab.pages.words import group_words, short_name
from actlab.records import Candidate, Comparison, DryRun, ScoreVerdict
from actlab.text import NOT_KNOWN, Formatter
from actlab.verdicts.text import Wording, candidate_sentence, notice_text, remarks, summary

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


_MOST_IN_SHORT = 12
"""So many candidates stand in a repr."""


def wording_of(verdict: ScoreVerdict, translations: NullTranslations | None = None) -> Wording:
    """Return how a verdict's numbers are written: in the metric's own unit."""
    words = Formatter(translations or NullTranslations())
    return Wording(
        words,
        verdict.metric.margin,
        accuracies=verdict.metric.in_percent,
        baseline=verdict.baseline,
        higher_is_better=verdict.metric.higher_is_better,
    )


def score_document(
    verdict: ScoreVerdict, translations: NullTranslations | None = None
) -> dict[str, Any]:
    """Return the document that `actlab verdict --json` prints.

    `candidates` come best first; `difference` is to the best (or to the baseline), below zero in
    the direction of worse. With blocks, `candidates` are judged over all blocks.
    """
    wording = wording_of(verdict, translations)
    return {
        "metric": {
            "name": verdict.metric.name,
            "higher_is_better": verdict.metric.higher_is_better,
            "margin": verdict.metric.margin,
        },
        "pairing": verdict.pairing,
        "baseline": verdict.baseline,
        "candidates": _candidates(verdict.overall, wording),
        "pairs": _pairs(verdict.overall),
        "blocks": [
            {
                "block": block.block,
                "candidates": _candidates(block, wording),
                "notices": [notice_text(notice, wording) for notice in block.notices],
            }
            for block in verdict.blocks
        ],
        "notices": notices_of(verdict, wording),
        "summary": summary(verdict.overall, wording),
        "columns": dict(verdict.columns),
        "source": verdict.source,
    }


def dry_run_document(found: DryRun) -> dict[str, Any]:
    """Return the document that `actlab verdict --dry-run --json` prints."""
    return {**vars(found), "metric": dict(vars(found.metric))}


def notices_of(verdict: ScoreVerdict, wording: Wording) -> list[str]:
    """Return the notices on the whole table and on what it compares, in words."""
    found = (*verdict.notices, *verdict.overall.notices)
    return [notice_text(notice, wording) for notice in found]


def _candidates(found: Comparison, wording: Wording) -> list[dict[str, Any]]:
    return [
        {
            "candidate": row.name,
            "mean": row.mean,
            "low": row.low,
            "high": row.high,
            "n": row.n,
            "failures": row.failures,
            "difference": row.difference,
            "p_adjusted": row.p_adjusted,
            "group": row.group,
            "difference_low": row.difference_low,
            "difference_high": row.difference_high,
            "smallest_margin": row.smallest_margin,
            "failure_rate_low": row.failure_rate_low,
            "p_failures": row.p_failures,
            "p_wilcoxon": row.p_wilcoxon,
            "probability_of_best": row.probability_of_best,
            "posterior": row.posterior,
            "more_seeds": row.more_seeds,
            "runs": found.runs_of(row),
            "sentence": candidate_sentence(row, found, wording),
        }
        for row in found.candidates
    ]


def _pairs(found: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "first": pair.first,
            "second": pair.second,
            "difference": pair.difference.mean,
            "low": pair.difference.low,
            "high": pair.difference.high,
            "p_value": pair.difference.p_value,
            "p_adjusted": pair.p_adjusted,
            "n": pair.difference.n,
        }
        for pair in found.pairs
    ]


def headings(
    form: Formatter, name: str, score: str, difference: str, unit: str = "seeds"
) -> tuple[str, ...]:
    """Return the headings of a table of candidates."""
    _ = form.translations.gettext
    return (
        name,
        _("verdict"),
        _("seeds") if unit == "seeds" else _("blocks"),
        score,
        _("interval (95 %)"),
        difference,
        _("adjusted p"),
    )


def table_of(found: Comparison, wording: Wording) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the headings and the rows of a table of candidates, in the metric's own unit."""
    _ = wording.words.translations.gettext
    head = headings(wording.words, _("candidate"), _("mean"), _("difference"), found.unit)
    return head, [_cells(row, wording) for row in found.candidates]


def _cells(row: Candidate, wording: Wording) -> tuple[str, ...]:
    interval = NOT_KNOWN
    if row.low is not None and row.high is not None:
        interval = f"{wording.score(row.low)} – {wording.score(row.high)}"
    runs = str(row.n) if row.trained == row.n else f"{row.trained}/{row.n}"
    alone = row.difference is None or (row.group == "best" and wording.baseline is None)
    return (
        row.name,
        _word(row, wording),
        runs,
        NOT_KNOWN if row.mean is None else wording.score(row.mean),
        interval,
        NOT_KNOWN if alone else wording.end(row.difference or 0.0),
        wording.words.probability(row.p_adjusted),
    )


def _word(row: Candidate, wording: Wording) -> str:
    if row.name == wording.baseline and row.group != "unreliable":
        return wording.words.translations.gettext("baseline")
    return group_words(wording.words.translations)[row.group]


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table: two columns of text, the rest numbers."""
    lines = [
        "| " + " | ".join(markdown_text(cell) for cell in head) + " |",
        "|" + "|".join([":--", ":--", *["--:"] * (len(head) - 2)]) + "|",
        *("| " + " | ".join(markdown_text(cell) for cell in row) + " |" for row in rows),
    ]
    return "\n".join(lines)


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table.

    >>> html_table(("a", "b"), [("<", "1")])
    '<table><tr><th>a</th><th>b</th></tr><tr><td>&lt;</td><td>1</td></tr></table>'
    """

    def row(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{row('th', head)}{''.join(row('td', cells) for cells in rows)}</table>"


def groups_in_short(found: Comparison) -> str:
    """Return who is in which group on one line, for the repr of a verdict."""
    words = group_words(NullTranslations())
    shown = [f"{short_name(row.name)[:24]} {words[row.group]}" for row in found.candidates]
    more = len(shown) - _MOST_IN_SHORT
    return ", ".join(shown if more <= 0 else [*shown[:_MOST_IN_SHORT], f"{more} more"])


def latex_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], caption: str, label: str
) -> str:
    """Return a LaTeX table; the preamble needs `\\usepackage{booktabs}`."""
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(caption)}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{ll{'r' * (len(head) - 2)}}}",
        r"\toprule",
        " & ".join(latex_text(cell) for cell in head) + r" \\",
        r"\midrule",
        *(" & ".join(latex_text(cell) for cell in row) + r" \\" for row in rows),
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


def markdown_of(verdict: ScoreVerdict, translations: NullTranslations | None = None) -> str:
    """Return the verdict in Markdown: the answer, a table per block, the notices."""
    wording = wording_of(verdict, translations)
    answer = [summary(verdict.overall, wording), *remarks(verdict.overall, wording)]
    parts = [" ".join(answer), markdown_table(*table_of(verdict.overall, wording))]
    for block in verdict.blocks:
        parts += [f"**{markdown_text(block.block)}**", markdown_table(*table_of(block, wording))]
    lines = (metric_line(verdict, wording), *notices_of(verdict, wording))
    parts.append("\n".join(f"* {text}" for text in lines))
    return "\n\n".join(parts) + "\n"


def latex_of(verdict: ScoreVerdict, translations: NullTranslations | None = None) -> str:
    """Return the verdict as a LaTeX table; the preamble needs `\\usepackage{booktabs}`."""
    wording = wording_of(verdict, translations)
    caption = f"{metric_line(verdict, wording)} {method_line(verdict, wording)}"
    return latex_table(*table_of(verdict.overall, wording), caption, "verdict") + "\n"


def metric_line(verdict: ScoreVerdict, wording: Wording) -> str:
    """Say what is compared, in which direction, and up to which difference nothing matters."""
    _ = wording.words.translations.gettext
    if verdict.metric.higher_is_better:
        text = _("{metric}, higher is better; differences below {margin} do not matter.")
    else:
        text = _("{metric}, lower is better; differences below {margin} do not matter.")
    return text.format(metric=verdict.metric.name, margin=wording.margin_text())


def method_line(verdict: ScoreVerdict, wording: Wording) -> str:
    """Say how candidates were compared."""
    _ = wording.words.translations.gettext
    if verdict.overall.unit == "blocks":
        test = _("Wilcoxon's signed ranks over the means of blocks")
    elif verdict.pairing == "paired":
        test = _("t tests paired by seed")
    else:
        test = _("Welch's t tests")
    if verdict.baseline is not None:
        text = _("Compared with {baseline} by {test}, p adjusted by Dunnett's method.")
    else:
        text = _("Compared by {test}, p adjusted by Holm's method over all pairs.")
    return text.format(test=test, baseline=verdict.baseline)
