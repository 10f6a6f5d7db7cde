"""Targets other than a data set's labels: made from a digit by task, or read from a file.

Source of the digits' targets: the published output-layer study.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.data.arrays import read_arrays
from actlab.data.dataset import Dataset, Examples, fingerprint_of
from actlab.errors import DataError
from actlab.i18n import _
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


def with_targets(dataset: Dataset, path: Path) -> Dataset:
    """Return a data set whose labels are those in the .npz file at `path`.

    Its arrays `train` and `test` hold a row per image of the training and of the test pool, in the
    order of the pools. The fingerprint is that of images and targets together.

    Raises DataError for a file that is missing or does not fit the pools.
    """
    arrays = read_arrays(path)
    training = _relabelled(dataset.training_pool, arrays, "train", path)
    test = _relabelled(dataset.test_pool, arrays, "test", path)
    return replace(
        dataset, training_pool=training, test_pool=test, fingerprint=fingerprint_of(training, test)
    )


def _relabelled(pool: Examples, arrays: dict[str, NDArray[Any]], name: str, path: Path) -> Examples:
    if name not in arrays or arrays[name].ndim == 0 or len(arrays[name]) != len(pool):
        message = _(
            "{path} must have an array {name} with a row for each of the {count} images of that "
            "pool; it has {found}."
        )
        found = ", ".join(f"{key} {array.shape}" for key, array in arrays.items()) or _("none")
        raise DataError(message.format(path=path, name=name, count=len(pool), found=found))
    return Examples(pool.images, arrays[name])
