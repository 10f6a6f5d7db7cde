"""What a page is drawn from: records and plain values, nothing that computes or trains."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from actlab.records import Claim, Environment, FinalFigure, Plan, Record, Verdict


@dataclass(frozen=True)
class FindingText:
    """A finding of the checker, ready to be shown.

    `severity` is "error", "warning" or "info"; `location` says where in the user's words; `page`
    has the sections of the rule's page, title and text.
    """

    code: str
    severity: str
    message: str
    location: str = ""
    page: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class NextStep:
    """The command that a study asks for next: "resume" or "confirm" on so many seeds.

    `trainings` are the most that it takes, `workers` how many of them train at a time.
    """

    kind: Literal["resume", "confirm"]
    command: str
    trainings: int
    workers: int
    seeds: int = 0


@dataclass(frozen=True)
class ReportData:
    """Everything that one page shows.

    `written` is the time that the page prints as its own (the clock is passed in).
    `evaluation_order` says in a sentence how trials were ordered and computed, where that differs
    from one after the other. `findings` is None where the checker did not run, and empty where it
    found nothing. `verdict` is None before there is one; `claims` are judged by it, in the
    page's language. `warnings` come before everything else.
    """

    plan: Plan
    environment: Environment
    records: tuple[Record, ...]
    final: FinalFigure | None
    written: datetime
    evaluation_order: str = ""
    findings: tuple[FindingText, ...] | None = None
    verdict: Verdict | None = None
    claims: tuple[Claim, ...] = ()
    next_step: NextStep | None = None
    warnings: tuple[str, ...] = ()
