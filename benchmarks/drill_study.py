"""One study of the fault drill: its folder, the commands on it, and what was seen in it.

Commands run in copies of this process that are forked after actlab is imported, so that a drill is
not mostly imports; `fresh` starts an interpreter of its own instead, for faults in the first
seconds. A copy can be given a fault that it brings about itself, such as to die in a write.
"""

import contextlib
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "drill"
ACTLAB = [sys.executable, "-m", "actlab"]
LIMIT = 600.0
"""Seconds after which a command hangs."""

PLAN = """
name = "drill"
trials = 8
replicates = 2
seed = 5

[data]
name = "digits"
splits = { train = 64, valid_epoch = 32, valid_trial = 32, test = 32 }

[network]
name = "small_cnn"

[space]
conv_activation = ["relu", "tanh"]
fc_activation = ["relu", "silu"]
learning_rate = { low = 0.001, high = 0.01 }

[protocol]
patience = 1
max_epochs = 2

[sampler]
name = "balanced"

[execution]
device = "cpu"
precision = "fp32"
workers = 2
trial_timeout = 60.0
"""


class Command:
    """One command under way: its process, and what it says."""

    def __init__(self, pid: int, output: Path) -> None:
        self.pid = pid
        self._output = output
        self._code: int | None = None

    def is_running(self) -> bool:
        """Return whether the process has not ended."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code is None

    def send(self, number: int) -> None:
        """Send a signal to the process, if it has not ended."""
        if self.is_running():
            os.kill(self.pid, number)

    def ended(self, limit: float = LIMIT) -> tuple[int, str]:
        """Wait for the end; return exit code and output, which ends in HANGS where it hung."""
        until = time.monotonic() + limit
        hangs = False
        while self.is_running():
            if time.monotonic() > until and not hangs:
                hangs = True
                os.killpg(self.pid, signal.SIGKILL)
            time.sleep(0.02)
        assert self._code is not None
        said = self._output.read_text(errors="replace")
        self._output.unlink()
        return self._code, said + ("\nHANGS" if hangs else "")


class Study:
    """One run folder, what was seen in it, and the processes that were started for it."""

    def __init__(self, name: str, plan: str = PLAN, given: Iterable[Path] = ()) -> None:
        self.folder = WORK / name / "run"
        shutil.rmtree(self.folder.parent, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.plan = self.folder.parent / "drill.toml"
        self.plan.write_text(plan)
        for path in given:  # what every study would measure again, such as costs.json
            shutil.copy(path, self.folder)
        self.mark = uuid.uuid4().hex
        self.options: list[str] = []
        self.seen: dict[str, str] = {}
        self.lost = 0
        self.doubled = 0
        self.output = ""
        self.faults: list[str] = []
        self.commands: list[Command] = []

    def start(
        self, *, fresh: bool = False, fault: Callable[[], None] | None = None, **variables: str
    ) -> Command:
        """Start the study, or go on with it."""
        if (self.folder / "plan.toml").exists():
            order = ["study", "resume", str(self.folder)]
        else:
            order = ["study", "run", str(self.plan), "--out", str(self.folder)]
        return self.command(*order, *self.options, fresh=fresh, fault=fault, **variables)

    def command(
        self,
        *order: str,
        fresh: bool = False,
        fault: Callable[[], None] | None = None,
        **variables: str,
    ) -> Command:
        """Start a command of actlab, whose processes carry the mark of this study."""
        output = self.folder.parent / f"{uuid.uuid4().hex}.out"
        variables |= {"ACTLAB_DRILL": self.mark, "ACTLAB_LANG": "en"}
        if fresh:
            with output.open("wb") as stream:
                process = subprocess.Popen(
                    [*ACTLAB, *order],
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    env=os.environ | variables,
                    start_new_session=True,
                )
            process.returncode = 0  # it is waited for by its number
            pid = process.pid
        else:
            pid = os.fork()
            if pid == 0:
                _become(order, output, fault, variables)
        self.commands.append(Command(pid, output))
        return self.commands[-1]

    def ended(self, command: Command, limit: float = LIMIT) -> int:
        """Wait for a command, keep what it said, look at the records, return its exit code."""
        code, said = command.ended(limit)
        self.output += f"\n--- exit code {code}\n{said}"
        self.look()
        return code

    def look(self) -> None:
        """Compare the records with those that were seen before."""
        rows = records(self.folder)
        names = [key(row) for row in rows]
        self.doubled += len(names) - len(set(names))
        now = {key(row): json.dumps(without_times(row), sort_keys=True) for row in rows}
        self.lost += sum(now.get(name) != text for name, text in self.seen.items())
        self.seen = now

    def finished(self) -> int:
        """Go on to the end, and return the last exit code."""
        return self.ended(self.start())

    def processes(self) -> list[int]:
        """Return the running processes that carry the mark: workers and what they started."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if (
                    entry.name.isdigit()
                    and self.mark.encode() in (entry / "environ").read_bytes()
                    and (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
                ):
                    found.append(int(entry.name))
        return found

    def end_everything(self) -> None:
        """Kill whatever of the study is still running."""
        for command in self.commands:
            command.send(signal.SIGKILL)
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def workers(self) -> list[int]:
        """Return the running workers of the study."""
        return [pid for pid in self.processes() if b"spawn_main" in command_line(pid)]

    def wait_for(self, command: Command, count: int) -> None:
        """Wait until there are so many records, or the command has ended."""
        until = time.monotonic() + LIMIT
        while command.is_running() and time.monotonic() < until:
            if len(records(self.folder)) >= count:
                return
            time.sleep(0.02)

    def result(self, code: int, expected: dict[str, Any] | None) -> dict[str, Any]:
        """Return what is to be said of a case whose study has been brought to its end.

        `expected` are the results of an undisturbed study; None where none can be equal to them.
        """
        orphans = self._orphans()
        left = [path.name for path in self.folder.rglob(".*")]
        equal = expected is None or results(self.folder) == expected
        return {
            "survived": code == 0 and equal and not self.faults,
            "lost": self.lost,
            "doubled": self.doubled,
            "orphans": len(orphans),
            "left": left,
            "tracebacks": self.output.count("Traceback (most recent call last)"),
            "hangs": self.output.count("HANGS"),
            "code": code,
            "equal": equal,
            "faults_found": self.faults,
        }

    def _orphans(self) -> list[int]:
        until = time.monotonic() + 8
        while (left := self.processes()) and time.monotonic() < until:
            time.sleep(0.2)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return left


