"""The base of every rule, and the cases that prove it."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from actlab.capture.location import Location
from actlab.checker.report import Finding, Severity

if TYPE_CHECKING:
    from actlab.checker.analysis.step import Step

SECTIONS = ("What it does", "Why is this bad?", "Example", "Use instead", "Sources")
"""The sections that the docstring of every rule has, in this order."""


def limits(**values: float) -> Mapping[str, float]:
    """Return the thresholds of a rule, read only.

    >>> limits(share=0.05)["share"]
    0.05
    """
    return MappingProxyType(values)


class NotCheckable(Exception):  # noqa: N818  it is an outcome, not an error
    """Raised by a rule that cannot tell; its message is the reason that the report prints."""


@dataclass(frozen=True)
class Situation:
    """The arguments of one `actlab.check` (or, where `step` is set, `actlab.check_step`)."""

    model: Any = None
    loss: Any = None
    batch: Any = None
    step: Callable[[], Any] | None = None
    task: str | None = None
    optimizer: Any = None
    evaluate: Callable[[], Any] | None = None


@dataclass(frozen=True)
class Case:
    """A small program that proves a rule: `build` makes it, `severity` is what the rule reports.

    A clean case has no severity: the rule stays silent. `source` names who wrote such a program.
    """

    build: Callable[[], Situation]
    severity: Severity | None = None
    source: str = ""

    @property
    def name(self) -> str:
        """Return the name of the builder, the name of the test that is made of it."""
        return self.build.__name__.removeprefix("_")

    @property
    def code(self) -> str:
        """Return the source text of the builder, for the documentation."""
        return inspect.getsource(self.build)


class Rule(ABC):
    """One fault: how it is recognised, what is said about it, and the cases that prove it.

    A rule is stateless. `limits` are its thresholds, with the user's settings over the defaults.
    `looks_at` is the kind of thing it looks at, one of `analysis.rule_scope`: where a step has
    none, the rule is not checked, whatever it says. The docstring of a rule is its documentation
    page and has the sections `SECTIONS`.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    thresholds: ClassVar[Mapping[str, float]] = MappingProxyType({})
    looks_at: ClassVar[str] = "calls"
    faulty: ClassVar[tuple[Case, ...]]
    clean: ClassVar[tuple[Case, ...]]

    def __init__(self, limits: Mapping[str, float] = MappingProxyType({})) -> None:
        self.limits: Mapping[str, float] = {**self.thresholds, **limits}

    @abstractmethod
    def check(self, step: "Step") -> Iterable[Finding]:
        """Yield what is wrong with the captured step; raise `NotCheckable` where nobody can tell.

        Findings that were yielded before `NotCheckable` is raised are kept.
        """

    def found(
        self,
        *,
        message: str,
        location: Location,
        proof: str,
        why: str,
        fix: str,
        severity: Severity | None = None,
    ) -> Finding:
        """Return a finding of this rule, of the rule's own severity unless another is given."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            message=message,
            location=location,
            proof=proof,
            why=why,
            fix=str(fix),
            edit=getattr(fix, "edit", None),
        )


@dataclass(frozen=True)
class RulePage:
    """The documentation of a rule, section by section, taken from its docstring."""

    code: str
    name: str
    severity: Severity
    sections: Mapping[str, str]
    thresholds: Mapping[str, float] = field(default_factory=dict)


def page_of(rule: type[Rule]) -> RulePage:
    """Return the documentation page of `rule`; ValueError where a section is missing."""
    text = inspect.getdoc(rule) or ""
    sections: dict[str, str] = {}
    current = ""
    for line in text.splitlines():
        title = line.removeprefix("## ")
        if line.startswith("## ") and title in SECTIONS:
            current = title
            sections[current] = ""
        elif current:
            sections[current] += line + "\n"
    missing = [title for title in SECTIONS if not sections.get(title, "").strip()]
    if missing:
        raise ValueError(f"{rule.__name__} has no section {', '.join(missing)} in its docstring")
    return RulePage(
        code=rule.code,
        name=rule.name,
        severity=rule.severity,
        sections={title: body.strip("\n") for title, body in sections.items()},
        thresholds=dict(rule.thresholds),
    )
