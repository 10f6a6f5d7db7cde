"""MNIST from its files: read, found, downloaded, checked."""

import gzip
import hashlib
import struct
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import pytest

from actlab.data import class_counts, mnist, open_dataset, pool_sizes
from actlab.data.mnist import MIRRORS, Original, download
from actlab.errors import DataError
from actlab.records import SplitSizes
from tests.real_mnist import REAL

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
FILES = ("_TRAIN_IMAGES", "_TRAIN_LABELS", "_TEST_IMAGES", "_TEST_LABELS")


def contents() -> list[bytes]:
    """Return four small files that stand for the real ones: 6 and 4 images of 2 x 2 pixels."""
    made = []
    for count in (6, 4):
        images, labels = np.arange(count * 4, dtype=np.uint8), np.arange(count, dtype=np.uint8)
        made.append(bytes((0, 0, 8, 3)) + struct.pack(">3I", count, 2, 2) + images.tobytes())
        made.append(bytes((0, 0, 8, 1)) + struct.pack(">I", count) + labels.tobytes())
    return made


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Let the small files be the originals; return their contents by name."""
    files = []
    for attribute, name, content in zip(FILES, NAMES, contents(), strict=True):
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        files.append(mnist._File(name, digest, compressed_sha256="0" * 64))
        monkeypatch.setattr(mnist, attribute, files[-1])
    monkeypatch.setattr(mnist, "_FILES", tuple(files))
    monkeypatch.delenv("ACTLAB_DATA", raising=False)
    return dict(zip(NAMES, contents(), strict=True))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the user's cache into an empty folder."""
    folder = tmp_path / "cache" / "mnist"
    monkeypatch.setattr(mnist, "cache_folder", lambda: folder)
    return folder


@pytest.fixture
def no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> Path:
        raise AssertionError("a download was tried")

    monkeypatch.setattr(mnist, "download", refuse)


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.usefixtures("no_download", "cache")
def test_a_named_folder_is_read(tmp_path: Path, small: dict[str, bytes]) -> None:
    dataset = mnist.open_mnist(write(tmp_path / "here", small))
    assert dataset.training_pool.images.shape == (6, 1, 2, 2)
    assert dataset.training_pool.images[1].flatten().tolist() == [4, 5, 6, 7]
    assert dataset.test_pool.labels.tolist() == [0, 1, 2, 3]
    assert dataset.test_pool.labels.dtype == np.int64


@pytest.mark.usefixtures("no_download", "cache")
def test_compressed_and_plain_files_are_the_same_data(
    tmp_path: Path, small: dict[str, bytes]
) -> None:
    packed = {f"{name}.gz": gzip.compress(content) for name, content in small.items()}
    plain = mnist.open_mnist(write(tmp_path / "plain", small))
    assert mnist.open_mnist(write(tmp_path / "gz", packed)).fingerprint == plain.fingerprint


@pytest.mark.usefixtures("no_download", "cache")
def test_a_named_folder_that_lacks_files_is_an_error_and_no_download(
    tmp_path: Path, small: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "half", {NAMES[0]: small[NAMES[0]], NAMES[2]: small[NAMES[2]]})
    said = f"it lacks {NAMES[1]}, {NAMES[3]}. Put them there"
    with pytest.raises(DataError, match=said):
        mnist.open_mnist(folder)
    monkeypatch.setenv("ACTLAB_DATA", str(folder))
    with pytest.raises(DataError, match=said):
        mnist.open_mnist(None)
    with pytest.raises(DataError, match="it lacks"):
        mnist.open_mnist(tmp_path / "nowhere")


