"""Reading IDX files, plain or gzip-compressed, with a checksum of their content.

The format: two zero bytes, a type (8: unsigned byte), the number of dimensions, each dimension as
a big-endian 32-bit number, then the values. Source: Y. LeCun's MNIST page, "the IDX file format".
"""

import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actlab.errors import DataError, os_errors_as
from actlab.i18n import _

_UNSIGNED_BYTE = 8
_GZIP_OR_ZLIB_WINDOW = 47


LARGEST_BYTES = 64_000_000
"""More than the largest file of MNIST has; what expands beyond it is no such file."""


def read_idx(path: Path, md5: str) -> NDArray[np.uint8]:
    """Return the array in the IDX file at `path` after checking the MD5 of its plain content.

    Raises DataError, with the expected and the found checksum, for a file that was cut short or
    altered, and for one that cannot be read.
    """
    with os_errors_as(DataError, _("The file {path} cannot be read ({reason})."), path=path):
        raw = path.read_bytes()
    content, whole = _decompressed(raw) if path.suffix == ".gz" else (raw, True)
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise DataError(_altered(path, md5, found, whole))
    return parse_idx(content, path)


def parse_idx(content: bytes, path: Path) -> NDArray[np.uint8]:
    """Return the array of unsigned bytes that `content` holds; `path` is for the error's story."""
    magic = content[:4]
    if len(magic) < 4 or magic[:3] != bytes((0, 0, _UNSIGNED_BYTE)):
        raise DataError(
            _(
                "The file {path} must be in IDX format and start with 00 00 08; it starts with "
                '"{start}". Put the original file in its place.'
            ).format(path=path, start=magic.hex(" "))
        )
    header_length = 4 + 4 * magic[3]
    header = content[4:header_length]
    shape = struct.unpack(f">{len(header) // 4}I", header[: len(header) // 4 * 4])
    expected = math.prod(shape)  # in integers of any size: those of NumPy wrap around
    if len(header) < 4 * magic[3] or len(content) - header_length != expected:
        raise DataError(
            _(
                "The file {path} must hold {expected} values after its header; it holds {found}. "
                "Put the original file in its place."
            ).format(path=path, expected=expected, found=max(0, len(content) - header_length))
        )
    return np.frombuffer(content, np.uint8, offset=header_length).reshape(shape)


def _decompressed(raw: bytes) -> tuple[bytes, bool]:
    """Return what can be decompressed, and whether the stream was whole and sound."""
    stream = zlib.decompressobj(wbits=_GZIP_OR_ZLIB_WINDOW)
    try:
        return stream.decompress(raw, LARGEST_BYTES), stream.eof
    except zlib.error:
        return b"", False


def _altered(path: Path, expected: str, found: str, whole: bool) -> str:
    story = _(
        "The file {path} is not the original: the MD5 of its content must be {expected}, found "
        "{found}."
    ).format(path=path, expected=expected, found=found)
    if not whole:
        story += " " + _("Its compressed stream is damaged or cut short.")
    advice = _(
        "Put the original file in its place, or delete it and leave out the data directory to have "
        "it downloaded."
    )
    return f"{story} {advice}"
