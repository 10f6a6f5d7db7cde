"""A confirmed study without its training: the records that one would have left in its folder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from actlab.records import (
    Confirmation,
    Environment,
    NetworkSummary,
    Outcome,
    Plan,
    Record,
    Setting,
    Space,
    TpeSampler,
    Trial,
    failed_record,
)
from actlab.studies.plan.file import read_plan
from actlab.studies.run_folder import RunFolder
from actlab.studies.trials import Replicate, replicate_trial, search_trial

Scores = Mapping[str, Sequence[float | None]]
"""Accuracies by activation, one per seed; None where training diverged."""


def confirmed(path: Path, scores: Scores, *, protocol: str = "corrected") -> RunFolder:
    """Make the folder of a study on the digits whose conv activations got these accuracies.

    The FC slot has one activation, so that each conv activation has one setting.
    """
    plan = _plan(tuple(scores), protocol)
    folder = RunFolder.create(path, plan)
    environment = _environment()
    folder.write_environment(environment)
    settings = [Setting(name, "relu", 0.001) for name in scores]
    searched = [
        _record(search_trial(plan, environment, number, setting), 0.9)
        for number, setting in enumerate(settings)
    ]
    for record in searched:
        folder.append(record)
    folder.write_confirmation(Confirmation(max(map(len, scores.values())), sequential=False))
    number = len(settings)
    for setting, row in zip(settings, scores.values(), strict=True):
        for seed, accuracy in enumerate(row):
            trial = replicate_trial(plan, environment, Replicate(number, setting, "confirm", seed))
            folder.append(_record(trial, accuracy))
            number += 1
    return folder


def _plan(names: tuple[str, ...], protocol: str) -> Plan:
    plan = read_plan("digits", {"trials": len(names), "replicates": 0, "protocol.name": protocol})
    space = Space(names, ("relu",), plan.space.learning_rate_low, plan.space.learning_rate_high)
    return replace(plan, space=space, sampler=TpeSampler())


def _environment() -> Environment:
    return Environment(
        versions={},
        machine={},
        fingerprint="sha256:digits",
        class_counts={"train": (80,) * 10},
        network=NetworkSummary((), 0, 0, 32),
        precision="fp32",
        device="cpu",
        command="actlab study run digits",
        started="2026-11-23T20:00:00+00:00",
    )


def _record(trial: Trial, accuracy: float | None) -> Record:
    record = replace(
        failed_record(trial, "the loss was not finite", "test"),
        outcome=Outcome.DIVERGED,
        epochs=3,
        best_epoch=2,
        seconds=1.0,
    )
    if accuracy is None:
        return record
    return replace(record, outcome=Outcome.COMPLETED, reason=None, valid_accuracy=accuracy)
