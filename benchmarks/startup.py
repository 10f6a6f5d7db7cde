"""How long the commands take to start, as whole processes, and a study until its first trial.

Recipe: whole processes in turn, after one round to warm up. The first trial of a search over the
digits is stamped where it begins to train, in its worker. Beside wall times, which want a quiet
machine, stand processor times: what the driving process used until it handed the first task to a
worker, and the worker until it trained; the two are one after the other.

    python benchmarks/startup.py [--rounds 9] [--quick]
"""

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from actlab.studies.executors.local import LocalProcesses
from bench import publish, spread

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import torch": ["-c", "import torch"],
    "import actlab": ["-c", "import actlab"],
    "actlab --help": ["-m", "actlab", "--help"],
    "actlab study run --help": ["-m", "actlab", "study", "run", "--help"],
}
STAMP = "first_trial.json"
FIRST = "first trial"


def stamped(place: Path, function: Callable[..., Any], *arguments: Any) -> Any:
    """Note when and after how much processor time this process begins to train, and do it."""
    if not (place / STAMP).exists():
        found = {"at": time.time(), "worker": time.process_time()}
        (place / STAMP).write_text(json.dumps(found))
    return function(*arguments)


class Stamping(LocalProcesses):
    """Workers whose first training is stamped; counts the driver's time until their first task."""

    place: Path
    driver: float | None = None

    def submit(
        self, function: Callable[..., Any], /, *arguments: Any, **named: Any
    ) -> "Future[Any]":
        """Run a task in a worker."""
        if Stamping.driver is None:
            Stamping.driver = time.process_time()
        if function.__name__ == "train":
            return super().submit(stamped, self.place, function, *arguments, **named)
        return super().submit(function, *arguments, **named)


def first_trial(place: Path) -> None:
    """Run a search of one trial in a folder, as the command line does; print what was stamped."""
    Stamping.place = place
    import actlab.cli.study.run  # noqa: F401  what the command line has loaded by then
    from actlab.cli.study.finish import finish
    from actlab.studies.plan.file import read_plan
    from actlab.studies.run_folder import RunFolder

    overrides = {"trials": 1, "replicates": 0, "protocol.max_epochs": 1, "execution.workers": 1}
    folder = RunFolder.create(place / "run", read_plan("digits", overrides))
    sys.stdout = sys.stderr
    finish(folder, Stamping, "en", as_json=False)
    found = json.loads((place / STAMP).read_text())
    print(json.dumps(found | {"driver": Stamping.driver}), file=sys.__stdout__)


def measured(arguments: list[str]) -> dict[str, float]:
    """Return wall and processor time of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "processor": used}


def measured_first_trial() -> dict[str, float]:
    """Return the time until the first trial trains: wall, and the processor time on its way."""
    with tempfile.TemporaryDirectory() as place:
        started = time.time()
        command = [sys.executable, __file__, "--first-trial", place]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(shown.splitlines()[-1])
    return {"wall": found["at"] - started, "processor": found["driver"] + found["worker"]}


def main() -> None:
    """Take the commands in turn, several rounds, after one to warm up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--first-trial", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    if given.first_trial is not None:
        # Not this __main__'s own: a worker must be able to import what it is given.
        importlib.import_module("startup").first_trial(given.first_trial)
        return
    rounds = [
        {name: measured(command) for name, command in COMMANDS.items()}
        | {FIRST: measured_first_trial()}
        for _ in range((1 if given.quick else given.rounds) + 1)
    ][1:]
    figures: dict[str, Any] = {
        f"{name}, {clock} s": spread([one[name][clock] for one in rounds])
        for name in (*COMMANDS, FIRST)
        for clock in ("wall", "processor")
    }
    figures |= {
        f"{FIRST} more than import torch, {clock} s": spread(
            [one[FIRST][clock] - one["import torch"][clock] for one in rounds]
        )
        for clock in ("wall", "processor")
    }
    publish(f"whole processes, {len(rounds)} rounds in turn after a warm-up", figures)


if __name__ == "__main__":
    main()
