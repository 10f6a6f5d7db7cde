"""The batch that `actlab check --data` names: an .npz file, or one of actlab's data sets."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.data.arrays import read_arrays
from actlab.errors import DataError, unknown_name
from actlab.i18n import _

_SAMPLES = 64
_X_NAMES = ("x", "X", "images", "inputs", "features", "data")
_Y_NAMES = ("y", "Y", "labels", "targets", "target", "label")

Arrays = tuple[NDArray[Any], NDArray[Any]]


def read_batch(source: str, directory: Path | None) -> Arrays:
    """Return the first samples of `source` as (x, y).

    Raises DataError for a file that is missing or has no x and y, UnknownNameError for a name that
    is no data set.
    """
    if source.endswith(".npz"):
        return _from_file(Path(source))
    from actlab.data import NAMES, open_dataset

    if source not in NAMES:
        raise unknown_name(_("data set (or .npz file)"), source, NAMES)
    dataset = open_dataset(source, None if directory is None else str(directory))
    examples = dataset.training_pool.take(np.arange(_SAMPLES))
    shares = examples.images.astype(np.float32) / (dataset.pixel_maximum or 1)
    return (shares - 0.5) / 0.5, examples.labels


def _from_file(path: Path) -> Arrays:
    arrays = read_arrays(path)
    names = list(arrays)
    x = arrays[_choose(names, _X_NAMES, 0, path)]
    y = arrays[_choose(names, _Y_NAMES, 1, path)]
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y) or len(x) == 0:
        raise DataError(
            _(
                "x and y in {path} must have equally many rows, at least one; got {x} and {y}."
            ).format(path=path, x=x.shape, y=y.shape)
        )
    return x[:_SAMPLES], y[:_SAMPLES]


def _choose(names: list[str], wanted: tuple[str, ...], position: int, path: Path) -> str:
    for name in wanted:
        if name in names:
            return name
    if len(names) == 2:
        return names[position]
    raise DataError(
        _("{path} must have arrays x and y; it has {names}.").format(
            path=path, names=", ".join(names) or _("none")
        )
    )
