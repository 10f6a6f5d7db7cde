"""The fault drill: studies are killed, starved and damaged, and must be there in the morning.

Recipe: a small study (8 balanced trials on the digits, 2 replicates of the chosen settings) is run
once undisturbed; then again and again with a fault in it, and resumed to its end. After each fault
every record that was on the disk must still be there, unchanged and once; the finished study must
equal the undisturbed one; no process and no temporary file may be left; and nobody may be shown a
traceback. The results go to build/drill.jsonl, one line per case, so that a drill that is
interrupted goes on; then the table in docs/reliability.md is written from them.

    python benchmarks/drill.py [--kills 100] [--seed 1] [--quick] [--again]
"""

import argparse
import contextlib
import json
import os
import platform
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "drill"
RESULTS = ROOT / "build" / "drill.jsonl"
PAGE = ROOT / "docs" / "reliability.md"
ACTLAB = [sys.executable, "-m", "actlab"]
LIMIT = 900.0
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
"""
FILES = (
    "records.jsonl",
    "study.db",
    "trials.csv",
    "replicates.csv",
    "environment.json",
    "final.json",
    "findings.json",
    "best_model.pt",
    "best_model.json",
    "confirm_test.json",
    "costs.json",
    "verdict.json",
    "report.html",
)


class Study:
    """One run folder, what was seen in it, and the processes that were started for it."""

    def __init__(self, name: str) -> None:
        self.folder = WORK / name / "run"
        shutil.rmtree(self.folder.parent, ignore_errors=True)
        self.folder.parent.mkdir(parents=True)
        (self.folder.parent / "drill.toml").write_text(PLAN)
        self.mark = uuid.uuid4().hex
        self.seen: dict[str, str] = {}
        self.lost = 0
        self.doubled = 0
        self.output = ""

    def start(self) -> "subprocess.Popen[str]":
        """Start the study, or go on with it."""
        begun = (self.folder / "plan.toml").exists()
        plan = str(self.folder.parent / "drill.toml")
        order = ["resume", str(self.folder)] if begun else ["run", plan, "--out", str(self.folder)]
        return subprocess.Popen(
            [*ACTLAB, "study", *order],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"ACTLAB_DRILL": self.mark, "ACTLAB_LANG": "en"},
            start_new_session=True,
        )

    def ended(self, process: "subprocess.Popen[str]", limit: float = LIMIT) -> int:
        """Wait for a process, keep what it said, look at the records, return its exit code."""
        try:
            said, _error = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _error = process.communicate()
            said += "\nHANGS"
        self.output += said
        self.look()
        return process.returncode

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
        code = 1
        for _attempt in range(3):
            code = self.ended(self.start())
            if code == 0:
                break
        return code

    def result(self, code: int, reference: list[dict[str, Any]]) -> dict[str, Any]:
        """Return what is to be said of a case whose study has been brought to its end."""
        time.sleep(2)
        orphans = marked(self.mark)
        for pid in orphans:
            os.kill(pid, signal.SIGKILL)
        left = [p.name for p in self.folder.glob(".*")] if self.folder.exists() else []
        equal = [without_times(row) for row in records(self.folder)] == reference
        return {
            "survived": code == 0 and equal,
            "lost": self.lost,
            "doubled": self.doubled,
            "orphans": len(orphans),
            "left": left,
            "tracebacks": self.output.count("Traceback (most recent call last)"),
            "hangs": self.output.count("HANGS"),
            "code": code,
            "equal": equal,
        }


def records(folder: Path) -> list[dict[str, Any]]:
    """Return the whole lines of the records, in the order of their numbers."""
    path = folder / "records.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    rows = [json.loads(line) for line in lines if line.strip().startswith(b"{")]
    return sorted(rows, key=lambda row: (row["stage"] != "search", row["stage"], row["number"]))


def key(row: dict[str, Any]) -> str:
    return f"{row['stage']} {row['number']}"


def without_times(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name != "seconds"}
    kept["curve"] = [{k: v for k, v in e.items() if k != "seconds"} for e in row["curve"]]
    return kept


def marked(mark: str) -> list[int]:
    """Return the processes that carry a mark in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def wait_for(study: Study, process: "subprocess.Popen[str]", count: int) -> None:
    """Wait until there are so many records, or the process has ended."""
    until = time.monotonic() + LIMIT
    while process.poll() is None and time.monotonic() < until:
        if len(records(study.folder)) >= count:
            return
        time.sleep(0.05)


