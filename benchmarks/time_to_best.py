"""Time until a search is within 0.1 points of the reference's best valid (trial) accuracy.

Recipe: the accuracy to reach is the best that `reference_study.py` recorded, less 0.1 points. Ours
are searches by the published plan with a pruner, two workers, one search per sampler seed, on the
reference's own split, initial weights and orders: another split has another best. The clock starts
before the workers do and stops when the first record at that accuracy is kept. On a GPU the trials
train as populations, without a pruner.

The reference's time is its epochs up to its first trial at that accuracy, times the seconds that an
epoch of the author's loop takes: measured before each of our searches, so that a machine that is
slow for an hour slows both. A search that does not get there within its trials counts as endless.

    python benchmarks/time_to_best.py [--seeds 1 2 3] [--pruner median] [--trials 120]
        [--device cpu] [--record build/reference_study.jsonl] [--quick]
"""

import argparse
import tempfile
import time
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import kept
import ours
import reference_study
from actlab.records import Environment, Plan, Record, Setting
from actlab.studies.executors.dispatch import Dispatch, OneByOne, Populations, worker_count
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.executors.session import established_environment, running
from actlab.studies.plan.file import read_plan
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import Search
from bench import publish
from reference_loop import in_own_process

SLACK = 0.001
USUAL = Setting("relu", "tanh", 0.002)
EPOCHS_TIMED = 3


class ReachedError(Exception):
    """The accuracy has been reached; the rest of the study is not needed."""


class Clock:
    """An observer that stops the study at an accuracy, and knows when and after how many trials."""

    def __init__(self, accuracy: float) -> None:
        self.accuracy, self.started = accuracy, time.perf_counter()
        self.trials, self.epochs, self.best = 0, 0, 0.0

    def on_records(self, records: tuple[Record, ...], planned: int) -> None:  # noqa: ARG002  the interface's
        """Stop the study where the best record is good enough."""
        self.trials, self.epochs = len(records), sum(record.epochs for record in records)
        self.best = max((record.valid_accuracy or 0.0 for record in records), default=0.0)
        if self.best >= self.accuracy:
            raise ReachedError


def search(plan: Plan, accuracy: float) -> dict[str, object]:
    """Search until the accuracy is reached, or to the end of the plan."""
    clock = Clock(accuracy)
    reached = False
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder.create(Path(place) / "run", plan)
        workers = worker_count(plan, plan.trials)
        try:
            with running(LocalProcesses(workers, plan.execution.trial_timeout)) as executor:
                environment = established_environment(folder, "benchmark", executor)
                dispatch = dispatch_of(plan, environment, executor)
                Search(folder, environment, dispatch, clock).run()
        except ReachedError:
            reached = True
        seconds = time.perf_counter() - clock.started
    return {
        "seconds": seconds if reached else float("inf"),
        "trials": clock.trials,
        "epochs": clock.epochs,
        "best": clock.best,
    }


def dispatch_of(plan: Plan, environment: Environment, executor: Executor) -> Dispatch:
    """Return how trials are trained, as in a study but with the reference's seed."""
    train = partial(ours.train_with_seed, reference_study.SEED)
    together = plan.together(environment.device)
    if together == 1:
        return OneByOne(executor, worker_count(plan, plan.trials), train)
    train_many = partial(ours.train_many_with_seed, reference_study.SEED)
    return Populations(executor, together, train, train_many)


def reference_epoch(directory: str) -> float:
    """Return the seconds that an epoch of the author's loop takes now."""
    figures = in_own_process(USUAL, reference_study.SEED, directory, EPOCHS_TIMED)
    return float(figures["seconds per epoch"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="../shared/mnist")
    parser.add_argument("--record", type=Path, default=reference_study.RECORD)
    parser.add_argument("--seeds", type=int, nargs="+", default=(1, 2, 3))
    parser.add_argument("--pruner", help="median without it; on a GPU none")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--trials", type=int, default=120)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    directory = str(Path(given.data_dir).resolve())
    pruner = given.pruner or ("none" if given.device == "cuda" else "median")
    recorded = kept.read(given.record, reference_study.Line)
    if not recorded and not given.quick:
        raise SystemExit("Nothing is recorded; run benchmarks/reference_study.py first.")
    accuracy = 0.1 if given.quick else max(line.valid_trial for line in recorded) - SLACK
    theirs = reference_study.epochs_to(recorded, accuracy)
    figures: dict[str, object] = {"accuracy to reach": accuracy}
    ratios, taken = [], []
    for seed in given.seeds[:1] if given.quick else given.seeds:
        overrides = {"data.directory": directory, "execution.device": given.device}
        plan = read_plan("published", {**overrides, "seed": seed, "pruner": {"name": pruner}})
        seconds = theirs * reference_epoch(directory)
        run = search(replace(plan, trials=given.trials), accuracy)
        taken.append(float(str(run["seconds"])))
        ratios.append(seconds / taken[-1])
        figures[f"seed {seed}"] = {**run, "reference's seconds": seconds, "ratio": ratios[-1]}
    figures |= {
        "the reference's trials": len(recorded),
        "its epochs to the accuracy": theirs,
        "median seconds": median(taken),
        "median ratio": median(ratios),
        "targets": "8 at least, 15 the aim",
    }
    publish(
        f"published study with the pruner {pruner} on {given.device}, until the accuracy", figures
    )


if __name__ == "__main__":
    main()
