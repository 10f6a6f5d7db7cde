"""Trainings of actlab's own, as its workers do them, for comparison with the reference."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from actlab import training
from actlab.records import Environment, Plan, Record, Seeds, Setting, Trial
from actlab.studies import worker
from actlab.studies.plan.file import read_plan
from actlab.studies.trials import search_trial
from actlab.training.fused import train_population


@dataclass(frozen=True)
class Trained:
    """A record and the test accuracy of its network."""

    record: Record
    test: float


def published_plan(directory: str, precision: str = "auto", device: str = "cpu") -> Plan:
    """Return the published study's plan."""
    overrides = {"data.directory": directory, "execution.precision": precision}
    return read_plan("published", overrides | {"execution.device": device})


def prepare(plan: Plan) -> Environment:
    """Return the environment; run it in a worker, since precision is chosen by measurement."""
    return worker.prepare(plan, "", "")


def trial_of(plan: Plan, environment: Environment, setting: Setting, seed: int) -> Trial:
    """Return the trial of a setting with one seed for split, weights and order."""
    trial = search_trial(plan, environment, 0, setting)
    return replace(trial, seeds=Seeds.of_search(seed))


def train(
    plan: Plan, environment: Environment, setting: Setting, seed: int, epochs: int | None
) -> Record:
    """Train a setting in this process."""
    return worker.train(trial_of(plan, environment, setting, seed), None, epochs)[1]


def train_with_seed(
    seed: int, trial: Trial, state: bytes | None = None, until_epoch: int | None = None
) -> tuple[bytes, Record]:
    """Train a search's trial with another seed for split, weights and order."""
    return worker.train(replace(trial, seeds=Seeds.of_search(seed)), state, until_epoch)


def train_many_with_seed(seed: int, trials: Sequence[Trial]) -> list[tuple[bytes, Record]]:
    """Train a search's trials with another seed, in lock-step where that is faster."""
    return worker.train_many([replace(trial, seeds=Seeds.of_search(seed)) for trial in trials])


def train_and_test(plan: Plan, environment: Environment, setting: Setting, seed: int) -> Trained:
    """Train a setting to its end and score it on the test split."""
    trial = trial_of(plan, environment, setting, seed)
    return tested(trial, *worker.train(trial, None, None))


def train_together_and_test(
    plan: Plan, environment: Environment, chosen: Sequence[tuple[int, Setting]]
) -> list[Trained]:
    """Train settings, each with its seed, in lock-step; score them."""
    trials = [trial_of(plan, environment, setting, seed) for seed, setting in chosen]
    outcomes = worker.train_many(trials, in_lockstep)
    return [tested(trial, *outcome) for trial, outcome in zip(trials, outcomes, strict=True)]


def in_lockstep(
    models: Sequence[nn.Module],
    data: Sequence[training.TrainingData],
    recipes: Sequence[training.Recipe],
    view: Callable[[nn.Module], nn.Module],
) -> list[training.Training]:
    """Train a population without asking whether it is the faster way."""
    return train_population([view(model) for model in models], data, recipes)


def tested(trial: Trial, weights: bytes, record: Record) -> Trained:
    """Score a trained trial on the test split."""
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
