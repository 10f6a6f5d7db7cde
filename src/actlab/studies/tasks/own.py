"""Targets of the user's own in the form that a task is trained on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.records import TaskName


def own_target(task: TaskName, target: NDArray[Any]) -> NDArray[Any]:
    """Return a target that fits `task` as classes (int64) or rows of numbers (float32).

    >>> own_target("regression", np.array([1, 2])).tolist()
    [[1.0], [2.0]]
    """
    if task in {"binary", "multiclass"}:
        return target.reshape(len(target)).astype(np.int64)
    return target.reshape(len(target), -1).astype(np.float32)


def output_count(task: TaskName, target: NDArray[Any]) -> int:
    """Return how many outputs a network needs for a target that fits `task`.

    >>> output_count("multiclass", np.array([0, 4, 2]))
    5
    """
    if task == "binary":
        return 2
    if task == "multiclass":
        return int(target.max()) + 1
    return 1 if target.ndim == 1 else int(target.shape[1])
