"""IDX files: what is written is read; what was cut or changed is refused with both checksums."""

import gzip
import hashlib
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.data.idx import parse_idx, read_idx
from actlab.errors import DataError

VALUES = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)


def idx_bytes(array: np.ndarray) -> bytes:
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


CONTENT = idx_bytes(VALUES)
PACKED = gzip.compress(CONTENT, mtime=0)  # no clock: a test's name must not change


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 2**32))
def test_what_is_written_is_read(shape: list[int], seed: int) -> None:
    array = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(parse_idx(idx_bytes(array), Path("x")), array)


@pytest.mark.parametrize(
    ("name", "stored"), [("x.gz", PACKED), ("x", CONTENT)], ids=["gz", "plain"]
)
def test_plain_and_compressed(tmp_path: Path, name: str, stored: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(stored)
    assert np.array_equal(read_idx(path, md5(CONTENT)), VALUES)


def test_the_story_of_an_altered_file(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    altered = CONTENT[:-1] + b"\xff"
    path.write_bytes(altered)
    with pytest.raises(DataError) as caught:
        read_idx(path, md5(CONTENT))
    assert str(caught.value) == (
        f"The file {path} is not the original: the MD5 of its content must be {md5(CONTENT)}, "
        f"found {md5(altered)}. Put the original file in its place, or delete it and leave out "
        "the data directory to have it downloaded."
    )


@pytest.mark.parametrize(
    "stored",
    [
        PACKED[:-12],
        PACKED[:-4],
        b"",
        b"not compressed at all",
        PACKED[:20] + bytes(40),
    ],
    ids=["cut", "without its end", "empty", "no gzip", "overwritten"],
)
def test_a_damaged_stream(tmp_path: Path, stored: bytes) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(stored)
    expected = md5(CONTENT + b"the original holds more")
    story = rf"{re.escape(str(path))}.*must be {expected}, found [0-9a-f]{{32}}\. Its compressed"
    with pytest.raises(DataError, match=story):
        read_idx(path, expected)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.binary(max_size=40))
def test_random_bytes_are_refused_or_are_an_array(content: bytes) -> None:
    try:
        array = parse_idx(content, Path("x"))
    except DataError:
        return
    assert idx_bytes(array) == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        # The product is 0 in 64 bits.
        (
            bytes.fromhex("00000803 22000000 02000000 04000000"),
            "must hold 1284483683340543498125312 values",
        ),
        (b"\x00\x00\x0d\x01" + bytes(8), 'it starts with "00 00 0d 01"'),
        (b"PK\x03\x04", 'it starts with "50 4b 03 04"'),
        (CONTENT[:-1], "must hold 60 values after its header; it holds 59"),
        (CONTENT + b"x", "must hold 60 values after its header; it holds 61"),
        (CONTENT[:9], "it holds 0"),
    ],
    ids=["sizes beyond 64 bits", "another type", "a zip file", "short", "long", "header cut"],
)
def test_what_is_no_idx_file(content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        parse_idx(content, Path("x"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path / "x", md5(CONTENT))


def test_a_file_of_another_content_that_decompresses(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"something else"))
    with pytest.raises(DataError, match=f"found {md5(b'something else')}") as caught:
        read_idx(path, md5(CONTENT))
    assert "damaged" not in str(caught.value)