def killed(who: str, kills: int) -> Callable[[Study, random.Random], int]:
    """Return a case in which processes are killed at random moments, `kills` times."""

    def case(study: Study, chance: random.Random) -> int:
        for _kill in range(kills):
            process = study.start()
            wait_for(study, process, len(study.seen) + chance.choice([0, 1, 1, 2]))
            time.sleep(chance.uniform(0, 1.5))
            children = [pid for pid in marked(study.mark) if pid != process.pid]
            if who == "worker" and children:
                os.kill(chance.choice(children), signal.SIGKILL)
            elif who == "all":
                for pid in (*children, process.pid):
                    _kill_quietly(pid)
            elif process.poll() is None:
                process.kill()
            if who == "worker":
                study.ended(process)
                break
            study.ended(process)
        return study.finished()

    return case


def _kill_quietly(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def signalled(number: signal.Signals, times: int = 1) -> Callable[[Study, random.Random], int]:
    """Return a case in which the driver gets a signal, or several, in the middle."""

    def case(study: Study, chance: random.Random) -> int:
        process = study.start()
        wait_for(study, process, chance.randint(0, 8))
        for _time in range(times):
            if process.poll() is None:
                process.send_signal(number)
                time.sleep(0.2)
        code = study.ended(process)
        if code not in (130, 0):
            study.output += f"\nTraceback (most recent call last): exit code {code}"
        return study.finished()

    return case


def damaged(name: str, how: str) -> Callable[[Study, random.Random], int]:
    """Return a case in which one file of a finished folder is damaged; what was told must hold."""

    def case(study: Study, chance: random.Random) -> int:
        study.finished()
        path = study.folder / name
        content = path.read_bytes() if path.exists() else b""
        if how == "deleted":
            path.unlink(missing_ok=True)
        elif how == "empty":
            path.write_bytes(b"")
        elif how == "half":
            path.write_bytes(content[: len(content) // 2])
        else:
            path.write_bytes(chance.randbytes(max(len(content), 100)))
        if name == "records.jsonl":
            study.seen = {}  # the one file whose loss is a loss
        for order in (["study", "show"], ["report"]):
            told = subprocess.run(
                [*ACTLAB, *order, str(study.folder)], capture_output=True, text=True, check=False
            )
            study.output += told.stdout + told.stderr
        code = study.ended(study.start())
        if code == 2:  # told in words which file it is: the cure that is named is tried
            path.unlink(missing_ok=True)
            code = study.finished()
        return code

    return case


def locked_database(study: Study, _chance: random.Random) -> int:
    process = study.start()
    wait_for(study, process, 1)
    connection = sqlite3.connect(study.folder / "study.db")
    connection.execute("BEGIN EXCLUSIVE")
    code = study.ended(process)
    connection.close()
    return code or study.finished()


def second_process(study: Study, _chance: random.Random) -> int:
    process = study.start()
    while not (study.folder / ".lock").exists() and process.poll() is None:
        time.sleep(0.05)
    others = [study.start() for _other in range(3)]
    for other in others:
        if study.ended(other) != 2:
            study.output += "\nTraceback (most recent call last): a second process went on"
    return study.ended(process)


def removed(study: Study, _chance: random.Random) -> int:
    """Remove the folder while it runs: nothing can be kept, but it must end in words."""
    process = study.start()
    wait_for(study, process, 2)
    shutil.rmtree(study.folder, ignore_errors=True)
    study.seen = {}
    study.ended(process)
    shutil.rmtree(study.folder, ignore_errors=True)
    study.seen = {}
    return study.finished()


def disk_full(kilobytes: int) -> Callable[[Study, random.Random], int]:
    """Return a case on a file system of its own that is too small, and then is not."""

    def case(study: Study, _chance: random.Random) -> int:
        study.folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(study.folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            raise SkippedError("no file system can be mounted here")
        try:
            study.ended(study.start())
            kept = {path.name: path.read_bytes() for path in study.folder.iterdir()}
        finally:
            subprocess.run(["umount", "-l", str(study.folder)], check=True)
        for name, content in kept.items():
            (study.folder / name).write_bytes(content)
        return study.finished()

    return case


class SkippedError(Exception):
    """A case that this machine cannot have."""


def cases(kills: int) -> Iterator[tuple[str, Callable[[Study, random.Random], int], int]]:
    """Yield name, case and number of faults of every case."""
    for place in range(kills // 20):
        yield f"kill -9 of the driver {place}", killed("driver", 7), 7
        yield f"kill -9 of everything {place}", killed("all", 7), 7
        for turn in range(6):
            yield f"kill -9 of a worker {place}.{turn}", killed("worker", 1), 1
    yield "SIGTERM", signalled(signal.SIGTERM), 1
    yield "SIGHUP", signalled(signal.SIGHUP), 1
    yield "SIGINT", signalled(signal.SIGINT), 1
    yield "SIGINT twice", signalled(signal.SIGINT, 2), 2
    yield "three more processes on the folder", second_process, 3
    yield "study.db locked by another program", locked_database, 1
    yield "the folder removed while running", removed, 1
    for size in (60, 150, 400):
        yield f"a disk of {size} KB", disk_full(size), 1
    for name in FILES:
        for how in ("deleted", "empty", "half", "random bytes"):
            yield f"{name}: {how}", damaged(name, how), 1


def kind(name: str) -> str:
    """Return the row of the table that a case belongs to."""
    name = re.sub(r" \d+(\.\d+)?$", "", name)
    if ": " in name:
        return f"a file of the folder: {name.split(': ')[1]}"
    return re.sub(r"a disk of .*", "a disk that is too small", name)


def table(rows: list[dict[str, Any]]) -> str:
    """Return the results as a table in Markdown."""
    columns: tuple[str, ...] = ("fault", "injected", "cases", "survived", "lost", "doubled")
    columns += ("processes left", "files left", "tracebacks", "hangs")
    lines = ["| " + " | ".join(columns) + " |", "|---|" + "--:|" * (len(columns) - 1)]
    for name in dict.fromkeys(kind(row["case"]) for row in rows):
        same = [row for row in rows if kind(row["case"]) == name]
        if all("skipped" in row for row in same):
            lines.append(f"| {name} | - | not run: {same[0]['skipped']} | | | | | | | |")
            continue
        same = [row for row in same if "skipped" not in row]
        sums = [
            sum(row["faults"] for row in same),
            len(same),
            sum(row["survived"] for row in same),
            *(sum(row[column] for row in same) for column in ("lost", "doubled", "orphans")),
            sum(len(row["left"]) for row in same),
            *(sum(row[column] for row in same) for column in ("tracebacks", "hangs")),
        ]
        lines.append(f"| {name} | " + " | ".join(map(str, sums)) + " |")
    return "\n".join(lines)


def write_page(rows: list[dict[str, Any]], seed: int) -> None:
    """Write the table of the drill into docs/reliability.md."""
    machine = f"{os.cpu_count()} cores, {processor()}"
    when = f"{datetime.now(UTC):%Y-%m-%d}"
    told = f"`make drill` (seed {seed}), {machine}, {when}; {len(rows)} cases."
    write_between("drill", f"{told}\n\n{table(rows)}")


def write_between(mark: str, content: str) -> None:
    """Replace what stands between two marks of docs/reliability.md."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, rest = PAGE.read_text().split(begin)
    _old, after = rest.split(end)
    PAGE.write_text(f"{before}{begin}\n{content}\n{end}{after}")


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a few cases, no page")
    parser.add_argument("--again", action="store_true", help="forget the cases that were run")
    given = parser.parse_args()
    if given.again:
        RESULTS.unlink(missing_ok=True)
    RESULTS.parent.mkdir(exist_ok=True)
    kept = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    done = [json.loads(line) for line in kept]
    whole = Study("reference")
    if whole.finished():
        sys.exit(f"the undisturbed study does not end:\n{whole.output}")
    reference = [without_times(row) for row in records(whole.folder)]
    planned = list(cases(given.kills))
    if given.quick:
        planned, done = [planned[0], planned[2], *planned[-6:]], []
    for name, case, faults in planned:
        if any(row["case"] == name for row in done):
            continue
        study = Study("case")
        row: dict[str, Any] = {"case": name, "faults": faults}
        try:
            row |= study.result(case(study, random.Random(f"{given.seed} {name}")), reference)
        except SkippedError as reason:
            row["skipped"] = str(reason)
        done.append(row)
        print(json.dumps(row), flush=True)
        if not given.quick:
            with RESULTS.open("a") as stream:
                stream.write(json.dumps(row) + "\n")
        if row.get("tracebacks") or not row.get("survived", True):
            (WORK / f"{re.sub('[^a-z0-9]+', '_', name)}.log").write_text(study.output)
    if not given.quick:
        write_page(done, given.seed)
    failed = [row for row in done if "skipped" not in row and not row["survived"]]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
