"""A process of its own for what runs a program of the user's, which may end it at any moment.

`actlab check` answers by its exit code. A program can end its process past every handler (a crash
in native code, `_exit` of the C library, another program in its place); the process that waits for
the answer then says that nothing was checked.
"""

import contextlib
import gc
import io
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from actlab.i18n import _

_GONE_ON = b"on"
_EXIT = os._exit
"""The real one: a program that is run may find another in its place."""
_reply: int | None = None


def guarded(work: Callable[[], int]) -> int:
    """Return what `work` returns in a child process, 2 where the child ends without an answer.

    Where processes do not fork, `work` runs in this one.
    """
    global _reply
    if not hasattr(os, "fork"):
        return work()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _reply = writing
        code = work()
        if not is_guarded():  # the program went on, and ends as it would have
            return code
        end_now(code)
    os.close(writing)
    status = _waited_for(child)
    answer = os.read(reading, 16)
    if answer and answer != _GONE_ON:
        return int(answer)
    if answer == _GONE_ON:
        return _ended_likewise(status)
    print("actlab: " + _ending(status), file=sys.stderr)
    return 2


def is_guarded() -> bool:
    """Return whether this is the child process, with nothing answered yet."""
    return _reply is not None


def end_now(code: int) -> NoReturn:
    """Answer, and end the process at once: nothing of what a program does at its end is done.

    What was written before is on its way: open files are flushed. Child processes are ended.
    """
    assert _reply is not None
    os.write(_reply, str(code).encode())
    for item in gc.get_objects():
        if issubclass(type(item), io.IOBase):
            with contextlib.suppress(Exception):
                item.flush()
    if "multiprocessing" in sys.modules:
        for process in sys.modules["multiprocessing"].active_children():
            process.terminate()
    _EXIT(code)


def let_go() -> None:
    """Let the program's own end be the end of the command."""
    global _reply
    if _reply is not None:
        os.write(_reply, _GONE_ON)
        os.close(_reply)
        _reply = None


def _waited_for(child: int) -> int:
    """Wait for the child, hand signals on to it, and return how it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the child as well

    def hand_on(number: int, _frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, hand_on)
    return os.waitpid(child, 0)[1]


def _ended_likewise(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    return 128 - code


def _ending(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        name = signal.Signals(-code).name
        text = _("The program crashed ({signal}), or was killed.").format(signal=name)
    else:
        text = _("The program ended its process (exit code {code}).").format(code=code)
    return text + " " + _("Nothing was checked.")
