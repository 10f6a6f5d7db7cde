"""A report as workflow commands of GitHub: each finding stands at its line in the pull request."""

from collections.abc import Iterator

from actlab.addresses import shown_path
from actlab.checker.report import Finding, Report

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def annotations(report: Report) -> str:
    """Return a line per finding and place, empty where nothing was found."""
    return "".join(f"{line}\n" for found in report.findings for line in _lines(found))


def _lines(found: Finding) -> Iterator[str]:
    text = f"{found.message}\n{found.proof}\n{found.why}\nfix: {found.fix}"
    for place in (found.location, *found.others):
        fields = {"title": f"{found.code} {found.name}"}
        if place.file is not None:
            fields |= {"file": shown_path(place.file), "line": str(place.line)}
        if place.file is not None and place.column is not None:
            fields["col"] = str(place.column)
        if place.file is not None and place.end_column is not None:
            fields["endColumn"] = str(place.end_column - 1)
        written = ",".join(f"{name}={_property(value)}" for name, value in fields.items())
        yield f"::{_COMMANDS[found.severity]} {written}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
