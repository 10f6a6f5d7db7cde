"""Files that are not on this machine: what an engine brought of them stands for them."""

import io
from pathlib import Path
from typing import IO

from actlab.addresses import offer, offered


def receive(path: str, content: bytes) -> None:
    """Let the data of a path be `content`, in this process, where there is no such file."""
    offer(f"file:{path}", content)


def is_there(path: Path) -> bool:
    """Return whether there is a file, or what was received in its place.

    >>> is_there(Path("/nowhere/a.npz"))
    False
    >>> receive("/nowhere/a.npz", b"content")
    >>> is_there(Path("/nowhere/a.npz")), opened(Path("/nowhere/a.npz")).read()
    (True, b'content')
    """
    return path.is_file() or offered(f"file:{path}") is not None


def opened(path: Path) -> IO[bytes]:
    """Return a file, or what was received in its place, to read from; raises as `open` does."""
    content = None if path.is_file() else offered(f"file:{path}")
    return path.open("rb") if content is None else io.BytesIO(content)
