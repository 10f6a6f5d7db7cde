"""The digits: all of scikit-learn's, each once, in two pools that never change."""

import numpy as np
from sklearn.datasets import load_digits

from actlab.data import Examples, image_shape, open_dataset, pool_sizes


def as_rows(*parts: Examples) -> list[tuple[int, ...]]:
    return sorted(
        (int(label), *image.flatten().tolist())
        for part in parts
        for image, label in zip(part.images, part.labels, strict=True)
    )


def test_the_two_pools_are_the_whole() -> None:
    dataset = open_dataset("digits")
    images, labels = load_digits(return_X_y=True)
    whole = sorted(
        (int(label), *row) for row, label in zip(images.astype(int).tolist(), labels, strict=True)
    )
    assert as_rows(dataset.training_pool, dataset.test_pool) == whole


def test_what_is_known_without_loading_holds() -> None:
    dataset = open_dataset("digits")
    assert (len(dataset.training_pool), len(dataset.test_pool)) == pool_sizes("digits")
    assert dataset.training_pool.images.shape[1:] == image_shape("digits")
    assert dataset.training_pool.images.dtype == np.uint8
    assert dataset.training_pool.images.max() == dataset.pixel_maximum == 16


def test_the_division_is_the_same_in_every_version() -> None:
    # Written down on 2026-11-23 with NumPy 2.4 and scikit-learn 1.9: records of the digits carry
    # this fingerprint, and cannot be compared with those of another division.
    assert open_dataset("digits").fingerprint == (
        "e6d78779a6ee764ced4c0b18a00d8247c919c7a92b858d7465f8bd02a31feb75"
    )
