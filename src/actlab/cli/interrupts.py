"""Ctrl-C and a request to end: one exception, which keeps everything done so far."""

import signal
from types import FrameType


def stop_on_signals() -> None:
    """Raise KeyboardInterrupt on SIGINT and SIGTERM.

    SIGINT too: a shell's background job is born deaf to it.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
