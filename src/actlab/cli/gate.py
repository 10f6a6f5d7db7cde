"""`actlab gate`: is the next candidate better than the baseline? Pairs of runs until it shows."""

import fcntl
import json as json_format
import math
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from actlab.cli.output import print_json, say
from actlab.cli.study.options import Json
from actlab.errors import ActlabError, unknown_name
from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.verdicts.gate import GatePlan, GateResult, Run

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
    """Run baseline and candidate with the same seeds until one is better, both are tied, or N.

    Exit code 0: better; 1: not; 2: wrong use.
    """
    from actlab.verdicts.gate import GatePlan, run_gate

    if form not in FORMATS:
        raise unknown_name(_("format"), form, FORMATS)
    pattern = _checked(base, candidate, score_regex, margin, max_seeds, timeout, workers)
    plan = GatePlan(max_seeds, margin, not lower_is_better)
    with _opened(ledger, base, candidate, plan) as book:
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


class Book:
    """What is kept of runs and candidates: in a ledger, or nowhere."""

    def __init__(
        self,
        file: IO[str] | None,
        lines: Sequence[Mapping[str, Any]],
        base: str,
        candidate: str,
        plan: "GatePlan",
    ) -> None:
        from dataclasses import replace

        from actlab.verdicts.gate import alpha_of

        self._file, self._base = file, base
        asked = {"base": base, "candidate": candidate, "plan": asdict(plan)}
        numbers = [line["number"] for line in lines if "candidate" in line]
        decided = {line["number"] for line in lines if "decision" in line}
        again = [
            line["number"]
            for line in lines
            if {key: line.get(key) for key in asked} == asked and line["number"] not in decided
        ]
        self.number = again[-1] if again else max(numbers, default=0) + 1
        self.plan = plan
        if file is not None:
            self.plan = replace(plan, alpha=alpha_of(self.number, plan.alpha))
        self._scores = {
            ("base" if "command" in line else "candidate", line["seed"]): line["score"]
            for line in lines
            if "seed" in line and (line.get("command") == base or line.get("number") == self.number)
        }
        if not again:
            self.write({**asked, "number": self.number, "alpha": self.plan.alpha})

    def known(self, run: "Run") -> bool:
        """Return whether a run is kept already."""
        return run in self._scores

    def score(self, run: "Run") -> float | None:
        """Return the score that is kept; None for a run that failed."""
        found = self._scores[run]
        return None if found is None else float(found)

    def keep(self, run: "Run", score: float | None, failure: str) -> None:
        """Keep a run: the baseline's for every candidate, the candidate's for this one."""
        side, seed = run
        self._scores[run] = score
        whose = {"command": self._base} if side == "base" else {"number": self.number}
        self.write({**whose, "seed": seed, "score": score, "failure": failure})

    def write(self, line: Mapping[str, Any]) -> None:
        """Write a line, so that it is there after a kill."""
        if self._file is None:
            return
        self._file.write(json_format.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def _opened(path: Path | None, base: str, candidate: str, plan: "GatePlan") -> Iterator[Book]:
    """Open the ledger for one gate alone; without a path nothing is written."""
    if path is None:
        yield Book(None, (), base, candidate, plan)
        return
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        message = _("The ledger {path} cannot be written: {reason}.")
        raise ActlabError(message.format(path=path, reason=error.strerror)) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            message = _("Another gate uses the ledger {path}; wait for it to end.")
            raise ActlabError(message.format(path=path)) from None
        yield Book(file, _lines(file, path), base, candidate, plan)


def _lines(file: IO[str], path: Path) -> list[dict[str, Any]]:
    """Return the lines of a ledger; a last one that a kill cut short is taken away."""
    file.seek(0)
    text = file.read()
    whole, cut = text[: text.rfind("\n") + 1], text[text.rfind("\n") + 1 :]
    found = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            entry = json_format.loads(line)
            kinds = ("seed", "decision", "candidate")
            if not isinstance(entry, dict) or not any(kind in entry for kind in kinds):
                raise ValueError(line)
        except ValueError:
            message = _("Line {number} of the ledger {path} is not what actlab gate wrote.")
            raise ActlabError(message.format(number=number, path=path)) from None
        found.append(entry)
    if cut:
        file.truncate(len(whole.encode()))
    file.seek(0, os.SEEK_END)
    return found


class Runner:
    """Runs commands with seeds in the current folder, and reads their scores."""

    def __init__(
        self,
        commands: Mapping[str, str],
        pattern: re.Pattern[str] | None,
        timeout: float | None,
        workers: int,
        book: Book,
    ) -> None:
        self._commands, self._pattern, self._timeout = commands, pattern, timeout
        self._workers, self._book = workers, book
        self._running: set[subprocess.Popen[str]] = set()

    def __call__(self, runs: Sequence["Run"]) -> dict["Run", float | None]:
        """Return the score of each (side, seed), None for one that failed."""
        open_ones = [run for run in runs if not self._book.known(run)]
        with ThreadPoolExecutor(self._workers) as pool:
            futures = {run: pool.submit(self._run, run) for run in open_ones}
            try:
                for run, future in futures.items():
                    score, failure = future.result()
                    self._book.keep(run, score, failure)
                    say(_line(run, score, failure))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in tuple(self._running):
                    _end(process)
                raise
        return {run: self._book.score(run) for run in runs}

    def _run(self, run: "Run") -> tuple[float | None, str]:
        side, seed = run
        words = [word.replace("{seed}", str(seed)) for word in shlex.split(self._commands[side])]
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            message = _("The command {command} cannot be run: {reason}.")
            raise ActlabError(message.format(command=words[0], reason=error.strerror)) from None
        self._running.add(process)
        try:
            output, errors = process.communicate(timeout=self._timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            process.communicate()
            return None, _("took longer than {seconds} s").format(seconds=self._timeout)
        finally:
            self._running.discard(process)
        if process.returncode != 0:
            last = (errors.strip().splitlines() or [""])[-1]
            text = _("ended with code {code}: {line}")
            return None, text.format(code=process.returncode, line=last)
        score = _score(output, self._pattern)
        if score is None:
            message = _(
                "The command printed no score: {command}. Its last line must be a JSON object "
                'with "score", or --score-regex must match.'
            )
            raise ActlabError(message.format(command=shlex.join(words)))
        return (score, "") if math.isfinite(score) else (None, _("its score is not finite"))


def _end(process: "subprocess.Popen[str]") -> None:
    """End a command and all that it started."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        for _wait in range(20):
            if process.poll() is not None:
                break
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _score(output: str, pattern: re.Pattern[str] | None) -> float | None:
    """Return the score in what a command printed; NaN for one that is no number, None for none."""
    if pattern is not None:
        matches = list(pattern.finditer(output))
        return _number(matches[-1].group(pattern.groups)) if matches else None
    for line in reversed(output.splitlines()):
        try:
            found = json_format.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and "score" in found:
            return _number(found["score"])
    return None


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _line(run: "Run", score: float | None, failure: str) -> str:
    side, seed = run
    names = {"base": _("base"), "candidate": _("candidate")}
    shown = f"{score:.6g}" if score is not None else failure
    return _("seed {seed}, {side}: {shown}").format(seed=seed, side=names[side], shown=shown)


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
        "tied": _("tied"),
        "undecided": _("undecided"),
    }[decision]


def _sentences(result: "GateResult") -> list[str]:
    if result.reason == "unreliable":
        first = _("Worse: the candidate fails too often to be compared.")
    else:
        first = {
            "better": _("Better: the candidate is ahead of the baseline."),
            "worse": _("Worse: the candidate is behind the baseline."),
            "tied": _("Tied: the difference is smaller than the margin."),
            "undecided": _("Undecided: the runs neither separate the two nor show a tie."),
        }[result.decision]
    lines = [first]
    if result.difference is not None:
        low, high = (
            "–" if end is None else f"{end:+.4g}".replace("-", "−")
            for end in (result.low, result.high)
        )
        text = _(
            "Difference {difference} over {pairs} pairs (between {low} and {high}; above zero is "
            "better)."
        )
        difference = f"{result.difference:+.4g}".replace("-", "−")
        lines.append(text.format(difference=difference, pairs=result.pairs, low=low, high=high))
    text = _("Failed runs: baseline {base}, candidate {candidate}.")
    lines.append(text.format(base=result.failures["base"], candidate=result.failures["candidate"]))
    text = _("Candidate {tried} on these data; it was allowed to err in {alpha} of cases.")
    lines.append(text.format(tried=result.tried, alpha=f"{100 * result.alpha:.2g} %"))
    return lines
