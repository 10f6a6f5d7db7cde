"""Results of a study in a notebook: tables with their pictures, in the notebook's own colours."""

import html
import sys
from collections.abc import Sequence

from actlab.pages.lanes import small_multiple
from actlab.records import Record, Verdict, best_record
from actlab.studies.report.judged_panel import judged_panel
from actlab.text import Formatter, significant

MOST_ROWS = 10
"""A notebook shows so many trials, the best ones."""

_STYLE = (
    "<style>.actlab table{border-collapse:collapse}.actlab td,.actlab th{padding:2px 8px;"
    "text-align:left}.actlab svg.lane{width:220px;color:#8a5a00;overflow:visible}"
    ".actlab svg.lane line{stroke:currentColor;stroke-width:2}.actlab svg.lane circle"
    "{fill:currentColor}.actlab svg.lane .dot1{opacity:.4}.actlab svg.lane .band"
    "{fill:currentColor;opacity:.15}.actlab svg.lane.best{color:#2a7de1}.actlab svg.lane.tied"
    "{color:#23915f}.actlab svg.lane.worse{color:#d0443b}.actlab svg.small{width:150px;height:70px}"
    ".actlab svg.small polyline{fill:none;stroke:#2a7de1;stroke-width:1.5;"
    "vector-effect:non-scaling-stroke}</style>"
)
"""Colours that stand out on white and on black: a notebook does not say which it has."""


def framed(content: str) -> str:
    """Return a part of a notebook with the style of its pictures."""
    return f'<div class="actlab">{_STYLE}{content}</div>'


def verdict_lanes(verdict: Verdict, form: Formatter) -> str:
    """Return a lane for every candidate with its mean, its interval and its single runs."""
    parts = []
    for slot in verdict.slots:
        panel = judged_panel(slot, verdict, form)
        rows = "".join(
            f"<tr><th>{html.escape(row.name)}</th><td>{row.lane}</td>"
            f"<td>{html.escape(row.value)}</td></tr>"
            for row in panel.rows
        )
        parts.append(f"<p><b>{html.escape(panel.title)}</b></p><table>{rows}</table>")
    return "".join(parts)


def trials_table(records: Sequence[Record], form: Formatter) -> str:
    """Return the best trials as a table, the best one marked, with its learning curve."""
    _, ngettext = form.translations.gettext, form.translations.ngettext
    ranked = sorted(records, key=lambda r: (r.score is None, -(r.score or 0.0), r.number))
    best = best_record(tuple(records))
    slots = dict.fromkeys(slot for record in records for slot in record.setting.activations)
    in_percent = all(record.valid_score is None for record in records)
    valid = _("valid (trial) accuracy") if in_percent else _("metric")
    headings = ("", _("trial"), *slots, _("learning rate"), valid)
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    body = "".join(
        f"<tr><td>{'★' if record is best else ''}</td><td>{record.number}</td>"
        + "".join(
            f"<td>{html.escape(record.setting.activations.get(slot, ''))}</td>" for slot in slots
        )
        + f"<td>{form.rate(record.setting.learning_rate)}</td>"
        f"<td>{html.escape(_figure(record, form))}</td></tr>"
        for record in ranked[:MOST_ROWS]
    )
    more = len(ranked) - MOST_ROWS
    rest = ngettext("and {count} trial more", "and {count} trials more", more).format(count=more)
    note = f"<p>{html.escape(rest)}</p>" if more > 0 else ""
    curve = "" if best is None else _curve(best)
    return f"{curve}<table><tr>{head}</tr>{body}</table>{note}"


def _figure(record: Record, form: Formatter) -> str:
    if record.valid_score is not None:
        return significant(record.valid_score, 5)
    return form.percent(record.valid_accuracy)


def record_html(record: Record) -> str:
    """Return a record as a notebook shows it: its learning curve over what its repr says."""
    return framed(f"{_curve(record)}<p>{html.escape(repr(record))}</p>")


def show_records() -> None:
    """Have the notebook that this process is, if it is one, show records with their curves.

    A record is a value that knows of no pictures; IPython is told by type how one is shown.
    """
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is not None:
        shell.display_formatter.formatters["text/html"].for_type(Record, record_html)


def _curve(record: Record) -> str:
    values = [epoch.valid_metric for epoch in record.curve if epoch.valid_loss is not None]
    return str(small_multiple([values], min(values), max(values))) if len(values) > 1 else ""
