"""Ctrl-C and a request to end: one exception, which keeps everything done so far."""

import signal
from types import FrameType


def stop_on_signals() -> None:
    """Raise KeyboardInterrupt on SIGINT and SIGTERM, and on SIGHUP unless it is ignored (nohup).

    SIGINT too: a shell's background job is born deaf to it.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        signal.signal(hangup, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
