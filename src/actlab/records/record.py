"""A record: what came out of a trial."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from actlab.records.figures import OutputFigures
from actlab.records.output import OutputLayer
from actlab.records.plan import FORMAT_VERSION, Precision
from actlab.records.probes import Probes
from actlab.records.protocol import Protocol
from actlab.records.trial import Seeds, Setting, Stage, Trial


class Outcome(StrEnum):
    """How a trial ended; every outcome stays in the tables and in the denominator.

    `paused` is between two segments of a training: it is never written to a run folder.
    """

    COMPLETED = "completed"
    DIVERGED = "diverged"
    PRUNED = "pruned"
    FAILED = "failed"
    PAUSED = "paused"


@dataclass(frozen=True)
class Epoch:
    """One epoch of a training: mean training loss, then loss and metric on valid_epoch.

    The metric is an accuracy; for a regression it is the mean squared error in the original units,
    which may be infinite.
    """

    # An infinite error is written as a text, since JSON has no number for it.
    __pydantic_config__: ClassVar[dict[str, str]] = {"ser_json_inf_nan": "strings"}

    train_loss: float | None
    valid_loss: float | None
    valid_accuracy: float | None
    seconds: float
    valid_mse: float | None = None
    valid_score: float | None = None

    @property
    def valid_metric(self) -> float:
        """Return the metric of the task, whichever it is.

        >>> Epoch(1.5, 1.4, 0.75, seconds=2.0).valid_metric
        0.75
        """
        known = (self.valid_accuracy, self.valid_mse, self.valid_score)
        return next(found for found in known if found is not None)


@dataclass(frozen=True)
class Record:
    """What came out of one trial.

    `epochs` counts those trained, `best_epoch` (from 1) is the one whose weights are the result
    (None where none was finished). `valid_accuracy` is on valid_trial, None unless the trial
    completed. `reason` is a sentence where the outcome is not `completed`. `probes` are of the
    network that was scored, None where it was not looked into. `avoided_split` is the seed of the
    split whose rows were avoided; a replicate without one shares rows with the search.

    In a run of tasks `output` is the output layer, `figures` what its network does on the test
    split, and the validation figure, on valid_epoch, is `valid_mse` where the task is regression.
    In a study by another metric than accuracy the figure is `valid_score`; `lower_is_better` says
    that it is an error.
    """

    # An infinite error is written as a text, since JSON has no number for it.
    __pydantic_config__: ClassVar[dict[str, str]] = {"ser_json_inf_nan": "strings"}

    identity: str
    number: int
    setting: Setting
    replicate: int | None
    seeds: Seeds
    protocol: Protocol
    precision: Precision
    fingerprint: str
    outcome: Outcome
    reason: str | None
    valid_accuracy: float | None
    epochs: int
    best_epoch: int | None
    curve: tuple[Epoch, ...]
    seconds: float
    code_version: str
    stage: Stage = "search"
    probes: Probes | None = None
    avoided_split: int | None = None
    output: OutputLayer | None = None
    valid_mse: float | None = None
    figures: OutputFigures | None = None
    valid_score: float | None = None
    lower_is_better: bool = False
    format_version: int = FORMAT_VERSION

    @property
    def valid_metric(self) -> float | None:
        """Return the metric of the task, whichever it is; None unless the trial completed."""
        if self.valid_accuracy is not None:
            return self.valid_accuracy
        return self.valid_score if self.valid_mse is None else self.valid_mse

    @property
    def score(self) -> float | None:
        """Return the metric such that the higher is the better; None unless the trial completed."""
        found = self.valid_metric
        return -found if found is not None and self.lower_is_better else found

    def __repr__(self) -> str:
        setting, metric = self.setting, self.valid_metric
        reached = "" if metric is None else f", {metric:.4f}"
        replicate = "" if self.replicate is None else f", replicate {self.replicate}"
        return (
            f"<Record {self.number}{replicate}: conv {setting.conv_activation}, "
            f"fc {setting.fc_activation}, learning rate {setting.learning_rate:.4g}, "
            f"{self.outcome.value} after {self.epochs} epochs{reached}>"
        )


def failed_record(trial: Trial, reason: str, code_version: str) -> Record:
    """Return the record of a trial of which nothing came: what was asked, and why it failed."""
    return Record(
        identity=trial.identity,
        number=trial.number,
        setting=trial.setting,
        replicate=trial.replicate,
        seeds=trial.seeds,
        protocol=trial.protocol,
        precision=trial.precision,
        fingerprint=trial.fingerprint,
        outcome=Outcome.FAILED,
        reason=reason,
        valid_accuracy=None,
        epochs=0,
        best_epoch=None,
        curve=(),
        seconds=0.0,
        code_version=code_version,
        stage=trial.stage,
        avoided_split=trial.avoided_split,
        output=trial.output,
        lower_is_better=not trial.training.measured.higher_is_better
        or (trial.output is not None and trial.output.task == "regression"),
    )


@dataclass(frozen=True)
class FinalFigure:
    """The test accuracy of one trial's model, read once, after the choice was made.

    In a study by another metric it is `test_score`.
    """

    number: int
    identity: str
    test_accuracy: float | None
    test_images: int
    test_score: float | None = None
    format_version: int = FORMAT_VERSION


def best_record(records: tuple[Record, ...]) -> Record | None:
    """Return the completed record with the best figure on valid_trial, the earliest of equals.

    >>> best_record(()) is None
    True
    """
    scored = ((record.score, record) for record in records)
    completed = [(score, record) for score, record in scored if score is not None]
    if not completed:
        return None
    return min(completed, key=lambda scored: (-scored[0], scored[1].number))[1]
