"""Workers that do not train: the accuracy follows from setting and seeds at once."""

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from actlab.records import (
    Confirmation,
    Environment,
    FinalFigure,
    NetworkSummary,
    Outcome,
    Plan,
    Record,
    Setting,
    Trial,
    failed_record,
)
from actlab.studies import worker
from actlab.studies.confirm.confirmation import ask_for, confirm
from actlab.studies.confirm.stopping import StoppingRule, never
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import run_search
from tests.studies.inline import Inline

DIVERGING_RATE = 0.009
"""A training with a higher learning rate than this diverges."""


class Watching:
    """An observer of everything that remembers how far the stages were."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int, int]] = []

    def on_records(self, records: tuple[Record, ...], planned: int) -> None:
        self.stages.append(("search", len(records), planned))

    def on_replicates(self, stage: str, done: int, planned: int) -> None:
        self.stages.append((stage, done, planned))


def accuracy_of(setting: Setting, seed: int) -> float:
    """Return an accuracy between 0.5 and 1 that is as good as random."""
    digest = hashlib.sha256(f"{setting}/{seed}".encode()).digest()
    return 0.5 + int.from_bytes(digest[:4], "big") / 2**33


def train(trial: Trial, _state: bytes | None, _until: int | None) -> tuple[bytes, Record]:
    """Stand in for `worker.train`."""
    diverged = trial.setting.learning_rate > DIVERGING_RATE
    record = replace(failed_record(trial, "the loss was not finite", "0"), outcome=Outcome.DIVERGED)
    if not diverged:
        accuracy = accuracy_of(trial.setting, trial.seeds.split)
        record = replace(record, outcome=Outcome.COMPLETED, reason=None, valid_accuracy=accuracy)
    return weights_of(trial), record


def weights_of(trial: Trial) -> bytes:
    """Return a file of weights that holds whose they are."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("identity"), trial.identity)
    return content.getvalue()


def test_accuracy(trial: Trial, weights: bytes) -> FinalFigure:
    """Stand in for `worker.test_accuracy`; holds that the weights are the trial's own."""
    assert weights == weights_of(trial)
    return FinalFigure(trial.number, trial.identity, 0.5, 10)


def prepare(_plan: Plan, command: str, started: str) -> Environment:
    """Stand in for `worker.prepare`."""
    return Environment(
        versions={},
        machine={},
        fingerprint="f" * 64,
        class_counts={"train": (1,) * 10},
        network=NetworkSummary((), 1, 1, 32),
        precision="fp32",
        device="cpu",
        command=command,
        started=started,
    )


def take_over(patch: pytest.MonkeyPatch) -> None:
    """Put the stand-ins where the drivers look for the worker's functions."""
    for function in (train, test_accuracy, prepare):
        patch.setattr(worker, function.__name__, function)


def searched(path: Path, plan: Plan) -> RunFolder:
    """Return the folder of a study whose search is done."""
    folder = RunFolder.create(path, plan)
    run_search(folder, "", Watching(), lambda _workers, _timeout: Inline())
    return folder


def confirmed(
    folder: RunFolder, seeds: int, rule: StoppingRule = never, executor: Inline | None = None
) -> Watching:
    """Confirm the study in `folder`, sequentially where there is a rule."""
    watching = Watching()
    ask_for(folder, Confirmation(seeds, rule is not never))
    used = executor or Inline()
    confirm(folder, "", watching, lambda _workers, _timeout: used, rule)
    return watching
