"""A report as a fragment of HTML, for notebooks; every text in it is escaped.

A notebook does not say whether it is light or dark: texts keep its colour, and a severity is a word
and a bar whose colour stands out on white and on black.
"""

from html import escape

from actlab.checker.report import Finding, Report
from actlab.checker.reporting.text import SEVERITY_WORDS
from actlab.documentation import rule_address
from actlab.i18n import _

_COLOURS = {"error": "#d0443b", "warning": "#b07400", "info": "#2a7de1"}


def render(report: Report) -> str:
    """Return the findings as a table, and under it what was fine and what could not be checked."""
    rows = "".join(finding_row(found) for found in report.findings)
    nothing = _paragraph(_("No finding."))
    table = f"<table><tbody>{rows}</tbody></table>" if rows else nothing
    unchecked = "".join(
        f"<li><code>{item.code}</code> {escape(item.reason)}</li>" for item in report.unchecked
    )
    fine = ", ".join(item.code for item in report.fine)
    parts = [table]
    if unchecked:
        parts += [_paragraph(_("Not checked:")), f"<ul>{unchecked}</ul>"]
    parts.append(_paragraph(_("Checked and fine: {codes}").format(codes=fine)))
    return "<div>" + "".join(parts) + "</div>"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def finding_row(found: Finding) -> str:
    """Return one finding as a row of a table."""
    bar = f"border-left:4px solid {_COLOURS[found.severity]}"
    details = "<br>".join(escape(text) for text in (found.proof, found.why))
    return (
        f'<tr><td style="vertical-align:top;text-align:left;{bar}"><a style="color:inherit" '
        f'href="{rule_address(found.code)}" title="actlab check --explain {found.code}">'
        f"<b>{found.code}</b></a><br>{escape(_(SEVERITY_WORDS[found.severity]))}</td>"
        f'<td style="text-align:left"><b>{escape(found.message)}</b><br>'
        f"<code>{escape(str(found.location))}</code><br>{details}<br>"
        f"<code>{escape(found.fix)}</code></td></tr>"
    )
