"""Targets of the user's own for the images of a data set."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from actlab.data.dataset import Dataset, Examples, fingerprint_of
from actlab.data.npz import read_arrays
from actlab.errors import DataError
from actlab.i18n import _


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
