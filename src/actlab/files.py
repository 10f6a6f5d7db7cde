"""Files that are whole or not there."""

import os
from pathlib import Path


def write_bytes(path: Path, content: bytes) -> Path:
    """Replace `path` by `content` in one step, and return the path.

    The content is written beside its place, brought to the disk and renamed, so that no reader, and
    no crash, ever leaves half of it. Raises OSError where the folder is missing or not writable.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def write_text(path: Path, text: str) -> Path:
    """Replace `path` by a text in UTF-8, as `write_bytes` does.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_text(Path(folder, "a.txt"), "done").read_text()
    'done'
    """
    return write_bytes(path, text.encode())
