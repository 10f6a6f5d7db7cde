"""MNIST-1D: 4,000 training and 1,000 test signals of 40 numbers, made by the package mnist1d.

Source: S. Greydanus and D. Kobak, Scaling Down Deep Learning with MNIST-1D, 2020, arXiv:2011.14439.
"""

import random
from importlib import import_module

import numpy as np

from actlab.data.dataset import Dataset, Examples, fingerprint_of
from actlab.errors import missing_extra

NAME = "mnist1d"
SHAPE = (40,)
POOL_SIZES = (4000, 1000)


def open_mnist1d() -> Dataset:
    """Return MNIST-1D as the package makes it, with its own seed; nothing is downloaded.

    Raises ActlabError where the package is not installed.
    """
    try:
        package = import_module("mnist1d.data")
    except ImportError:
        raise missing_extra("mnist1d") from None
    # The package seeds the generators of the whole process.
    before = random.getstate(), np.random.get_state()
    try:
        made = package.make_dataset(package.get_dataset_args())
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
    training, test = (
        Examples(made[x].astype(np.float32), made[y].astype(np.int64))
        for x, y in (("x", "y"), ("x_test", "y_test"))
    )
    return Dataset(
        name=NAME,
        training_pool=training,
        test_pool=test,
        pixel_maximum=None,
        classes=10,
        fingerprint=fingerprint_of(training, test),
    )
