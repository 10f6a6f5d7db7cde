"""`progress.jsonl`: how far the trainings are that have no record yet, for whoever looks on.

A worker on the same machine adds a line after each epoch. Nothing is decided by the file and
nothing waits for it: it may be deleted at any time, and what cannot be written is left out.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from actlab.files import open_regular
from actlab.records import Epoch, Trial

VARIABLE = "ACTLAB_PROGRESS"
"""The environment variable in which a worker finds the file, where one is wanted."""

MOST_BYTES = 4_000_000
"""A file that has grown to this begins anew."""

OnEpoch = Callable[[int, Epoch], None]


@contextmanager
def live_progress(path: Path) -> Iterator[None]:
    """Have the workers that start meanwhile report to `path`; an older file there goes."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(path.absolute())
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def epoch_writer(trial: Trial) -> OnEpoch | None:
    """Return what writes down each epoch of a trial; None where nobody wants it."""
    path = os.environ.get(VARIABLE)
    if not path:
        return None

    def write(number: int, epoch: Epoch) -> None:
        line = {
            "identity": trial.identity,
            "number": trial.number,
            "stage": trial.stage,
            "conv": trial.setting.conv_activation or "",
            "fc": " × ".join(
                name for slot, name in trial.setting.activations.items() if slot != "conv"
            ),
            "learning_rate": trial.setting.learning_rate,
            "worker": os.getpid(),
            "epoch": number,
            "metric": epoch.valid_metric if epoch.valid_loss is not None else None,
            "seconds": epoch.seconds,
            "time": time.time(),
        }
        with contextlib.suppress(OSError):
            _append(Path(path), json.dumps(line).encode() + b"\n")

    return write


def _append(path: Path, line: bytes) -> None:
    with open_regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as stream:
        if os.fstat(stream.fileno()).st_size > MOST_BYTES:
            stream.truncate(0)
        stream.write(line)  # in one call, so that lines of several workers do not mix
