"""A summary as a fragment of HTML, for notebooks; every text in it is escaped."""

from collections.abc import Sequence
from html import escape

from actlab.checker.reporting.html import finding_row
from actlab.checker.watching.summary import Summary
from actlab.checker.watching.summary_text import counts, passes, tables
from actlab.i18n import _


def render(summary: Summary) -> str:
    """Return passes, findings, tables, and what was not watched."""
    parts = [f"<p>{escape(line)}</p>" for line in passes(summary)]
    rows = "".join(finding_row(finding) for finding in summary.findings)
    if rows:
        parts.append(f"<table><tbody>{rows}</tbody></table>")
    parts.append(f"<p>{escape(counts(summary))}</p>")
    parts += [_table(*table) for table in tables(summary) if table[1]]
    if summary.unwatched:
        items = "".join(f"<li>{escape(text)}</li>" for text in summary.unwatched)
        heading = escape(_("Could not be watched:"))
        parts.append(f"<p>{heading}</p><ul>{items}</ul>")
    return f"<div>{''.join(parts)}</div>"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th style="text-align:left">{escape(text)}</th>' for text in headings)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
