"""What the records of a run of tasks say of one output layer, and of two on the same seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from actlab.records import Outcome, OutputFigures, OutputLayer, ProtocolName, Record
from actlab.text import Formatter
from actlab.verdicts import Interval, student_t_interval

FEWEST_SEEDS = 2
CONFIDENCE = 0.9
"""Each end of an interval is then a one-sided test at 5 %."""

PUBLISHED_HIDDEN = "sigmoid"

Figures = Mapping[int, OutputFigures]


@dataclass(frozen=True)
class Runs:
    """The records of a run of tasks under one protocol; only completed trainings count."""

    records: tuple[Record, ...]
    protocol: ProtocolName

    def of(self, layer: OutputLayer, hidden: str = PUBLISHED_HIDDEN) -> dict[int, OutputFigures]:
        """Return the figures of an output layer behind a hidden activation, by replicate."""
        return {
            record.replicate: record.figures
            for record in self.records
            if record.output == layer
            and record.protocol.name == self.protocol
            and record.setting.fc_activation == hidden
            and record.outcome is Outcome.COMPLETED
            and record.figures is not None
            and record.replicate is not None
        }

    def missing(
        self, layers: Sequence[OutputLayer], hidden: str = PUBLISHED_HIDDEN
    ) -> list[OutputLayer]:
        """Return the layers that too few seeds have completed to be judged."""
        return [layer for layer in layers if len(self.of(layer, hidden)) < FEWEST_SEEDS]


def label(layer: OutputLayer) -> str:
    """Return head and loss as they are written in tables.

    >>> label(OutputLayer("regression", "none", "mse", "raw"))
    'none + mse, raw'
    """
    return f"{layer.head} + {layer.loss}" + (f", {layer.target}" if layer.target else "")


def missing_reason(missing: Sequence[OutputLayer], words: Formatter) -> str:
    """Return why there is nothing to judge yet."""
    _ = words.translations.gettext
    reason = _("Each output layer must have completed on two seeds or more; not yet: {names}.")
    return reason.format(names=words.names([label(layer) for layer in missing]))


def best_constant(figures: OutputFigures) -> float:
    """Return the accuracy of always giving the most frequent class of the test split.

    The classes are counted by the rows of the confusion matrix.
    """
    counts = [sum(row) for row in figures.summary.confusion]
    return max(counts) / sum(counts)


def learnt(figures: OutputFigures) -> bool:
    """Return whether the accuracy c is above that of every constant answer by more than chance.

    By more than three standard errors of a share: c > c0 + 3 sqrt(c0 (1 - c0) / images).
    """
    constant = best_constant(figures)
    error = math.sqrt(constant * (1.0 - constant) / figures.test_images)
    return figures.test > constant + 3.0 * error


def learnt_count(found: Figures) -> int:
    """Return on how many seeds something was learnt."""
    return sum(learnt(figures) for figures in found.values())


def mean_test(found: Figures) -> float:
    """Return the mean test figure over the seeds."""
    return sum(figures.test for figures in found.values()) / len(found)


def accuracy_gain(first: Figures, second: Figures) -> Interval:
    """Return the interval of first - second, test accuracies paired by seed."""
    images = min(figures.test_images for figures in first.values())
    return interval(_paired(first, second), resolution=1.0 / images)


def interval(values: Sequence[float], resolution: float = 0.0) -> Interval:
    """Return the mean with its 90 % interval of Student's t."""
    return student_t_interval(values, CONFIDENCE, resolution)


def _paired(first: Figures, second: Figures) -> list[float]:
    shared = sorted(set(first) & set(second))
    return [first[seed].test - second[seed].test for seed in shared]
