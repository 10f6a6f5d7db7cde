"""Missing inputs filled in, inputs standardised: with the numbers of the training rows alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def fitted(
    train: NDArray[Any], fill: str | None, *, scale: bool
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return what is done to inputs: each of them by its own mean, median and spread in `train`.

    An input that has no number in `train`, or no spread, becomes 0. Pixels and token ids are taken
    as they are.

    >>> change = fitted(np.array([[1.0, np.nan], [3.0, 2.0], [5.0, 4.0]]), "median", scale=False)
    >>> change(np.array([[np.nan, np.nan]])).tolist()
    [[3.0, 3.0]]
    """
    if train.dtype.kind != "f":
        return lambda inputs: inputs
    known = np.isfinite(train)
    numbers = np.where(known, train, np.nan).astype(np.float64)
    empty = ~known.any(axis=0)
    numbers[:, empty] = 0.0
    filled = np.nanmean(numbers, axis=0) if fill == "mean" else np.nanmedian(numbers, axis=0)
    whole = np.where(known, numbers, filled) if fill is not None else numbers
    mean, spread = whole.mean(axis=0), whole.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)

    def change(inputs: NDArray[Any]) -> NDArray[Any]:
        values = np.where(np.isnan(inputs), filled, inputs) if fill is not None else inputs
        if scale:
            values = (values - mean) / spread
        return values.astype(np.float32)

    return change


def unequal_inputs(train: NDArray[Any]) -> tuple[float, float] | None:
    """Return the smallest and the greatest size of an input where scaling is advised, else None.

    The size is the root of the mean square over the rows; 100 times as large is unequal, and so is
    a size beyond 20 or below 0.05, which the usual learning rates are not made for.

    >>> unequal_inputs(np.array([[0.001, 900.0], [0.002, 1100.0]])) is None
    False
    """
    if train.dtype.kind != "f" or train.ndim != 2:
        return None
    sizes = np.sqrt(np.nanmean(np.square(train.astype(np.float64)), axis=0))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    if not sizes.size:
        return None
    low, high = float(sizes.min()), float(sizes.max())
    return (low, high) if high > 100 * low or high > 20 or high < 0.05 else None
