"""`actlab gate`: is the next candidate better than the baseline? Pairs of runs until it shows."""

import math
import re
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from actlab.cli.output import print_json
from actlab.cli.study.options import Json
from actlab.errors import ActlabError, unknown_name
from actlab.i18n import _
from actlab.text import NOT_KNOWN, significant

if TYPE_CHECKING:
    from actlab.verdicts.gate import GateResult

FORMATS = ("text", "json", "markdown", "github")

Command = Annotated[
    str,
    typer.Option(
        "--base",
        metavar="CMD",
        help=_("The baseline's command; {seed} in it is replaced by the seed."),
    ),
]
Candidate = Annotated[
    str, typer.Option("--candidate", metavar="CMD", help=_("The candidate's command."))
]
ScoreRegex = Annotated[
    str | None,
    typer.Option(
        metavar="R",
        help=_('How the score is read: its last match. Else the last JSON line with "score".'),
    ),
]
LowerIsBetter = Annotated[
    bool, typer.Option("--lower-is-better", help=_("The score is a loss, an error, a time."))
]
Margin = Annotated[
    float,
    typer.Option(metavar="X", help=_("The largest difference of the score that does not matter.")),
]
MaxSeeds = Annotated[int, typer.Option(metavar="N", help=_("The most pairs of runs."))]
Timeout = Annotated[
    float | None,
    typer.Option(metavar="S", help=_("End a run that takes longer, in seconds: it failed.")),
]
Ledger = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help=_("Where runs and candidates are kept; several candidates share its error."),
    ),
]
Workers = Annotated[int, typer.Option(metavar="N", help=_("How many runs go on at once."))]
Format = Annotated[
    str, typer.Option("--format", metavar="|".join(FORMATS), help=_("How to print the decision."))
]


def gate(
    base: Command,
    candidate: Candidate,
    *,
    score_regex: ScoreRegex = None,
    lower_is_better: LowerIsBetter = False,
    margin: Margin = 0.0,
    max_seeds: MaxSeeds = 20,
    timeout: Timeout = None,
    ledger: Ledger = None,
    workers: Workers = 1,
    form: Format = "text",
    json: Json = False,
) -> None:
    """Run baseline and candidate with the same seeds until one is better, or both equivalent.

    Exit code 0: better; 1: not; 2: wrong use.
    """
    from actlab.cli.gate_ledger import Asked, opened
    from actlab.cli.gate_runs import Runner
    from actlab.verdicts.gate import GatePlan, run_gate

    if form not in FORMATS:
        raise unknown_name(_("format"), form, FORMATS)
    pattern = _checked(base, candidate, score_regex, margin, max_seeds, timeout, workers)
    plan = GatePlan(max_seeds, margin, not lower_is_better)
    with opened(ledger, Asked(base, candidate, plan, score_regex, timeout)) as book:
        runner = Runner({"base": base, "candidate": candidate}, pattern, timeout, workers, book)
        result = run_gate(book.plan, runner, tried=book.number)
        book.write({"decision": result.decision, "number": book.number})
    _print(result, "json" if json else form)
    if result.decision != "better":
        raise typer.Exit(1)


def _checked(
    base: str,
    candidate: str,
    score_regex: str | None,
    margin: float,
    max_seeds: int,
    timeout: float | None,
    workers: int,
) -> re.Pattern[str] | None:
    """Return the compiled pattern of the score; raises ActlabError for what cannot be run."""
    for command in (base, candidate):
        try:
            words = shlex.split(command)
        except ValueError as error:
            message = _("The command {command} cannot be split into words: {reason}.")
            raise ActlabError(message.format(command=command, reason=error)) from None
        if not words or not any("{seed}" in word for word in words):
            message = _("The command must have {{seed}} in it, so that runs differ; got: {command}")
            raise ActlabError(message.format(command=command))
    faults = {
        _("--max-seeds must be 2 or more."): max_seeds < 2,
        _("--workers must be 1 or more."): workers < 1,
        _("--margin must be 0 or more."): not (math.isfinite(margin) and margin >= 0),
        _("--timeout must be above 0 seconds."): timeout is not None and not timeout > 0,
    }
    for message, is_fault in faults.items():
        if is_fault:
            raise ActlabError(message)
    try:
        pattern = re.compile(score_regex) if score_regex is not None else None
    except re.error as error:
        message = _("{pattern} is no regular expression: {reason}.")
        raise ActlabError(message.format(pattern=score_regex, reason=error)) from None
    if pattern is not None and pattern.groups > 1:
        raise ActlabError(_("--score-regex must have one group, the score, or none."))
    return pattern


def _print(result: "GateResult", shown: str) -> None:
    if shown == "json":
        print_json(asdict(result))
        return
    lines = _sentences(result)
    if shown == "text":
        print("\n".join(lines))
        return
    heading = _("### Gate: {decision}").format(decision=_word(result.decision))
    body = "\n".join(f"* {line}" for line in lines[1:])
    print(f"{heading}\n\n{lines[0]}\n\n{body}" if shown == "github" else f"{lines[0]}\n\n{body}")


def _word(decision: str) -> str:
    return {
        "better": _("better"),
        "worse": _("worse"),
        "tied": _("equivalent"),
        "undecided": _("inconclusive"),
    }[decision]


def _sentences(result: "GateResult") -> list[str]:
    if result.reason == "unreliable":
        first = _("Worse: the candidate fails too often to be compared.")
    elif result.reason == "failures":
        first = _(
            "Inconclusive: the candidate fails too often to be called better, and not often enough "
            "to be called worse for it."
        )
    else:
        first = {
            "better": _("Better: the candidate is ahead of the baseline."),
            "worse": _("Worse: the candidate is behind the baseline."),
            "tied": _("Equivalent: the difference is smaller than the margin."),
            "undecided": _(
                "Inconclusive: {pairs} pairs neither separate the two nor show equivalence."
            ).format(pairs=result.pairs),
        }[result.decision]
    lines = [first]
    if result.difference is not None:
        low, high = (_signed(end) for end in (result.low, result.high))
        text = _(
            "Difference {difference} over {pairs} pairs (between {low} and {high}; above zero is "
            "better)."
        )
        difference = _signed(result.difference)
        lines.append(text.format(difference=difference, pairs=result.pairs, low=low, high=high))
    text = _("Failed runs: baseline {base}, candidate {candidate}.")
    if any(result.failures.values()) and result.difference is not None:
        text = _(
            "Failed runs: baseline {base}, candidate {candidate}; the difference is of the seeds "
            "on which both ran."
        )
    lines.append(text.format(base=result.failures["base"], candidate=result.failures["candidate"]))
    text = _("Candidate {tried} on these data; it was allowed to err in {alpha} of cases.")
    lines.append(text.format(tried=result.tried, alpha=f"{significant(100 * result.alpha, 2)} %"))
    if "no_margin" in result.notices:
        lines.append(
            _(
                "Without --margin every difference matters, so that the two cannot be shown to be "
                "equivalent."
            )
        )
    if "baseline_constant" in result.notices:
        lines.append(
            _(
                "Every run of the baseline has the same score: does its command use the seed? "
                "Runs that do not differ are one run, and say nothing of chance."
            )
        )
    return lines


def _signed(value: float | None) -> str:
    if value is None:
        return NOT_KNOWN
    return f"{'+' if value > 0 else ''}{significant(value)}"
