"""The handwritten digits that scikit-learn carries: 1,797 images of 8 x 8 pixels, 0 to 16.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.
"""

import numpy as np

from actlab.data.dataset import Dataset, Examples, fingerprint_of

NAME = "digits"
IMAGE_SHAPE = (1, 8, 8)
POOL_SIZES = (1400, 397)

_POOL_SEED = 0
"""The division into a training and a test pool is part of the data set, the same in every plan."""


def open_digits() -> Dataset:
    """Return the digits, 1,400 of them for training and 397 for testing."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    everything = Examples(
        images=bunch.images.astype(np.uint8)[:, np.newaxis],
        labels=bunch.target.astype(np.int64),
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
