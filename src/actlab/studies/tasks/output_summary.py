"""What an output layer says, held against the truth, in the few numbers that a page draws."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.records import ConfidenceBin, OutputSummary, PredictedGroup, TaskName

BINS = 10
_MOST_GROUPS = 50


def summarise(task: TaskName, said: NDArray[Any], target: NDArray[Any]) -> OutputSummary:
    """Return the summary of what was said, of shape (N, outputs), against the target.

    What is said is in [0, 1], or for a regression in the units of the target.

    >>> summarise("binary", np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1])).confusion
    ((1, 0), (1, 0))
    """
    said = said.astype(np.float64)
    low, high = _range(said)
    if task == "regression":
        return OutputSummary(low, high, groups=_groups(said, target))
    if task in {"binary", "multiclass"}:
        answers = said.argmax(axis=1)
        confusion = _confusion(target, answers, said.shape[1])
        return OutputSummary(
            low, high, confusion=confusion, confidence=_bins(said.max(axis=1), answers == target)
        )
    # numpy rounds a half to the even number, 0, as torch does.
    answers, truth = said.round(), target.round()
    confidence = _bins(np.maximum(said, 1 - said).ravel(), (answers == truth).ravel())
    if task == "multilabel":
        labels = tuple((answers == truth).mean(axis=0).tolist())
        return OutputSummary(low, high, confidence=confidence, labels=labels)
    table = _confusion(truth.ravel().astype(int), answers.ravel().astype(int), 2)
    return OutputSummary(low, high, confusion=table, confidence=confidence)


def _range(said: NDArray[np.float64]) -> tuple[float | None, float | None]:
    finite = said[np.isfinite(said)]
    return (float(finite.min()), float(finite.max())) if finite.size else (None, None)


def _confusion(
    truth: NDArray[Any], answers: NDArray[Any], classes: int
) -> tuple[tuple[int, ...], ...]:
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (truth, answers), 1)
    return tuple(tuple(row) for row in counts.tolist())


def _bins(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[ConfidenceBin, ...]:
    """Return the bins of equal width that have an answer; a confidence of 1 is in the last."""
    places = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    return tuple(
        ConfidenceBin(
            low=place / BINS,
            high=(place + 1) / BINS,
            count=int((places == place).sum()),
            confidence=float(confidence[places == place].mean()),
            right=float(right[places == place].mean()),
        )
        for place in np.unique(places).tolist()
    )


def _groups(said: NDArray[np.float64], target: NDArray[Any]) -> tuple[PredictedGroup, ...]:
    """Return the predictions by true value, none where nearly every value occurs once."""
    values = np.unique(target)
    if len(values) > _MOST_GROUPS or said.shape[1] != 1:
        return ()
    return tuple(_group(float(value), said[target == value]) for value in values)


def _group(value: float, said: NDArray[np.float64]) -> PredictedGroup:
    finite = said[np.isfinite(said)]
    known = finite.size > 0
    return PredictedGroup(
        value=value,
        count=said.size,
        mean=float(finite.mean()) if known else None,
        deviation=float(finite.std()) if known else None,
        lowest=float(finite.min()) if known else None,
        highest=float(finite.max()) if known else None,
        infinite=said.size - finite.size,
    )
