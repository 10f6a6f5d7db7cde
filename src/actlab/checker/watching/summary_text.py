"""A summary as text, for terminals and logs."""

from collections.abc import Iterator, Sequence

from actlab.checker.analysis.closed_forms import shown
from actlab.checker.reporting.text import finding_lines
from actlab.checker.statistics.wording import percent
from actlab.checker.watching.summary import ActivationRow, Summary
from actlab.i18n import _, ngettext

Table = tuple[Sequence[str], Sequence[Sequence[str]]]

_ROWS = 40
"""Rows of a table that are printed; the rest is counted."""


def render(summary: Summary) -> str:
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
            f"{shown(row.first_deviation)} > {shown(row.last_deviation)}",
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
    return f"{part} ({percent(part, row.units)})" if part else "0"


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
