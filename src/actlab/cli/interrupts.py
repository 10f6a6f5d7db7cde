"""Ctrl-C and a request to end: one exception, which keeps everything done so far."""

import os
import signal
import time
from types import FrameType

PATIENCE_SECONDS = 5.0
"""How long a command that was asked to end may take for it until asking again ends it at once."""

_asked: float | None = None


def stop_on_signals() -> None:
    """Raise KeyboardInterrupt on SIGINT and SIGTERM, and on SIGHUP unless it is ignored (nohup).

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


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    global _asked
    now = time.monotonic()
    if _asked is None:
        _asked = now
        raise KeyboardInterrupt
    if now - _asked > PATIENCE_SECONDS:
        os._exit(130)
