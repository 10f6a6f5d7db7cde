"""Whether one driver keeps many workers busy, and what 16,000 records cost.

Recipe: a planned search (the balanced plan) on 200 simulated workers, threads that sleep 2 s and
answer with a record as large as a real one. Reported is the share of their time that they slept,
from the first start to the last end, and the driver's own processor time per trial. Then a run
folder of 16,000 records, of a search over 20 x 20 pairs and of its confirmation on ten seeds:
seconds and peak memory of opening it, of `study show --json` and of the report, which both judge
it, each in a process of its own.

    python benchmarks/scale.py [--trials 2000] [--workers 200] [--seconds 2] [--records 16000]
        [--keep FOLDER]
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from actlab import activations
from actlab.records import Confirmation, Environment, NetworkSummary
from actlab.studies.confirm.replicates import Replicates
from actlab.studies.confirm.stopping import never
from actlab.studies.executors.dispatch import OneByOne
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import Search, write_projections
from actlab.studies.trials import replicate_trial
from bench import publish
from driver import AtOnce, Times, plan_of, record_of

CANDIDATES = 20
"""Per slot."""

SEEDS = 10

ENVIRONMENT = Environment(
    versions={},
    machine={},
    fingerprint="0" * 64,
    class_counts=dict.fromkeys(("train", "valid_epoch", "valid_trial", "test"), (200,) * 10),
    network=NetworkSummary((), 0, 0, 32),
    precision="fp32",
    device="cpu",
    command="",
    started="2026-11-29T00:00:00+00:00",
)


class Sleeping(Executor):
    """Workers that sleep for the length of a segment."""

    def __init__(self, workers: int, seconds: float) -> None:
        self._threads = ThreadPoolExecutor(workers)
        self._seconds = seconds

    def submit(self, _function: Any, /, *arguments: Any, **_named: Any) -> Future[Any]:
        """Sleep, and return the record of the trial."""
        return self._threads.submit(self._train, arguments[0])

    def _train(self, trial: Any) -> Any:
        time.sleep(self._seconds)
        return b"weights", record_of(trial)


def busy(trials: int, workers: int, seconds: float) -> dict[str, float]:
    """Return the share of time that workers were busy while all had something to do."""
    times = Times()
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder.create(Path(place) / "run", plan_of("planned", trials))
        dispatch = OneByOne(Sleeping(workers, seconds), workers)
        spent = time.process_time()
        Search(folder, ENVIRONMENT, dispatch, times).run()
        processor = time.process_time() - spent
    wall = times.at[-1] - times.at[0]
    return {
        "busy share": trials * seconds / workers / wall,
        "trials per second": trials / wall,
        "driver's processor ms per trial": 1e3 * processor / trials,
    }


def judged(place: Path, count: int) -> RunFolder:
    """Return a run folder of so many records: of a search, and of the confirmation after it."""
    names = tuple(activations.names())[:CANDIDATES]
    of_confirmation = 2 * CANDIDATES * (3 * 3 + SEEDS)
    plan = plan_of("planned", count - of_confirmation)
    space = replace(plan.space, conv_activation=names, fc_activation=names)
    folder = RunFolder.create(place, replace(plan, space=space))
    folder.write_environment(ENVIRONMENT)
    Search(folder, ENVIRONMENT, OneByOne(AtOnce(), 200), Times()).run()
    write_projections(folder)
    folder.write_confirmation(Confirmation(SEEDS))
    replicates = Replicates(folder, Confirmation(SEEDS), never)
    for _stage, missing in replicates.rounds():
        trials = [replicate_trial(folder.plan(), ENVIRONMENT, one) for one in missing]
        found = [record_of(trial) for trial in trials]
        folder.append(*found)
        for record in found:
            replicates.add(record)
    return folder


def records(count: int, keep: Path | None) -> dict[str, dict[str, float]]:
    """Return seconds and MB of the commands on a folder of so many records."""
    found = {}
    with tempfile.TemporaryDirectory() as place:
        path = keep or Path(place) / "run"
        folder = RunFolder.open(path) if path.exists() else judged(path, count)
        page = Path(place) / "page.html"
        run = ["-m", "actlab"]
        commands = {
            "open": ["-c", f"import actlab; actlab.open({str(folder.path)!r}).records"],
            "show": [*run, "study", "show", str(folder.path), "--json"],
            "verdict": [*run, "verdict", str(folder.path), "--json"],
            "report": [*run, "report", str(folder.path), "-o", str(page)],
        }
        for name, command in commands.items():
            before, started = children(), time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
            after = children()
            found[name] = {
                "seconds": time.perf_counter() - started,
                "processor seconds": after.ru_utime - before.ru_utime,
                "peak MB": after.ru_maxrss / 1024,
            }
        found["report"]["page MB"] = page.stat().st_size / 1e6
    return found


def children() -> resource.struct_rusage:
    return resource.getrusage(resource.RUSAGE_CHILDREN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--records", type=int, default=16_000)
    parser.add_argument("--keep", type=Path, help="keep the folder of records, or use it again")
    given = parser.parse_args()
    figures: dict[str, object] = {}
    if given.trials:
        name = f"{given.workers} workers of {given.seconds:g} s, {given.trials} trials"
        figures[name] = busy(given.trials, given.workers, given.seconds)
    if given.records:
        found = records(given.records, given.keep)
        figures |= {f"{name}, {given.records} records": row for name, row in found.items()}
    publish("one driver and many workers", figures)


if __name__ == "__main__":
    main()
