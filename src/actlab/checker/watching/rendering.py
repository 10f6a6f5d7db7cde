"""A summary as text for terminals and logs, and as a fragment of HTML for notebooks."""

from collections.abc import Iterator, Sequence
from html import escape

from actlab.checker.reporting.html import finding_row
from actlab.checker.reporting.text import finding_lines
from actlab.checker.watching.summary import ActivationRow, Summary
from actlab.i18n import _, ngettext
from actlab.text import decimal, share

Table = tuple[Sequence[str], Sequence[Sequence[str]]]

_ROWS = 40
"""Rows of a table that are printed; the rest is counted."""


def as_text(summary: Summary) -> str:
    """Return the whole summary: passes, tables, findings, what was not watched."""
    blocks = ["\n".join(passes(summary))]
    blocks += ["\n".join(_lines(*table)) for table in tables(summary) if table[1]]
    blocks += ["\n".join(finding_lines(finding)) for finding in summary.findings]
    if summary.unwatched:
        heading = _("Could not be watched:")
        blocks.append("\n".join([heading, *(f"  {text}" for text in summary.unwatched)]))
    blocks.append(counts(summary))
    return "\n\n".join(blocks)


def passes(summary: Summary) -> Iterator[str]:
    """Yield a line for each model: how many passes, how many of them sampled."""
    for row in summary.models:
        yield _(
            "{model}: {training} passes with gradients and {inference} without, {sampled} of them "
            "sampled (every {every})"
        ).format(
            model=row.model,
            training=row.training_passes,
            inference=row.inference_passes,
            sampled=row.sampled,
            every=summary.every,
        )


def tables(summary: Summary) -> tuple[Table, Table, Table]:
    """Return headings and cells of the three tables: activations, gradients, slopes."""
    several = len(summary.models) > 1

    def named(model: str, name: str) -> str:
        return f"{model} {name}" if several else name

    activations = [
        (
            named(row.model, row.activation),
            str(row.units),
            _share(row.dead, row) if row.role == "hidden" else row.role,
            "" if row.saturated is None else _share(row.saturated, row),
            f"{decimal(row.first_deviation)} > {decimal(row.last_deviation)}",
        )
        for row in summary.activations
    ]
    layers = [
        (named(row.model, row.layer), f"{row.weight:.2g}", f"{row.gradient:.2g}")
        for row in summary.layers
    ]
    slopes = [
        (
            named(row.model, row.name),
            f"{row.first_mean:.3f} > {row.last_mean:.3f}",
            f"{row.lowest:.3f} .. {row.highest:.3f}",
        )
        for row in summary.slopes
    ]
    return (
        (
            (_("activation"), _("units"), _("dead"), _("saturated"), _("deviation, first > last")),
            activations,
        ),
        ((_("layer"), _("weights, RMS"), _("gradient, RMS")), layers),
        ((_("learnt slopes"), _("mean, first > last"), _("range")), slopes),
    )


def _share(part: int, row: ActivationRow) -> str:
    return f"{part} ({share(part, row.units)})" if part else "0"


def _lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    printed = [headings, *rows[:_ROWS]]
    widths = [max(len(row[place]) for row in printed) for place in range(len(headings))]
    for row in printed:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    rest = len(rows) - _ROWS
    if rest > 0:
        yield ngettext("and {count} more", "and {count} more", rest).format(count=rest)


def counts(summary: Summary) -> str:
    """Return how many findings there are, in words."""
    severities = [finding.severity for finding in summary.findings]
    errors, warnings = severities.count("error"), severities.count("warning")
    notes = severities.count("info")
    return ", ".join(
        (
            ngettext("{count} error", "{count} errors", errors).format(count=errors),
            ngettext("{count} warning", "{count} warnings", warnings).format(count=warnings),
            ngettext("{count} note", "{count} notes", notes).format(count=notes),
        )
    )


def as_html(summary: Summary) -> str:
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
