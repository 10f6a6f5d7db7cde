"""Ctrl-C and a request to end: one exception, which keeps everything done so far."""

import atexit
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

PATIENCE_SECONDS = 5.0
"""How long a command that was asked to end may take for it until asking again ends it at once."""

_asked: float | None = None


class AskedToEnd(KeyboardInterrupt):
    """A request to end the command.

    A KeyboardInterrupt itself that is raised within `exec` of a text (dataclasses and named tuples
    are made so, while modules are imported) has Python end by SIGINT, caught or not, whatever the
    exit code was to be.
    """


def stop_on_signals() -> None:
    """Raise AskedToEnd on SIGINT and SIGTERM, and on SIGHUP unless it is ignored (nohup).

    SIGINT too: a shell's background job is born deaf to it. Once raised, it is not raised again
    into what is being kept; whoever asks again after `PATIENCE_SECONDS` ends the process at once.
    """
    global _asked
    _asked = None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        signal.signal(hangup, _interrupt)
    atexit.register(_ignore_signals)


@contextmanager
def going_on_later(path: Path) -> Iterator[None]:
    """Say, where this is interrupted, what a run folder keeps and how to go on with it.

    Nothing is said where the folder of a new study is not there yet.
    """
    try:
        yield
    except KeyboardInterrupt:
        if (path / "plan.toml").exists():
            _say_how_to_go_on(path)
        raise


def _say_how_to_go_on(path: Path) -> None:
    from actlab.cli.output import say
    from actlab.i18n import _
    from actlab.studies.run_folder import RunFolder

    folder = RunFolder(path)
    plan, records = folder.plan(), folder.all_records()
    done = sum(record.stage == "search" for record in records)
    if plan.tasks is not None:
        done = len(records)
        message = _(
            "Interrupted: {done} of {planned} trainings are done and kept. "
            "Go on with: actlab study resume {path}"
        )
    elif len(records) > done:
        message = _(
            "Interrupted: {count} trainings of the confirmation are done and kept. "
            "Go on with: actlab study resume {path}"
        )
    else:
        message = _(
            "Interrupted: {done} of {planned} trials are done and kept. "
            "Go on with: actlab study resume {path}"
        )
    numbers = {"count": len(records) - done, "done": done, "planned": plan.trials}
    say(message.format(path=path, **numbers))


def _ignore_signals() -> None:
    """Leave the exit code what it is: as Python ends, it gives each signal back its default."""
    for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    global _asked
    now = time.monotonic()
    if _asked is None:
        _asked = now
        raise AskedToEnd
    if now - _asked > PATIENCE_SECONDS:
        os._exit(130)
