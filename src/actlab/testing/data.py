"""The contract of a data set: what splits, records and workers on other machines count on."""

from collections.abc import Callable

import numpy as np

from actlab.data import Dataset
from actlab.data.dataset import Examples, fingerprint_of


def assert_dataset(open_dataset: Callable[[], Dataset]) -> None:
    """Raise AssertionError where a data set is not one that studies can be repeated on.

    Opened twice it has the same content in the same order, and the fingerprint of that content;
    inputs and labels go in pairs; both pools are of one kind and share no memory; labels are the
    whole numbers below `classes`; pixels lie between 0 and `pixel_maximum`, other inputs are
    finite.

    >>> from actlab.data import open_dataset
    >>> assert_dataset(lambda: open_dataset("digits"))
    """
    dataset, again = open_dataset(), open_dataset()
    for mine, other in zip(_pools(dataset), _pools(again), strict=True):
        same = np.array_equal(mine.images, other.images)
        same = same and np.array_equal(mine.labels, other.labels)
        assert same, f"{dataset.name}: opened twice it holds other examples, or in another order"
    assert dataset.fingerprint == again.fingerprint == fingerprint_of(*_pools(dataset)), (
        f"{dataset.name}: its fingerprint is not that of its content"
    )
    training, test = _pools(dataset)
    kinds = {(pool.images.dtype, pool.images.shape[1:]) for pool in (training, test)}
    assert len(kinds) == 1, f"{dataset.name}: its pools hold inputs of different kinds: {kinds}"
    shared = np.shares_memory(training.images, test.images)
    assert not shared, f"{dataset.name}: its pools share memory"
    for name, pool in (("training", training), ("test", test)):
        _assert_pool(dataset, pool, f"{dataset.name}, {name} pool")


def _pools(dataset: Dataset) -> tuple[Examples, Examples]:
    return dataset.training_pool, dataset.test_pool


def _assert_pool(dataset: Dataset, pool: Examples, what: str) -> None:
    assert len(pool.images) == len(pool.labels) > 0, f"{what}: inputs and labels go in pairs"
    assert pool.labels.ndim == 1, f"{what}: a label is one number"
    assert pool.labels.dtype == np.int64, f"{what}: labels are int64; got {pool.labels.dtype}"
    low, high = int(pool.labels.min()), int(pool.labels.max())
    right = 0 <= low <= high < dataset.classes
    assert right, f"{what}: labels are 0 to {dataset.classes - 1}; got {low} to {high}"
    assert np.isfinite(pool.images).all(), f"{what}: inputs are finite numbers"
    if dataset.pixel_maximum is not None:
        low, high = pool.images.min(), pool.images.max()
        right = 0 <= low <= high <= dataset.pixel_maximum
        assert right, f"{what}: pixels are 0 to {dataset.pixel_maximum}; got {low} to {high}"
