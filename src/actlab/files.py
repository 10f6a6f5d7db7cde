"""Files that are whole or not there, and what a text in one of them says."""

import errno
import json
import os
import stat
import tomllib
from pathlib import Path
from typing import IO, Any

from actlab.i18n import _


def write_bytes(path: Path, content: bytes) -> Path:
    """Replace `path` by `content` in one step, and return the path.

    The content is written to a file next to it, brought to the disk and renamed, so that no reader
    and no crash ever meets half of it. That file is a new one: a link in its place is removed, not
    followed. Raises OSError, which names the file, where the folder is missing or not writable,
    or the disk is full.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)
        with beside.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as error:
        error.filename = str(path)
        raise
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


def make_folder(path: Path) -> Path:
    """Make a folder in one that is there, unless it exists, and return the path.

    Raises OSError where a link is in its place: what is written would go elsewhere.
    """
    path.mkdir(exist_ok=True)
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return path


def read_regular(path: Path, limit: int = 2**30) -> bytes:
    """Return the content of a regular file of at most `limit` bytes.

    Raises OSError for a link, a pipe, and a file that is larger: nothing of it is read then. A file
    that grows meanwhile is read as far as it reached at first.
    """
    with open_regular(path, os.O_RDONLY) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > limit:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
        # As much memory as is asked for is taken before anything is read: never the limit.
        return stream.read(size)


def open_regular(path: Path, flags: int) -> IO[bytes]:
    """Open a file by the flags of `os.open`, as long as it is a regular file and no link.

    A link in a folder that came from elsewhere would lead a write to another place, and a pipe
    would be waited on for ever. Raises OSError for both.
    """
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, _("it is no regular file"), str(path))
    mode = {os.O_RDONLY: "rb", os.O_WRONLY: "ab" if flags & os.O_APPEND else "wb"}
    return os.fdopen(descriptor, mode.get(flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR), "r+b"))


def parse_json(text: str | bytes) -> Any:
    """Return what a text in JSON says; raises ValueError for what is none or nested too deeply.

    >>> parse_json("[" * 100_000)
    Traceback (most recent call last):
        ...
    ValueError: it is nested too deeply
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(_("it is nested too deeply")) from None


def parse_toml(text: str) -> dict[str, Any]:
    """Return what a text in TOML says; raises ValueError for what is none or nested too deeply.

    >>> parse_toml("x = " + "[" * 100_000)
    Traceback (most recent call last):
        ...
    ValueError: it is nested too deeply
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(_("it is nested too deeply")) from None
