"""Data sets in .npz files."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actlab import data
from actlab.data.arrays import open_arrays
from actlab.errors import DataError

INPUTS = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
LABELS = np.arange(20) % 4


def saved(folder: Path, **arrays: Any) -> Path:
    path = folder / "shapes.npz"
    np.savez(path, **arrays)
    return path


def test_a_fifth_is_held_out_and_always_the_same(tmp_path: Path) -> None:
    name = str(saved(tmp_path, x=INPUTS, y=LABELS))
    dataset = data.open_dataset(name)
    assert data.pool_sizes(name) == (16, 4)
    assert data.image_shape(name) == (3,)
    assert (dataset.classes, dataset.pixel_maximum) == (4, None)
    rows = np.concatenate([dataset.training_pool.images, dataset.test_pool.images])
    assert sorted(map(tuple, rows)) == sorted(map(tuple, INPUTS)), "every row is in one pool"
    copy = tmp_path / "copy"
    copy.mkdir()
    again = open_arrays(saved(copy, x=INPUTS, y=LABELS))
    assert again.fingerprint == dataset.fingerprint
    assert np.array_equal(again.test_pool.images, dataset.test_pool.images)


def test_a_test_set_of_its_own_is_kept_apart(tmp_path: Path) -> None:
    path = saved(tmp_path, x=INPUTS, y=LABELS, x_test=INPUTS[:5] + 1, y_test=LABELS[:5])
    dataset = open_arrays(path)
    assert np.array_equal(dataset.training_pool.images, INPUTS)
    assert np.array_equal(dataset.test_pool.images, INPUTS[:5] + 1)


def test_pixels_are_normalised_as_those_of_mnist(tmp_path: Path) -> None:
    pixels = np.zeros((6, 1, 2, 2), dtype=np.uint8)
    dataset = open_arrays(saved(tmp_path, x=pixels, y=np.arange(6) % 2))
    assert dataset.pixel_maximum == 255
    digest = hashlib.sha256()
    for pool in (dataset.training_pool, dataset.test_pool):
        for array in (pool.images, pool.labels):
            digest.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    assert dataset.fingerprint == digest.hexdigest()


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"x": INPUTS}, "must have the arrays y; it has x"),
        ({"x": INPUTS, "y": LABELS, "x_test": INPUTS}, "must have the arrays y_test"),
        ({"x": INPUTS, "y": LABELS[:5]}, r"got \(20, 3\) and \(5,\)"),
        ({"x": INPUTS[:, 0], "y": LABELS}, r"got \(20,\) and \(20,\)"),
        ({"x": INPUTS.astype(np.int64), "y": LABELS}, "finite floating-point numbers; got int64"),
        ({"x": np.full_like(INPUTS, np.nan), "y": LABELS}, "finite floating-point"),
        ({"x": INPUTS, "y": LABELS - 1}, "whole numbers from 0; got int64, lowest -1"),
        ({"x": INPUTS, "y": LABELS / 2}, "whole numbers from 0; got float64"),
        ({"x": INPUTS, "y": LABELS, "x_test": INPUTS[:, :2], "y_test": LABELS}, "one shape"),
        ({"x": np.array([{}] * 20), "y": LABELS}, "plain arrays"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, arrays: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told) as caught:
        open_arrays(saved(tmp_path, **arrays))
    assert "shapes.npz" in str(caught.value) or "x_test" in str(caught.value)


def test_a_file_that_is_not_there_or_no_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file .*none\.npz"):
        open_arrays(tmp_path / "none.npz")
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(DataError, match=r"cannot be read as an \.npz file"):
        open_arrays(broken)
