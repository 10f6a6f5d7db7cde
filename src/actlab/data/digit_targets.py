"""Targets of every task, made from the label of a picture of a digit.

Source: the published output-layer study.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.records import TaskName

STROKES_AND_HOLES = (2, 1, 2, 2, 6, 3, 3, 2, 4, 3)
"""Strokes and holes of the digits 0 to 9, counted together."""

CURVED = frozenset({0, 3, 6, 8, 9})
EVEN = frozenset({0, 2, 4, 6, 8})
PRIME = frozenset({2, 3, 5, 7})
SQUARE = frozenset({0, 1, 4, 9})

LABELS: dict[str, frozenset[int]] = {
    "even": EVEN,
    "prime": PRIME,
    "curved": CURVED,
    "square": SQUARE,
}
"""The four labels of the multi-label task, in the order of the outputs."""

OUTPUTS: dict[TaskName, int] = {
    "regression": 1,
    "probability": 1,
    "binary": 2,
    "multiclass": 10,
    "multilabel": len(LABELS),
}
"""How many outputs a network has for each task on digits."""


def target_of_digits(task: TaskName, digits: NDArray[np.int64]) -> NDArray[Any]:
    """Return the target of `task` for digits of shape (N,), in its original units.

    Classes are int64 of shape (N,), numbers and yes or no float32 of shape (N, outputs).

    >>> target_of_digits("multilabel", np.array([2, 9])).tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
    >>> target_of_digits("regression", np.array([1, 4])).tolist()
    [[1.0], [6.0]]
    """
    if task == "multiclass":
        return digits
    if task == "regression":
        return np.array(STROKES_AND_HOLES, dtype=np.float32)[digits][:, np.newaxis]
    if task == "multilabel":
        return np.stack([_among(digits, label) for label in LABELS.values()], axis=1)
    curved = _among(digits, CURVED)
    return curved.astype(np.int64) if task == "binary" else curved[:, np.newaxis]


def _among(digits: NDArray[np.int64], chosen: frozenset[int]) -> NDArray[np.float32]:
    return np.isin(digits, sorted(chosen)).astype(np.float32)
