"""The handwritten digits that scikit-learn carries: 1,797 images of 8 x 8 pixels, 0 to 16.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.
"""

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actlab.data.dataset import Dataset, Examples, fingerprint_of

NAME = "digits"
IMAGE_SHAPE = (1, 8, 8)
POOL_SIZES = (1400, 397)

_POOL_SEED = 0
"""The division into a training and a test pool is part of the data set, the same in every plan."""


def open_digits() -> Dataset:
    """Return the digits, 1,400 of them for training and 397 for testing."""
    rows = _rows()
    everything = Examples(
        images=rows[:, :-1].astype(np.uint8).reshape(-1, *IMAGE_SHAPE),
        labels=rows[:, -1].astype(np.int64),
    )
    order = np.random.default_rng(_POOL_SEED).permutation(len(everything))
    training = everything.take(order[: POOL_SIZES[0]])
    test = everything.take(order[POOL_SIZES[0] :])
    return Dataset(
        name=NAME,
        training_pool=training,
        test_pool=test,
        pixel_maximum=16,
        classes=10,
        fingerprint=fingerprint_of(training, test),
    )


def _rows() -> NDArray[np.float64]:
    """Return the pixels of every image with its label behind, from scikit-learn's file.

    It is read without scikit-learn, whose import takes more time than the first training.
    """
    found = find_spec("sklearn")  # importlib.resources would import it
    if found is None or found.origin is None:
        message = "No module named 'sklearn'"
        raise ModuleNotFoundError(message, name="sklearn")
    place = Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"
    with gzip.open(place, "rt") as lines:
        rows: NDArray[np.float64] = np.loadtxt(lines, delimiter=",")
    return rows
