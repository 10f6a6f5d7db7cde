"""Fashion-MNIST from IDX files in a folder; MNIST-1D from its package."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from actlab import data
from actlab.data import fashion_mnist
from actlab.data.fashion_mnist import open_fashion_mnist
from actlab.errors import DataError


def written(folder: Path) -> None:
    for part, rows in (("train", 4), ("t10k", 2)):
        pixels = struct.pack(">4B3I", 0, 0, 8, 3, rows, 28, 28) + bytes(rows * 784)
        labels = struct.pack(">4BI", 0, 0, 8, 1, rows) + bytes(range(rows))
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(pixels))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)


def test_the_original_files_alone_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="dataset-fashion-mnist"):
        monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_a, **_k: str(tmp_path / "no"))
        open_fashion_mnist(None, package=tmp_path / "none")
    with pytest.raises(DataError, match="it lacks train-images-idx3-ubyte"):
        open_fashion_mnist(tmp_path)
    written(tmp_path)
    with pytest.raises(DataError, match="is not the original"):
        open_fashion_mnist(tmp_path)
    plain = {}
    for path in tmp_path.iterdir():
        raw = path.read_bytes()
        content = gzip.decompress(raw) if path.suffix == ".gz" else raw
        name = path.name.removesuffix(".gz")
        plain[name] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    monkeypatch.setattr(fashion_mnist, "_MD5", plain)
    found = open_fashion_mnist(tmp_path)
    assert found.training_pool.images.shape == (4, 1, 28, 28)
    assert found.test_pool.labels.tolist() == [0, 1]


@pytest.mark.skipif(not fashion_mnist.PACKAGE.is_dir(), reason="needs Debian's package")
def test_the_package_of_debian_is_found() -> None:
    assert len(open_fashion_mnist(None).training_pool) == 60_000


@pytest.mark.slow
def test_mnist1d_is_made_the_same_again_and_leaves_the_generators_alone() -> None:
    pytest.importorskip("mnist1d")
    np.random.seed(5)
    expected = np.random.RandomState(5).rand(3)
    first = data.open_dataset("mnist1d")
    assert first.training_pool.images.shape == (4000, 40)
    assert data.pool_sizes("mnist1d") == (4000, 1000)
    assert np.array_equal(np.random.rand(3), expected)
    data.open_dataset.cache_clear()
    assert data.open_dataset("mnist1d").fingerprint == first.fingerprint
    with pytest.raises(DataError, match="read from no folder"):
        data.open_dataset("mnist1d", "/somewhere")
