"""The runs of a gate: a command with a seed, its time limit, its score, and all that it started."""

import math
import os
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from gettext import NullTranslations
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from actlab.cli.gate_ledger import Book, Outcome
from actlab.cli.output import say
from actlab.errors import ActlabError
from actlab.files import parse_json
from actlab.i18n import _, process_language, translation
from actlab.text import Formatter, significant

if TYPE_CHECKING:
    from actlab.verdicts.gate import Run

_PATIENCE = 2.0
"""Seconds for a run that is ended to end itself, and for its last output to arrive."""


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
        self._running: set[subprocess.Popen[bytes]] = set()

    def __call__(self, runs: Sequence["Run"]) -> dict["Run", float | None]:
        """Return the score of each (side, seed), None for one that failed."""
        with ThreadPoolExecutor(self._workers) as pool:
            futures = {
                pool.submit(self._run, run): run for run in runs if not self._book.known(run)
            }
            try:
                for future in as_completed(futures):
                    run, outcome = futures[future], future.result()
                    self._book.keep(run, outcome)
                    say(_line(run, outcome))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in tuple(self._running):
                    end_with_children(process)
                raise
        return {run: self._book.score(run) for run in runs}

    def _run(self, run: "Run") -> Outcome:
        side, seed = run
        words = [word.replace("{seed}", str(seed)) for word in shlex.split(self._commands[side])]
        ended = self._ended(words)
        if ended is None:
            limit = Formatter(_translations()).duration(self._timeout or 0.0)
            failure = _("took longer than {time}").format(time=limit)
            return Outcome(None, failure, timed_out=self._timeout)
        if ended.code != 0:
            last = (ended.errors.strip().splitlines() or [""])[-1]
            text = _("ended with code {code}: {line}")
            return Outcome(None, text.format(code=ended.code, line=last).removesuffix(": "))
        score = score_in(ended.output, self._pattern)
        if score is None:
            message = _(
                "The command printed no score: {command}. Its last line must be a JSON object "
                'with "score", or --score-regex must match.'
            )
            raise ActlabError(message.format(command=shlex.join(words)))
        if math.isfinite(score):
            return Outcome(score)
        return Outcome(None, _("its score is no finite number"))

    def _ended(self, words: Sequence[str]) -> "Ended | None":
        """Run a command and return how it ended; None where it took too long."""
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            message = _(
                "The command {command} cannot be run: {reason}. No shell reads it: write env A=1 "
                "for a variable, sh -c '...' for a pipe."
            )
            raise ActlabError(message.format(command=words[0], reason=reason)) from None
        self._running.add(process)
        output, errors = _Reader(process.stdout), _Reader(process.stderr)
        try:
            process.wait(self._timeout)
        except subprocess.TimeoutExpired:
            end_with_children(process)
            return None
        finally:
            self._running.discard(process)
        _end_group(process.pid)
        return Ended(process.returncode, output.text(), errors.text())


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and what it printed."""

    code: int
    output: str
    errors: str


class _Reader:
    """Reads a pipe beside the run: who waits for its end waits for whoever else holds it."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        self._parts: list[bytes] = []
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe: IO[bytes] | None) -> None:
        if pipe is None:
            return
        with pipe:
            for part in iter(lambda: os.read(pipe.fileno(), 1 << 16), b""):
                self._parts.append(part)

    def text(self) -> str:
        """Return what was read until the end of the pipe, or until patience ends."""
        self._thread.join(_PATIENCE)
        return b"".join(self._parts).decode(errors="replace")


def end_with_children(process: "subprocess.Popen[bytes]") -> None:
    """End a command and all that it started, in whatever group or session that is."""
    started = (*_descendants(process.pid), process.pid)
    _signal(started, signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal({*started, *_descendants(process.pid)}, signal.SIGKILL)
    _end_group(process.pid)
    process.wait()


def _signal(processes: Sequence[int] | set[int], number: signal.Signals) -> None:
    for one in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(one, number)


def _end_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _descendants(process: int) -> Iterator[int]:
    """Yield the processes that a process started, and theirs; none where there is no /proc."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            # "pid (name) state parent ...": a name may have blanks and parentheses in it.
            parent = int(status.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(status.parent.name))
    wave = [process]
    while wave:
        wave = [child for parent in wave for child in children.get(parent, ())]
        yield from wave


def score_in(output: str, pattern: re.Pattern[str] | None) -> float | None:
    """Return the score in what a command printed; NaN for one that is no number, None for none.

    >>> score_in('{"score": 1}\\n{"score": 0.5, "loss": 2}\\ndone', None)
    0.5
    >>> score_in("acc=0.1\\nacc=0.9", re.compile(r"acc=(\\S+)"))
    0.9
    """
    if pattern is not None:
        matches = list(pattern.finditer(output))
        return _number(matches[-1].group(pattern.groups)) if matches else None
    for line in reversed(output.splitlines()):
        try:
            found = parse_json(line)
        except ValueError:
            continue
        if isinstance(found, dict) and "score" in found:
            return _number(found["score"])
    return None


def _number(value: Any) -> float:
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _translations() -> NullTranslations:
    return translation(process_language())


def _line(run: "Run", outcome: Outcome) -> str:
    side, seed = run
    names = {"base": _("base"), "candidate": _("candidate")}
    shown = outcome.failure if outcome.score is None else significant(outcome.score, 6)
    return _("seed {seed}, {side}: {shown}").format(seed=seed, side=names[side], shown=shown)
