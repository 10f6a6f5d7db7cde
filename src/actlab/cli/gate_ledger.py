"""The ledger of a gate: runs and candidates, a line of JSON each, as they come."""

import fcntl
import hashlib
import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from actlab.errors import ActlabError
from actlab.files import parse_json
from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.verdicts.gate import GatePlan, Run


_MOST_CANDIDATES = 10**9


@dataclass(frozen=True)
class Outcome:
    """What came of a run: its score, or why there is none; `timed_out` is the limit it met."""

    score: float | None
    failure: str = ""
    timed_out: float | None = None


@dataclass(frozen=True)
class Asked:
    """What a gate was asked: both commands, how a score is read, how it decides, its limit."""

    base: str
    candidate: str
    plan: "GatePlan"
    pattern: str | None = None
    timeout: float | None = None

    def program(self, command: str) -> dict[str, Any]:
        """Return what makes two runs of one seed the same: words, files named in them, reading."""
        return {"command": command, "files": files_of(command), "score_regex": self.pattern}

    def line(self) -> dict[str, Any]:
        """Return what the ledger keeps of the question."""
        return {
            "base": self.program(self.base),
            "candidate": self.program(self.candidate),
            "plan": asdict(self.plan),
        }


def files_of(command: str) -> str:
    """Return a hash of the files that a command names: `train.py` in "python train.py".

    What these files import is not in it.
    """
    found = hashlib.sha256()
    for word in shlex.split(command):
        with suppress(OSError, ValueError):
            if Path(word).is_file():  # what is none may have no end
                with Path(word).open("rb") as stream:
                    found.update(hashlib.file_digest(stream, "sha256").digest())
    return found.hexdigest()[:16]


class Book:
    """What is kept of runs and candidates: in a ledger, or nowhere."""

    def __init__(
        self, file: IO[str] | None, lines: Sequence[Mapping[str, Any]], asked: Asked
    ) -> None:
        from actlab.verdicts.gate import alpha_of

        self._file = file
        question = asked.line()
        self._base = question["base"]
        numbers = [line["number"] for line in lines if "candidate" in line]
        decided = {line["number"] for line in lines if "decision" in line}
        again = [
            line["number"]
            for line in lines
            if {key: line.get(key) for key in question} == question
            and line["number"] not in decided
        ]
        self.number: int = again[-1] if again else max(numbers, default=0) + 1
        self.plan = asked.plan
        if file is not None:
            self.plan = replace(asked.plan, alpha=alpha_of(self.number, asked.plan.alpha))
        self._scores: dict[Run, float | None] = {
            ("base" if "run_of" in line else "candidate", line["seed"]): line["score"]
            for line in lines
            if "seed" in line
            and (line.get("run_of") == self._base or line.get("number") == self.number)
            and _holds(line, asked.timeout)
        }
        if not again:
            self.write({**question, "number": self.number, "alpha": self.plan.alpha})

    def known(self, run: "Run") -> bool:
        """Return whether a run is kept already."""
        return run in self._scores

    def score(self, run: "Run") -> float | None:
        """Return the score that is kept; None for a run that failed."""
        found = self._scores[run]
        return None if found is None else float(found)

    def keep(self, run: "Run", outcome: Outcome) -> None:
        """Keep a run: the baseline's for every candidate, the candidate's for this one."""
        side, seed = run
        self._scores[run] = outcome.score
        whose = {"run_of": self._base} if side == "base" else {"number": self.number}
        self.write({**whose, "seed": seed, **asdict(outcome)})

    def write(self, line: Mapping[str, Any]) -> None:
        """Write a line, so that it is there after a kill."""
        if self._file is None:
            return
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _holds(line: Mapping[str, Any], timeout: float | None) -> bool:
    """Return whether a run that is kept answers for this one: not if it would get more time."""
    limit = line.get("timed_out")
    return limit is None or (timeout is not None and timeout <= limit)


@contextmanager
def opened(path: Path | None, asked: Asked) -> Iterator[Book]:
    """Open the ledger for one gate alone; without a path nothing is written."""
    if path is None:
        yield Book(None, (), asked)
        return
    try:
        file = path.open("a+", encoding="utf-8")
    except (OSError, ValueError) as error:
        message = _("The ledger {path} cannot be written: {reason}.")
        reason = getattr(error, "strerror", None) or str(error)
        raise ActlabError(message.format(path=path, reason=reason)) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            message = _("Another gate uses the ledger {path}; wait for it to end.")
            raise ActlabError(message.format(path=path)) from None
        yield Book(file, _lines(file, path), asked)


def _lines(file: IO[str], path: Path) -> list[dict[str, Any]]:
    """Return the lines of a ledger; a last one that a kill cut short is taken away."""
    file.seek(0)
    try:
        text = file.read()
    except UnicodeDecodeError:
        raise ActlabError(_not_ours(1, path)) from None
    whole, cut = text[: text.rfind("\n") + 1], text[text.rfind("\n") + 1 :]
    found = []
    for number, line in enumerate(whole.split("\n")[:-1], start=1):
        try:
            entry = parse_json(line)
        except ValueError:
            entry = None
        if not (isinstance(entry, dict) and _is_whole(entry)):
            raise ActlabError(_not_ours(number, path))
        found.append(entry)
    if cut and not (found or cut.startswith("{")):
        raise ActlabError(_not_ours(1, path))
    if cut:
        file.truncate(len(whole.encode()))
    file.seek(0, os.SEEK_END)
    return found


def _is_whole(entry: Mapping[str, Any]) -> bool:
    """Return whether a line is one of a gate's: a run, a question or a decision."""
    number, is_run = entry.get("number"), "seed" in entry
    is_numbered = isinstance(number, int) and 1 <= number < _MOST_CANDIDATES
    if "candidate" in entry or "decision" in entry:
        return is_numbered and not is_run
    return (
        isinstance(entry.get("seed"), int)
        and (is_numbered or "run_of" in entry)
        and "score" in entry
        and all(_is_number(entry.get(key)) for key in ("score", "timed_out"))
    )


def _is_number(value: object) -> bool:
    """Return whether this is a finite number, or None."""
    return value is None or (isinstance(value, int | float) and abs(value) <= sys.float_info.max)


def _not_ours(number: int, path: Path) -> str:
    message = _("Line {number} of the ledger {path} is not what actlab gate wrote.")
    return message.format(number=number, path=path)
