"""What a check returns: plain frozen values, without torch.

A report lists the findings, the rules that were checked and found nothing, and the rules that could
not be checked with the reason: silence is never approval.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from typing import Any, Literal

from actlab.capture.location import Location

Severity = Literal["error", "warning", "info"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""From the worst to the mildest."""

REPORT_VERSION = 1
"""Version of a report's dictionary. History: 1, the first (2026-11)."""


@dataclass(frozen=True)
class Finding:
    """One fault: what it is, where, the measured proof, why it matters, the smallest fix.

    `fix` is a line of code, `edit` the change of the source that makes it, None where that is for a
    person. `others` are further lines at which the same fault was seen.
    """

    code: str
    name: str
    severity: Severity
    message: str
    location: Location
    proof: str
    why: str
    fix: str
    others: tuple[Location, ...] = ()
    edit: "Edit | None" = None


@dataclass(frozen=True)
class Edit:
    """A part of a file, and the text for its place; lines and columns from 1, the end exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True)
class Checked:
    """A rule that was checked and found nothing."""

    code: str
    name: str


@dataclass(frozen=True)
class Unchecked:
    """A rule, or a part of one, that could not be checked, and why."""

    code: str
    name: str
    reason: str


MOST_IN_SHORT = 12
"""So many findings stand in a repr."""


@dataclass(frozen=True, repr=False)
class Report:
    """The outcome of one check.

    `task` is the task that the rules assumed ("multiclass", ...; None where it could not be told)
    and `task_given` whether the caller named it. `notes` say what happened to the step as a whole,
    e.g. that it raised an error on the way.
    """

    findings: tuple[Finding, ...] = ()
    fine: tuple[Checked, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    ignored: tuple[Finding, ...] = ()
    task: str | None = None
    task_given: bool = False
    notes: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes found, the worst first, each once."""
        return tuple(dict.fromkeys(finding.code for finding in self.findings))

    def of_severity(self, *severities: Severity) -> tuple[Finding, ...]:
        """Return the findings of these severities."""
        return tuple(found for found in self.findings if found.severity in severities)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Return the findings of severity "error"."""
        return self.of_severity("error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Return the findings of severity "warning"."""
        return self.of_severity("warning")

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, ready for JSON."""
        return {"report_version": REPORT_VERSION, **asdict(self)}

    def to_pandas(self) -> Any:
        """Return the findings as a DataFrame; needs pandas."""
        return import_module("pandas").DataFrame([asdict(found) for found in self.findings])

    def __repr__(self) -> str:
        """Return what was found in a line; `str` has all of it."""
        worst = [f"{found.code} {found.severity}" for found in self.findings[:MOST_IN_SHORT]]
        more = len(self.findings) - len(worst)
        shown = ", ".join([*worst, f"{more} more"] if more else worst) or "nothing"
        checked = f"{len(self.fine)} rules fine, {len(self.unchecked)} not checked"
        return f"<Report: found {shown}; {checked}>"

    def __str__(self) -> str:
        return str(import_module("actlab.checker.reporting.text").render(self))

    def _repr_html_(self) -> str:
        return str(import_module("actlab.checker.reporting.html").render(self))


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings with repetitions folded, the worst first, then in order of discovery.

    Two findings are the same fault if code, line and module agree; of the same code and line in
    several modules (a block that is used many times) the first is kept and names the others.
    """
    kept: dict[tuple[Any, ...], Finding] = {}
    for found in findings:
        where = found.location
        key = (found.code, where.file, where.line) if where.file else (found.code, where.module)
        first = kept.get(key)
        if first is None:
            kept[key] = found
            continue
        worse = SEVERITIES.index(found.severity) < SEVERITIES.index(first.severity)
        other = first.location if worse else where
        others = tuple(dict.fromkeys((*first.others, other)))
        first = found if worse else first
        first = replace(first, others=tuple(o for o in others if o != first.location))
        kept[key] = first
    return tuple(sorted(kept.values(), key=lambda found: SEVERITIES.index(found.severity)))