@pytest.mark.usefixtures("no_download")
def test_the_order_of_places(
    tmp_path: Path, small: dict[str, bytes], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mnist.found_at() is None
    write(cache, small)
    assert mnist.found_at() == cache
    assert len(mnist.open_mnist(None).training_pool) == 6
    variable = write(tmp_path / "variable", small)
    monkeypatch.setenv("ACTLAB_DATA", str(variable))
    assert mnist.found_at() == variable
    assert mnist.found_at(tmp_path) is None
    (cache / NAMES[0]).write_bytes(b"altered")
    assert len(mnist.open_mnist(None).training_pool) == 6


def test_what_the_cache_lacks_is_downloaded(
    small: dict[str, bytes], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(cache, {name: small[name] for name in NAMES[1:]})
    asked = []

    def fetch(original: mnist.Original, folder: Path) -> Path:
        asked.append(original.name)
        path = folder / original.name
        path.write_bytes(gzip.compress(small[NAMES[0]]))
        return path

    monkeypatch.setattr(mnist, "download", fetch)
    assert len(mnist.open_mnist(None).test_pool) == 4
    assert asked == [f"{NAMES[0]}.gz"]
    assert len(mnist.open_mnist(None).test_pool) == 4
    assert asked == [f"{NAMES[0]}.gz"]


@pytest.mark.usefixtures("no_download", "cache")
@pytest.mark.parametrize("name", NAMES)
def test_each_file_is_checked(tmp_path: Path, small: dict[str, bytes], name: str) -> None:
    folder = write(tmp_path / "here", {**small, name: small[name][:-1] + b"\xee"})
    with pytest.raises(DataError, match=f"{name} is not the original"):
        mnist.open_mnist(folder)


real_files = pytest.mark.skipif(
    not all((REAL / f"{name}.gz").is_file() for name in NAMES), reason="no real MNIST files here"
)


@real_files
@pytest.mark.mnist
def test_the_real_files() -> None:
    dataset = open_dataset("mnist", str(REAL))
    assert (len(dataset.training_pool), len(dataset.test_pool)) == pool_sizes("mnist")
    assert dataset.training_pool.images.max() == dataset.pixel_maximum
    counts = class_counts(dataset, SplitSizes(3000, 2000, 5000, 10_000), seed=1)
    label_bytes = gzip.decompress((REAL / f"{NAMES[3]}.gz").read_bytes())[8:]
    assert counts["test"] == tuple(label_bytes.count(label) for label in range(10))
    assert [sum(values) for values in counts.values()] == [3000, 2000, 5000, 10_000]


@real_files
@pytest.mark.mnist
def test_a_real_file_cut_short(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / f"{name}.gz").symlink_to((REAL / f"{name}.gz").resolve())
    path = tmp_path / f"{NAMES[2]}.gz"
    start = path.read_bytes()[:100_000]
    path.unlink()
    path.write_bytes(start)
    with pytest.raises(DataError) as caught:
        mnist.open_mnist(tmp_path)
    assert str(path) in str(caught.value)
    assert "must be 2646ac647ad5339dbf082846283269ea, found " in str(caught.value)
    assert "damaged or cut short" in str(caught.value)


ORIGINAL = Original("train-labels-idx1-ubyte.gz", "ab" * 32)


def test_mirrors_are_asked_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def retrieve(url: str, **named: Any) -> str:
        asked.append({"url": url, **named})
        if len(asked) == 1:
            raise OSError("connection refused")
        return str(tmp_path / named["fname"])

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    assert download(ORIGINAL, tmp_path) == tmp_path / ORIGINAL.name
    assert [call["url"] for call in asked] == [mirror + ORIGINAL.name for mirror in MIRRORS]
    assert all(call["known_hash"] == "sha256:" + "ab" * 32 for call in asked)
    assert all(call["progressbar"] for call in asked)
    assert all(mirror.startswith("https://") for mirror in MIRRORS)


@pytest.mark.parametrize("failure", [OSError("no route"), ValueError("hash does not match")])
def test_no_mirror_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def retrieve(url: str, **_named: Any) -> str:
        raise failure

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(DataError) as caught:
        download(ORIGINAL, tmp_path)
    assert ORIGINAL.name in str(caught.value)
    assert str(failure) in str(caught.value)
    assert "--data-dir" in str(caught.value)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let a server of this machine stand for the mirrors; yield the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr("actlab.data.mnist.MIRRORS", (address,))
    yield folder
    server.shutdown()
    server.server_close()


def test_right_bytes_arrive_and_wrong_ones_are_not_kept(tmp_path: Path, served: Path) -> None:
    content = b"the original"
    original = Original("file.gz", hashlib.sha256(content).hexdigest())
    (served / original.name).write_bytes(b"something else")
    with pytest.raises(DataError, match="hash"):
        download(original, tmp_path / "cache")
    assert not (tmp_path / "cache" / original.name).exists()
    (served / original.name).write_bytes(content)
    assert download(original, tmp_path / "cache").read_bytes() == content
