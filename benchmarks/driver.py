"""What the driver costs per trial: asking, recording, telling, and the files beside the records.

Recipe: whole searches of the published space with a worker that answers at once, in this process:
planned trials (the balanced plan, whose settings are all known before the first) and TPE, at 100,
1,000 and 10,000 trials. Reported are milliseconds per trial over a whole search, and over its last
tenth.

    python benchmarks/driver.py [--trials 100 1000] [--quick]
"""

import argparse
import hashlib
import tempfile
import time
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from actlab.records import Environment, Epoch, NetworkSummary, Outcome, Plan, Record, Trial
from actlab.studies import worker
from actlab.studies.executors.dispatch import OneByOne
from actlab.studies.plan.file import read_plan
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import Search, write_projections
from bench import publish

SIZES = (100, 1000, 10_000)
LARGEST = {"planned": 10_000, "tpe": 1000}
EPOCHS = 15


class AtOnce(Executor):
    """Answers every training at once with a record that is as large as a real one."""

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:  # noqa: ARG002  the interface's
        """Return the record of a trial, done."""
        assert function is worker.train, "a search submits trainings only"
        future: Future[Any] = Future()
        future.set_result((b"weights", record_of(arguments[0])))
        return future


class Times:
    """An observer that keeps the time of every record."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def on_records(self, records: tuple[Record, ...], planned: int) -> None:  # noqa: ARG002  the interface's
        """Note the time."""
        self.at.append(time.perf_counter())


def record_of(trial: Trial) -> Record:
    digest = hashlib.sha256(f"{trial.setting} {trial.replicate}".encode()).digest()
    accuracy = 0.9 + int.from_bytes(digest[:4], "big") / 2**32 / 12
    return Record(
        identity=trial.identity,
        number=trial.number,
        setting=trial.setting,
        replicate=trial.replicate,
        stage=trial.stage,
        avoided_split=trial.avoided_split,
        seeds=trial.seeds,
        protocol=trial.protocol,
        precision=trial.precision,
        fingerprint=trial.fingerprint,
        outcome=Outcome.COMPLETED,
        reason=None,
        valid_accuracy=accuracy,
        epochs=EPOCHS,
        best_epoch=EPOCHS - 5,
        curve=tuple(Epoch(0.1 / n, 0.2 / n, accuracy, 0.7) for n in range(1, EPOCHS + 1)),
        seconds=10.0,
        code_version="benchmark",
    )


def plan_of(stage: str, trials: int) -> Plan:
    plan = read_plan("balanced" if stage == "planned" else "published", {})
    return replace(plan, trials=trials)


def search(stage: str, trials: int) -> dict[str, float]:
    """Return milliseconds per trial of one search, whole and over its last tenth."""
    environment = Environment(
        versions={},
        machine={},
        fingerprint="0" * 64,
        class_counts={},
        network=NetworkSummary((), 0, 0, 32),
        precision="fp32",
        device="cpu",
        command="",
        started="",
    )
    times = Times()
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder.create(Path(place) / "run", plan_of(stage, trials))
        started, spent = time.perf_counter(), time.process_time()
        Search(folder, environment, OneByOne(AtOnce(), workers=2), times).run()
        write_projections(folder)
        wall = time.perf_counter() - started
        processor = time.process_time() - spent
    last = times.at[-max(trials // 10, 1) :]
    return {
        "wall ms": 1e3 * wall / trials,
        "processor ms": 1e3 * processor / trials,
        "wall ms, last tenth": 1e3 * (last[-1] - last[0]) / max(len(last) - 1, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=SIZES)
    parser.add_argument("--stage", choices=("planned", "tpe"), default=None)
    parser.add_argument("--all", action="store_true", help="TPE at 10,000 trials, too")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    figures: dict[str, object] = {}
    for stage in (given.stage,) if given.stage else ("planned", "tpe"):
        for trials in (64,) if given.quick else given.trials:
            if given.all or trials <= LARGEST[stage]:
                figures[f"{stage}, {trials} trials"] = search(stage, trials)
    figures["targets"] = "planned at 10,000: 20 ms; TPE at 1,000: 40 ms (aims 6 and 20)"
    publish("the driver alone: ask, record on disk, tell, by number of trials", figures)


if __name__ == "__main__":
    main()
