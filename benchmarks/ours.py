"""One training of actlab's own, as its workers do it, for comparison with the reference."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from actlab import worker
from actlab.records import Environment, Plan, Record, Seeds, Setting
from actlab.studies.plan_file import read_plan
from actlab.studies.trials import search_trial


@dataclass(frozen=True)
class Trained:
    """A record and the test accuracy of its network."""

    record: Record
    test: float


def published_plan(directory: str, precision: str = "auto") -> Plan:
    """Return the published study's plan, on the processor."""
    overrides = {"data.directory": directory, "execution.precision": precision}
    return read_plan("published", overrides | {"execution.device": "cpu"})


def prepare(plan: Plan) -> Environment:
    """Return the environment; run it in a worker, since precision is chosen by measurement."""
    return worker.prepare(plan, "", "")


def train(
    plan: Plan, environment: Environment, setting: Setting, seed: int, epochs: int | None
) -> Record:
    """Train a setting in this process with one seed for split, weights and order."""
    trial = search_trial(plan, environment, 0, setting)
    trial = replace(trial, seeds=Seeds.of_search(seed))
    return worker.train(trial, None, epochs)[1]


def train_and_test(plan: Plan, environment: Environment, setting: Setting, seed: int) -> Trained:
    """Train a setting to its end and score it on the test split."""
    trial = search_trial(plan, environment, 0, setting)
    trial = replace(trial, seeds=Seeds.of_search(seed))
    weights, record = worker.train(trial, None, None)
    test = worker.test_accuracy(trial, weights).test_accuracy if weights else float("nan")
    return Trained(record, test)


def memory() -> dict[str, float]:
    """Return this process's memory in MiB; run it in a worker."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines)
    kibibytes = {name: int(found[name].split()[0]) for name in ("VmRSS", "VmHWM")}
    return {
        "resident": kibibytes["VmRSS"] / 1024,
        "peak": kibibytes["VmHWM"] / 1024,
        "process": os.getpid(),
    }
