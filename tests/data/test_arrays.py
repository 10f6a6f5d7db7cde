"""Data sets in .npz files."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actlab import data
from actlab.data.arrays import open_file
from actlab.errors import DataError

INPUTS = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
LABELS = np.arange(20) % 4


def saved(folder: Path, **arrays: Any) -> str:
    path = folder / "shapes.npz"
    np.savez(path, **arrays)
    return str(path)


def test_a_fifth_is_held_out_and_always_the_same(tmp_path: Path) -> None:
    name = saved(tmp_path, x=INPUTS, y=LABELS)
    dataset = data.open_dataset(name)
    assert data.pool_sizes(name) == (16, 4)
    assert data.image_shape(name) == (3,)
    assert (dataset.classes, dataset.pixel_maximum) == (4, None)
    rows = np.concatenate([dataset.training_pool.images, dataset.test_pool.images])
    assert sorted(map(tuple, rows)) == sorted(map(tuple, INPUTS)), "every row is in one pool"
    copy = tmp_path / "copy"
    copy.mkdir()
    again = open_file(saved(copy, x=INPUTS, y=LABELS))
    assert again.fingerprint == dataset.fingerprint
    assert np.array_equal(again.test_pool.images, dataset.test_pool.images)


def test_a_test_set_of_its_own_is_kept_apart(tmp_path: Path) -> None:
    path = saved(tmp_path, x=INPUTS, y=LABELS, x_test=INPUTS[:5] + 1, y_test=LABELS[:5])
    dataset = open_file(path)
    assert np.array_equal(dataset.training_pool.images, INPUTS)
    assert np.array_equal(dataset.test_pool.images, INPUTS[:5] + 1)


def test_pixels_are_normalised_as_those_of_mnist(tmp_path: Path) -> None:
    pixels = np.zeros((6, 1, 2, 2), dtype=np.uint8)
    dataset = open_file(saved(tmp_path, x=pixels, y=np.arange(6) % 2))
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
        ({"x": np.full_like(INPUTS, np.nan), "y": LABELS}, r"60 values are NaN .* first in row 0"),
        ({"x": INPUTS.astype(str), "y": LABELS}, "x must hold numbers; got <U32"),
        ({"x": INPUTS, "y": LABELS / 2}, r"row 1 holds 0.5. .*task regression"),
        ({"x": INPUTS, "y": np.arange(20) * 0}, "every row is of class 0"),
        ({"x": INPUTS, "y": np.ones((20, 3))}, r"one class per row; got shape \(20, 3\)"),
        ({"x": INPUTS, "y": LABELS, "x_test": INPUTS[:, :2], "y_test": LABELS}, "one shape"),
        ({"x": np.array([{}] * 20), "y": LABELS}, "plain arrays"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, arrays: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told) as caught:
        open_file(saved(tmp_path, **arrays))
    assert "shapes.npz" in str(caught.value) or "x_test" in str(caught.value)


def test_a_file_that_is_not_there_or_no_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file .*none\.npz"):
        open_file(str(tmp_path / "none.npz"))
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(DataError, match=r"cannot be read as an \.npz file"):
        open_file(str(broken))


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (np.array(["no", "yes"])[LABELS % 2], ("no", "yes")),
        (LABELS % 2 == 1, ("False", "True")),
        (np.array([-1, 1])[LABELS % 2], ("-1", "1")),
        (np.array([7, 1000])[LABELS % 2].astype(np.float64), ("7.0", "1000.0")),
        ((LABELS % 2)[:, np.newaxis], ("0", "1")),
        (np.eye(2)[LABELS % 2], ("0", "1")),
    ],
    ids=["texts", "truth", "signs", "gaps", "column", "one-hot"],
)
def test_labels_of_any_kind_are_numbered(
    tmp_path: Path, labels: np.ndarray[Any, Any], names: tuple[str, ...]
) -> None:
    dataset = open_file(saved(tmp_path, x=INPUTS, y=labels, x_test=INPUTS, y_test=labels))
    assert (dataset.classes, dataset.class_names) == (2, names)
    assert np.array_equal(dataset.training_pool.labels, LABELS % 2)
    assert np.array_equal(dataset.test_pool.labels, LABELS % 2)


def test_whole_numbers_stay_token_ids(tmp_path: Path) -> None:
    ids = np.arange(60).reshape(20, 3)
    assert open_file(saved(tmp_path, x=ids, y=LABELS)).training_pool.images.dtype == np.int64


def test_a_table_by_its_column(tmp_path: Path) -> None:
    path = tmp_path / "iris.csv"
    rows = [f"{i / 10},{i},{'setosa' if i % 2 else 'virginica'}" for i in range(20)]
    path.write_text("\n".join(["length,count,species", *rows]))
    dataset = data.open_dataset(f"{path}:species")
    assert dataset.class_names == ("setosa", "virginica")
    assert data.image_shape(f"{path}:species") == (2,)
    assert dataset.training_pool.images.dtype == np.float32
    with pytest.raises(DataError, match=r"its target \(--target COLUMN\); it has length, count"):
        data.open_dataset(str(path))
    with pytest.raises(DataError, match=r"The column species of .* must hold numbers; row 0 holds"):
        data.open_dataset(f"{path}:count")
    path.with_name("gap.csv").write_text("a,b\n1,x\n,y\n")
    with pytest.raises(DataError, match=r"The column a of .* must not have gaps; row 1 is empty"):
        data.open_dataset(f"{path.with_name('gap.csv')}:b")


def test_splits_of_the_users_data_are_stratified(tmp_path: Path) -> None:
    labels = (np.arange(1000) % 20 == 0).astype(int)
    inputs = np.random.default_rng(2).normal(size=(1000, 2))
    dataset = open_file(saved(tmp_path, x=inputs, y=labels, x_test=inputs, y_test=labels))
    sizes = data.shared_sizes((1000, 1000))
    splits = data.draw_splits(dataset, sizes, seed=3)
    counts = [int(part.labels.sum()) for part in vars(splits).values()]
    assert counts == pytest.approx([30, 7.5, 12.5], abs=1)
    again = data.draw_splits(dataset, sizes, seed=4)
    assert not np.array_equal(splits.train.images, again.train.images)
