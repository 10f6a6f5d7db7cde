"""The cases of the fault drill: each brings a fault about and returns the last exit code.

A case gets a study in an empty folder and a seeded generator. Where a case returns, the study has
been brought to its end as a user would: by `actlab study resume`, once, or after the cure that the
error named.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from drill_networks import GROUP
from drill_study import PLAN, WORK, Command, Study, records, without_times

Case = Callable[[Study, random.Random], int]
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
NETWORKS = Path(__file__).with_name("drill_networks.py")
ALONE = PLAN.replace("workers = 2", "workers = 1")
OWN_PLAN = ALONE.replace("trial_timeout = 60.0", "trial_timeout = 15.0").replace(
    "trials = 8\nreplicates = 2", "trials = 4\nreplicates = 0"
)
FILES = (
    *("plan.toml", "records.jsonl", "study.db", "trials.csv", "replicates.csv"),
    *("environment.json", "final.json", "findings.json", "best_model.pt", "best_model.json"),
    *("confirm_test.json", "costs.json", "verdict.json", "report.html"),
)


class SkippedError(Exception):
    """A case that this machine cannot have."""


@dataclass(frozen=True)
class Planned:
    """A case, how many faults it brings about, and whose results it must end with."""

    name: str
    kind: str
    case: Case
    faults: int = 1
    like: str = "study"
    quick: bool = False
    plan: str = PLAN
    whole: bool = False


def killed(who: str, kills: int, *, fresh: bool = False) -> Case:
    """Return a case in which processes are killed at random moments, `kills` times."""

    def case(study: Study, chance: random.Random) -> int:
        for _kill in range(kills):
            command = study.start(fresh=fresh)
            study.wait_for(command, len(study.seen) + chance.choice([0, 1, 1, 2]))
            time.sleep(chance.uniform(0, 1.0 if study.seen or not fresh else 4.0))
            if who == "all":
                for pid in study.processes():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            command.send(signal.SIGKILL)
            study.ended(command)
        return study.finished()

    return case


def killed_workers(kills: int) -> Case:
    """Return a case in which one worker after another is killed, no training three times."""

    def case(study: Study, chance: random.Random) -> int:
        command = study.start()
        killed_ones: set[int] = set()
        while command.is_running() and len(killed_ones) < kills:
            before = len(records(study.folder))
            workers = [pid for pid in study.workers() if pid not in killed_ones]
            if workers:
                chosen = chance.choice(workers)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chosen, signal.SIGKILL)
                    killed_ones.add(chosen)
                study.wait_for(command, before + 2)
            time.sleep(chance.uniform(0, 0.5))
        study.output += f"\nkilled {len(killed_ones)} workers"
        return study.ended(command) or study.finished()

    return case


def killed_in_a_write(kills: int) -> Case:
    """Return a case in which the driver dies within its own writes: before, half-way, after."""

    def case(study: Study, chance: random.Random) -> int:
        for _kill in range(kills):
            at, how = chance.randint(1, 9), chance.choice(["before", "half", "after"])
            study.ended(study.start(fault=lambda at=at, how=how: dies_in_write(at, how)))  # type: ignore[misc]  # the values of this round
        return study.finished()

    return case


def dies_in_write(at: int, how: str) -> None:
    """Have this process kill itself in the `at`-th of its writes (fsync) and renames."""
    left = [at]
    fsync, rename = os.fsync, Path.replace

    def is_now() -> bool:
        left[0] -= 1
        return left[0] == 0

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def dying_fsync(descriptor: int) -> None:
        if not is_now():
            return fsync(descriptor)
        size = os.fstat(descriptor).st_size
        if how == "half":
            os.ftruncate(descriptor, size - min(size // 2, 500))
        if how == "after":
            fsync(descriptor)
        return die()

    def dying_rename(path: Path, target: Path) -> Path:
        if not is_now():
            return rename(path, target)
        if how == "after":
            rename(path, target)
        die()
        return path

    os.fsync = dying_fsync  # type: ignore[assignment]
    Path.replace = dying_rename  # type: ignore[assignment, method-assign]


def signalled(number: signal.Signals, times: int, records_before: int) -> Case:
    """Return a case in which a driver, in an interpreter of its own, gets signals.

    Before its first line of code a process can only die by the signal: then nothing has begun.
    """

    def case(study: Study, chance: random.Random) -> int:
        command = study.start(fresh=True)
        study.wait_for(command, records_before)
        time.sleep(chance.uniform(0, 1))
        for _time in range(times):
            command.send(number)
            time.sleep(0.3)
        code = study.ended(command)
        begun = (study.folder / "plan.toml").exists()
        if code not in (130, 0) and (begun or code != -number):
            study.faults.append(f"exit code {code} after {number.name}")
        if code == 130 and begun and "actlab study resume" not in study.output:
            study.faults.append("it did not say how to go on")
        return study.finished()

    return case


def signalled_while_starting(number: signal.Signals) -> Case:
    """Return a case in which the signal comes in the first seconds, before there is a folder.

    Before its first line of code a process can only die by the signal: then nothing has begun.
    """

    def case(study: Study, chance: random.Random) -> int:
        for _time in range(5):
            command = study.start(fresh=True)
            time.sleep(chance.uniform(0.05, 3.0))
            command.send(number)
            code = study.ended(command)
            begun = (study.folder / "plan.toml").exists()
            study.output += f"\nbegun: {begun}"
            if code not in (130, 0) and (begun or code != -number):
                study.faults.append(f"exit code {code} after {number.name}")
        return study.finished()

    return case


def stopped_worker(study: Study, _chance: random.Random) -> int:
    command = study.start()
    study.wait_for(command, 1)
    for pid in study.workers()[-1:]:
        os.kill(pid, signal.SIGSTOP)
    return study.ended(command)


def stopped_and_continued(study: Study, _chance: random.Random) -> int:
    """Stop everything for longer than a worker may be silent, as Ctrl-Z does, and go on."""
    command = study.start()
    study.wait_for(command, 1)
    everybody = [command.pid, *study.processes()]
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for pid in everybody:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if number == signal.SIGSTOP:
            time.sleep(40)
    return study.ended(command)


def second_process(study: Study, _chance: random.Random) -> int:
    command = study.start()
    while not (study.folder / "plan.toml").exists() and command.is_running():
        time.sleep(0.01)
    for _other in range(3):
        if study.ended(study.start()) != 2:
            study.faults.append("a second process was not refused")
    confirm = study.command("study", "confirm", str(study.folder), "--seeds", "9")
    if study.ended(confirm) != 2:
        study.faults.append("a second process was not refused")
    for order in (["study", "show"], ["study", "verify"]):
        reading = study.command(*order, str(study.folder))
        if study.ended(reading) not in (0, 2):
            study.faults.append(f"{order} cannot read while another process writes")
    return study.ended(command)


def locked_database(study: Study, _chance: random.Random) -> int:
    command = study.start()
    study.wait_for(command, 1)
    connection = sqlite3.connect(study.folder / "study.db")
    connection.execute("BEGIN EXCLUSIVE")
    code = study.ended(command)
    connection.close()
    return code or study.finished()


def removed(study: Study, _chance: random.Random) -> int:
    """Remove the folder while it runs: nothing can be kept, but it must end in words."""
    command = study.start()
    study.wait_for(command, 2)
    shutil.rmtree(study.folder, ignore_errors=True)
    if study.ended(command) not in (0, 2):
        study.faults.append("a removed folder did not end in words")
    shutil.rmtree(study.folder, ignore_errors=True)
    study.seen, study.lost = {}, 0
    return study.finished()


def disk_full(kilobytes: int) -> Case:
    """Return a case on a file system of its own that is too small, and then is not."""

    def case(study: Study, _chance: random.Random) -> int:
        options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(study.folder)]
        if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
            raise SkippedError("no file system can be mounted here")
        try:
            code = study.ended(study.start())
            if code not in (0, 2):
                study.faults.append(f"exit code {code} on a full disk")
            kept = study.folder.parent / "kept"
            shutil.copytree(study.folder, kept)
        finally:
            subprocess.run(["umount", "-l", str(study.folder)], check=True)
        shutil.copytree(kept, study.folder, dirs_exist_ok=True)
        shutil.rmtree(kept)
        return study.finished()

    return case


def clock_moved_back(study: Study, _chance: random.Random) -> int:
    """Go on three years earlier than the study began."""
    if not FAKETIME.exists():
        raise SkippedError("libfaketime is not installed")
    command = study.start()
    study.wait_for(command, 3)
    command.send(signal.SIGKILL)
    study.ended(command)
    earlier = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "-3y", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return study.ended(study.start(fresh=True, **earlier))


def own_network(name: str, told: str | None = None) -> Case:
    """Return a case in which the user's own network goes wrong once.

    A worker that is lost is a fault of the machine: its training runs again, and all is equal to an
    undisturbed study. What the network itself does wrong is a trial that failed, `told` in its
    reason, and only the others are equal.
    """

    def case(study: Study, _chance: random.Random) -> int:
        if name == "is_killed_for_memory":
            _make_group()
        flag = study.folder.parent / "flag"
        study.options = ["--network", f"{NETWORKS}:network", "--json"]
        code = study.ended(study.start(DRILL_FLAG=str(flag), DRILL_FAULT=name))
        if not flag.exists():
            study.faults.append("the fault did not happen")
        answer = study.output.partition("\n{")[2].rpartition("}")[0]
        if code == 0 and "a word on standard output" in answer:
            study.faults.append("the network's output is in the JSON document")
        if told is not None:
            first, *others = map(without_times, records(study.folder))
            whole = [without_times(row) for row in records(WORK / "own" / "run")]
            if first["outcome"] != "failed" or told not in first["reason"]:
                study.faults.append(f"trial 0 is {first['outcome']}: {first['reason']}")
            if others != whole[1:]:
                study.faults.append("the other trials are not those of an undisturbed study")
        return code

    return case


def _make_group() -> None:
    try:
        GROUP.mkdir(exist_ok=True)
        (GROUP / "memory.limit_in_bytes").write_text(str(2**30))
    except OSError:
        raise SkippedError("no control group can be made here") from None


def damaged(name: str, how: str, *, finished: bool) -> Case:
    """Return a case in which one file is damaged; what an error names as the cure is tried."""

    def case(study: Study, chance: random.Random) -> int:
        shutil.rmtree(study.folder)
        shutil.copytree(WORK / "study" / "run", study.folder)
        if not finished:
            _cut_back(study.folder)
        study.look()
        path = study.folder / name
        content = path.read_bytes()
        _damage(path, how, chance)
        if name == "records.jsonl":
            study.seen = {}  # the one file whose loss is a loss
        told = study.ended(study.command("study", "show", str(study.folder)))
        if told not in (0, 2):
            study.faults.append(f"show: exit code {told}")
        code = study.finished() if path.exists() or name != "plan.toml" else 2
        if code == 2:
            if name not in study.output:
                study.faults.append("the refusal does not name the file")
            if name == "plan.toml":
                path.write_bytes(content)
            elif name == "records.jsonl":
                _without_bad_lines(path)
            else:
                path.unlink(missing_ok=True)
            study.look()
            code = study.finished()
        return code

    return case


def _cut_back(folder: Path) -> None:
    """Take a finished folder back to five of its records."""
    lines = (folder / "records.jsonl").read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["stage"] == "search"][:5]
    for path in folder.iterdir():
        if path.name not in ("plan.toml", "environment.json", "costs.json", "findings.json"):
            path.unlink()
    (folder / "records.jsonl").write_bytes(b"".join(kept))


def _damage(path: Path, how: str, chance: random.Random) -> None:
    content = path.read_bytes()
    if how == "deleted":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "half":
        path.write_bytes(content[: len(content) // 2])
    elif how == "edited":
        path.write_bytes(b'{"x": 1}\n' + content)
    else:
        path.write_bytes(chance.randbytes(len(content)))


def _without_bad_lines(path: Path) -> None:
    """Remove the lines that are no records, as the error says."""
    kept = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        with contextlib.suppress(ValueError):
            if "stage" in json.loads(line):
                kept.append(line + b"\n")
    path.write_bytes(b"".join(kept))


def write_tasks_plan(study: Study) -> None:
    """Put the plan of a small run of tasks into the folder of a study."""
    from actlab.records import SplitSizes
    from actlab.studies.plan.file import write_plan
    from actlab.studies.tasks.settings import tasks_plan

    plan = tasks_plan(("binary",), ("corrected",), 2, "digits", None, 2)
    small = replace(
        plan,
        data=replace(plan.data, splits=SplitSizes(64, 32, 0, 32)),
        protocol=replace(plan.protocol, patience=1, max_epochs=2),
        execution=replace(plan.execution, device="cpu", precision="fp32"),
    )
    (study.folder / "plan.toml").write_text(write_plan(small))


def killed_tasks(who: str, kills: int) -> Case:
    def case(study: Study, chance: random.Random) -> int:
        write_tasks_plan(study)
        return killed(who, kills)(study, chance)

    return case


SCORE = (
    "import sys, time, json, random; time.sleep(0.15); seed, mean = int(sys.argv[1]), "
    "float(sys.argv[2]); print(json.dumps({'score': mean + random.Random(seed).gauss(0, 0.2)"
    " + random.Random(f'{seed} {mean}').gauss(0, 0.05)}))"
)


def gate(study: Study, *extra: str) -> Command:
    """Start a gate on two commands with its ledger in the folder."""
    base, candidate = (f'{sys.executable} -c "{SCORE}" {{seed}} {mean}' for mean in (0.5, 0.53))
    order = ["gate", "--base", base, "--candidate", candidate, "--max-seeds", "12"]
    ledger = str(study.folder / "ledger.jsonl")
    return study.command(*order, "--workers", "2", "--ledger", ledger, "--json", *extra)


def killed_gate(kills: int) -> Case:
    """Return a case of `actlab gate`: each run is in its ledger once, and the decision the same."""

    def case(study: Study, chance: random.Random) -> int:
        whole = Study("gate_reference")
        whole.ended(gate(whole))
        ledger, runs = study.folder / "ledger.jsonl", set[str]()
        for _kill in range(kills):
            command = gate(study)
            time.sleep(chance.uniform(0.1, 1.2))
            command.send(signal.SIGKILL)
            study.ended(command)
            runs = _compare_runs(study, ledger, runs)
        study.ended(gate(study))
        _compare_runs(study, ledger, runs)
        if _decision(study.output) != _decision(whole.output):
            study.faults.append("another decision than that of an undisturbed gate")
        return 0

    return case


def _compare_runs(study: Study, ledger: Path, before: set[str]) -> set[str]:
    lines = ledger.read_text().split("\n")[:-1] if ledger.exists() else []
    runs = [line for line in lines if '"seed"' in line]
    study.lost += len(before - set(runs))
    study.doubled += len(runs) - len(set(runs))
    return set(runs)


def _decision(output: str) -> Any:
    return json.loads(output[output.rindex("\n{") :])


def cases(kills: int) -> Iterator[Planned]:
    """Yield every case; a hundred kills are spread over all that can be killed."""
    share = kills / 100
    for kind, make, chains, each in (
        ("kill -9 of the driver", lambda n: killed("driver", n), 4, 6),
        ("kill -9 of driver and workers", lambda n: killed("all", n), 3, 5),
        ("kill -9 of workers", killed_workers, 3, 5),
        ("kill -9 within a write or a rename", killed_in_a_write, 4, 5),
    ):
        for place in range(round(chains * share)):
            yield Planned(
                f"{kind} {place}",
                kind,
                make(each),
                each,
                quick=place == 1,
                plan=ALONE if place % 2 else PLAN,
                whole=place == 0,
            )
    case = killed("driver", 6, fresh=True)
    yield Planned("kill -9 while starting", "kill -9 of the driver", case, 6, plan=ALONE)
    for who in ("driver", "all"):
        case = killed_tasks(who, 5)
        yield Planned(f"tasks {who}", "kill -9 of a run of tasks", case, 5, like="tasks")
    case = killed_gate(10)
    yield Planned("gate", "kill -9 of a gate", case, 10, like="nothing", quick=True)
    for number, times in (("SIGTERM", 1), ("SIGHUP", 1), ("SIGINT", 1), ("SIGINT", 2)):
        for before in (0, 2, 9):
            kind = number if times == 1 else f"{number} twice"
            case = signalled(signal.Signals[number], times, before)
            quick = before == 2 and times == 2
            name = f"{kind} after {before} records"
            yield Planned(name, kind, case, times, quick=quick, plan=ALONE if before else PLAN)
        if times == 1:
            case = signalled_while_starting(signal.Signals[number])
            name = f"{number} while starting"
            yield Planned(name, f"{number} in the first 3 s", case, 5, plan=ALONE)
    yield Planned("stopped worker", "a worker that is stopped (SIGSTOP)", stopped_worker)
    yield Planned("all stopped", "everything stopped for 40 s, then on", stopped_and_continued)
    case = second_process
    yield Planned("second", "other processes on a running folder", case, 6, quick=True)
    yield Planned("locked", "study.db locked by another program", locked_database)
    yield Planned("removed", "the folder removed while it runs", removed)
    for size in (8, 60, 150, 400, 1500):
        yield Planned(f"disk of {size} KB", "a disk that is too small", disk_full(size))
    yield Planned("clock", "the clock three years back", clock_moved_back)
    for name, kind in (
        ("crashes", "a segmentation fault in the user's model"),
        ("hangs", "a user's model that hangs"),
        ("holds_the_interpreter", "a user's model that hangs in native code"),
        ("is_killed_for_memory", "a worker killed for its memory by the kernel"),
        ("talks_and_starts_things", "output, threads, processes, a fork of the user's model"),
    ):
        yield Planned(name, kind, own_network(name), like="own", plan=OWN_PLAN)
    for name, told in (("exits", "exit code 7"), ("starves", "MemoryError")):
        kind = "os._exit in the user's model" if name == "exits" else f"{told} in the user's model"
        case = own_network(name, told)
        yield Planned(name, kind, case, like="nothing", plan=OWN_PLAN)
    for name in FILES:
        for how in ("deleted", "empty", "half", "random bytes", "edited"):
            case = damaged(name, how, finished=True)
            quick = name in ("records.jsonl", "final.json") and how == "half"
            yield Planned(f"{name} {how}", f"a file of the folder: {how}", case, quick=quick)
    for name in ("plan.toml", "records.jsonl", "environment.json"):
        for how in ("deleted", "empty", "half", "random bytes", "edited"):
            case = damaged(name, how, finished=False)
            kind = f"a file of an unfinished study: {how}"
            yield Planned(f"unfinished {name} {how}", kind, case)
