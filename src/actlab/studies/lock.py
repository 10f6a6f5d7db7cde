"""One process at a time on a run folder: a lock that goes with the process, however it ends.

The file holds the process number and the machine of its owner, for who is refused. Where the
system has no advisory locks, the file alone is the lock; one whose owner is not running is stale.
"""

import contextlib
import errno
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from actlab.errors import RunFolderError, os_errors_as
from actlab.files import open_regular, parse_json
from actlab.i18n import _

try:
    import fcntl
except ImportError:  # a system without advisory locks
    fcntl = None  # type: ignore[assignment]  # told apart where it is used

_LONGEST = 1000


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock in the file `path`, which is there only as long as it is held.

    Raises RunFolderError, with nothing changed, where another process holds it, or where the folder
    cannot be written.
    """
    with _acquired(path) as stream:
        stream.seek(0)
        stream.truncate()
        owner = {"pid": os.getpid(), "host": socket.gethostname()}
        stream.write(json.dumps(owner).encode())
        stream.flush()
        try:
            yield
        finally:
            # Under the lock: whoever waits for this file finds that it is gone and makes a new one.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def is_held(path: Path) -> bool:
    """Return whether a running process holds the lock in the file `path`; nothing is touched.

    An owner on another machine counts as running, since nothing here can tell.
    """
    try:
        with open_regular(path, os.O_RDONLY) as stream:
            owner = _owner(stream)
    except OSError:
        return False
    return owner.get("host") != socket.gethostname() or _is_running(owner.get("pid"))


def _acquired(path: Path) -> IO[bytes]:
    while True:
        message = _("{path} cannot be written: {reason}. Nothing was changed.")
        with os_errors_as(RunFolderError, message, path=path):
            stream = open_regular(path, os.O_RDWR | os.O_CREAT)
        if not _is_free(stream):
            owner = _owner(stream)
            stream.close()
            raise _held(path.parent, owner)
        if _is_at(path, stream):
            return stream
        stream.close()  # its last owner removed it between the two steps


def _is_free(stream: IO[bytes]) -> bool:
    if fcntl is not None:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                raise
        else:
            return True
    owner = _owner(stream)
    return (owner.get("host") == socket.gethostname() and not _is_running(owner.get("pid"))) or (
        not owner
    )


def _owner(stream: IO[bytes]) -> dict[str, Any]:
    stream.seek(0)
    try:
        found = parse_json(stream.read(_LONGEST))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_running(pid: Any) -> bool:
    if not isinstance(pid, int) or pid < 1:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_at(path: Path, stream: IO[bytes]) -> bool:
    try:
        there, held = path.stat(follow_symlinks=False), os.fstat(stream.fileno())
    except FileNotFoundError:
        return False
    return (there.st_ino, there.st_dev) == (held.st_ino, held.st_dev)


def _held(folder: Path, owner: dict[str, Any]) -> RunFolderError:
    message = _(
        "Another process is running the study in {path}: process {pid} on {host}. Wait for it or "
        "stop it first; nothing was changed."
    )
    pid, host = owner.get("pid", "?"), owner.get("host", "?")
    return RunFolderError(message.format(path=folder, pid=pid, host=host))
