"""Files that claim more than they hold, and little files that expand to a lot."""

import gzip
import io
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest

from actlab.data.arrays import read_arrays
from actlab.data.idx import LARGEST_BYTES, parse_idx
from actlab.errors import DataError


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def header(shape: tuple[int, ...]) -> bytes:
    content = io.BytesIO()
    described = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(content, described)
    return content.getvalue()


@pytest.mark.slow
def test_a_bomb_is_not_expanded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    block = bytes(10_000_000)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w", force_zip64=True) as stream,
    ):
        stream.write(header((150 * len(block),)))
        for _block in range(150):
            stream.write(block)
    before = peak_megabytes()
    with pytest.raises(DataError, match="would expand to 1500 MB"):
        read_arrays(path)
    assert peak_megabytes() - before < 200


@pytest.mark.parametrize("shape", [(10**12,), (10**6, 10**6), (2**62, 4)])
def test_a_header_is_not_believed(shape: tuple[int, ...], tmp_path: Path) -> None:
    path = tmp_path / "lies.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header(shape) + b"abc")
    with pytest.raises(DataError, match=r"claims .* are there"):
        read_arrays(path)
    alone = tmp_path / "lies.npy"
    alone.write_bytes(header(shape) + b"abc")
    with pytest.raises(DataError, match=r"claims .* are there"):
        read_arrays(alone)


def test_what_is_as_large_as_it_says_is_read(tmp_path: Path) -> None:
    path = tmp_path / "good.npz"
    np.savez_compressed(path, x=np.zeros((100, 100)), y=np.arange(100))
    assert {name: array.shape for name, array in read_arrays(path).items()} == {
        "x": (100, 100),
        "y": (100,),
    }


def test_a_compressed_idx_file_is_expanded_no_further_than_mnist() -> None:
    bomb = gzip.compress(bytes(2 * LARGEST_BYTES))
    before = peak_megabytes()
    with pytest.raises(DataError):
        parse_idx(bomb, Path("train-images-idx3-ubyte.gz"))
    assert peak_megabytes() - before < 300
