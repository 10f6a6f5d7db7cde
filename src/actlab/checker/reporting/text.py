"""A report as text, in the manner of a modern linter: the line underlined, then the proof."""

import linecache
from collections.abc import Iterator

from actlab.addresses import shown_path
from actlab.capture.location import Location
from actlab.checker.report import Finding, Report
from actlab.i18n import N_, _, ngettext

_SHOWN_OTHERS = 3
SEVERITY_WORDS = {"error": N_("error"), "warning": N_("warning"), "info": N_("note")}
"""The word for each severity."""


def render(report: Report) -> str:
    """Return the whole report: notes, findings, what could not be checked, what was fine."""
    blocks = [_note(note) for note in report.notes]
    blocks += ["\n".join(finding_lines(found)) for found in report.findings]
    blocks.append("\n".join(_summary(report)))
    return "\n\n".join(blocks)


def _note(note: str) -> str:
    return _("note: {text}").format(text=note)


def finding_lines(found: Finding) -> Iterator[str]:
    """Yield the lines of one finding."""
    yield f"{_(SEVERITY_WORDS[found.severity])}[{found.code}] {found.name}: {found.message}"
    yield from _place(found.location)
    notes = [(_("proof"), found.proof), (_("why"), found.why), (_("fix"), found.fix)]
    notes += [(_("also at"), _short(other)) for other in found.others[:_SHOWN_OTHERS]]
    yield from (f"   = {label}: {text}" for label, text in notes)
    rest = len(found.others) - _SHOWN_OTHERS
    if rest > 0:
        yield "   = " + ngettext("and at {count} more", "and at {count} more", rest).format(
            count=rest
        )


def _place(location: Location) -> Iterator[str]:
    yield f"  --> {_short(location)}"
    source = source_line(location)
    if source is None or location.line is None:
        return
    gutter = " " * len(str(location.line))
    yield f" {gutter} |"
    yield f" {location.line} | {source}"
    yield f" {gutter} | {underline(location, source)}"


def source_line(location: Location) -> str | None:
    """Return the text of a location's line, None where it cannot be read."""
    if location.file is None or location.line is None:
        return None
    line = linecache.getline(location.file, location.line).rstrip("\n")
    return line.expandtabs(1) if line.strip() else None


def underline(location: Location, source: str) -> str:
    """Return carets under the expression that is meant, under the whole line if it is not known.

    >>> underline(Location("f.py", 1, None, 5, 9), "y = f(x)")
    '    ^^^^'
    """
    start = len(source) - len(source.lstrip())
    end = len(source)
    if location.column is not None and location.column - 1 < len(source):
        start = location.column - 1
        if location.end_column is not None:
            end = min(location.end_column - 1, end)
    return " " * start + "^" * max(end - start, 1)


def _short(location: Location) -> str:
    parts = []
    if location.file is not None:
        column = "" if location.column is None else f":{location.column}"
        parts.append(f"{shown_path(location.file)}:{location.line}{column}")
    if location.module:
        parts.append(_("module {path}").format(path=location.module))
    return " ".join(parts) or _("place unknown")


def _summary(report: Report) -> Iterator[str]:
    if report.findings:
        yield _("A rule's page: actlab check --explain {code}").format(code=report.findings[0].code)
        yield ""
    if report.unchecked:
        yield _("Not checked:")
        reasons: dict[str, list[str]] = {}
        for item in report.unchecked:
            reasons.setdefault(item.reason, []).append(item.code)
        for reason, codes in reasons.items():
            yield f"  {_in_ranges(codes)}: {reason}"
        yield ""
    if report.fine:
        yield _("Checked and fine: {codes}").format(
            codes=_in_ranges([item.code for item in report.fine])
        )
    if report.ignored:
        yield _("Silenced by comments: {codes}").format(
            codes=", ".join(found.code for found in report.ignored)
        )
    if report.task is not None:
        text = _("Task: {task} (given)") if report.task_given else _("Task: {task} (inferred)")
        yield text.format(task=report.task)
    yield _counts(report)


def _in_ranges(codes: list[str]) -> str:
    """Return codes with consecutive ones drawn together.

    >>> _in_ranges(["ACT101", "ACT102", "ACT103", "ACT201", "ACT203"])
    'ACT101-ACT103, ACT201, ACT203'
    """
    runs: list[list[str]] = []
    for code in codes:
        if runs and int(code[3:]) == int(runs[-1][-1][3:]) + 1:
            runs[-1].append(code)
        else:
            runs.append([code])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)


def _counts(report: Report) -> str:
    errors, warnings = len(report.errors), len(report.warnings)
    notes = len(report.of_severity("info"))
    return ", ".join(
        (
            ngettext("{count} error", "{count} errors", errors).format(count=errors),
            ngettext("{count} warning", "{count} warnings", warnings).format(count=warnings),
            ngettext("{count} note", "{count} notes", notes).format(count=notes),
        )
    )