def _become(
    order: tuple[str, ...],
    output: Path,
    fault: Callable[[], None] | None,
    variables: dict[str, str],
) -> None:
    """Be the process of a command; never returns."""
    code = 99
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        gc.freeze()
        stream = os.open(output, os.O_WRONLY | os.O_CREAT)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (stream, 1), (stream, 2)):
            os.dup2(source, target)
        os.environ.update(variables)
        sys.argv = ["actlab", *order]
        if fault is not None:
            fault()
        from actlab.__main__ import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def command_line(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def records(folder: Path) -> list[dict[str, Any]]:
    """Return the whole lines of the records, in the order of their numbers."""
    path = folder / "records.jsonl"
    with contextlib.suppress(OSError):
        rows = []
        for line in path.read_bytes().split(b"\n")[:-1]:
            with contextlib.suppress(ValueError):
                rows.append(json.loads(line))
        rows = [row for row in rows if isinstance(row, dict) and "stage" in row]
        return sorted(rows, key=lambda row: (row["stage"] != "search", row["stage"], row["number"]))
    return []


def key(row: dict[str, Any]) -> str:
    return f"{row['stage']} {row['number']}"


def without_times(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name != "seconds"}
    kept["curve"] = [{k: v for k, v in e.items() if k != "seconds"} for e in row["curve"]]
    return kept


def results(folder: Path) -> dict[str, Any]:
    """Return all that a study says, without its times: records, test figures, the verdict."""
    found: dict[str, Any] = {"records": [without_times(row) for row in records(folder)]}
    for name in ("final.json", "confirm_test.json", "verdict.json"):
        path = folder / name
        found[name] = _without_costs(json.loads(path.read_text())) if path.exists() else None
    return found


def _without_costs(value: Any) -> Any:
    """Leave out what an activation costs: it is measured, and another number each time."""
    if isinstance(value, dict):
        return {k: _without_costs(v) for k, v in value.items() if "cost" not in k}
    return [_without_costs(item) for item in value] if isinstance(value, list) else value
