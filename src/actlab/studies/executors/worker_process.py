"""One worker process: started when it is needed, watched while it works, ended with its parent."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any, TypeVar

from actlab.i18n import _

Result = TypeVar("Result")

BEAT_SECONDS = 1.0
SILENCE_SECONDS = 30.0
"""A process that gives no sign of life for two such windows in a row is hung. (One window alone
may pass while the whole program is stopped, as by Ctrl-Z.)"""

START_SECONDS = 300.0
"""How long a new process may take until it can work."""

TAKE_SECONDS = 60.0
"""How long a process that waits for a task may take until it says that it has it."""

_SPAWN = multiprocessing.get_context("spawn")
_STARTING = threading.Lock()


class WorkerLostError(Exception):
    """The process that ran a task was killed, crashed or hung; the task has no result."""


READY, TAKEN = "ready", "taken"

_Task = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
_LOST = (WorkerLostError, EOFError, OSError)


class WorkerProcess:
    """A slot for one process at a time; a process that is lost is replaced by the next task."""

    def __init__(self) -> None:
        self._retired = threading.Event()
        self._process: Any = None
        self._tasks: Connection | None = None
        self._beats: Connection | None = None

    def run(
        self,
        function: Callable[..., Result],
        arguments: tuple[Any, ...],
        named: dict[str, Any],
        timeout: float,
    ) -> Result:
        """Return `function(*arguments, **named)`, computed in the process, or raise what it raised.

        Raises WorkerLostError where the process ended, gave no sign of life, or took longer than
        `timeout` seconds.
        """
        task = (function, arguments, named)
        try:
            if not self._take_over(task):
                self._start()
                self._hand_over(task)
            succeeded, answer = self._answer(timeout)
        except _LOST as error:
            raise WorkerLostError(self._last_words(error)) from None
        if not succeeded:
            raise answer
        result: Result = answer
        return result

    def retire(self) -> None:
        """End the process, for good."""
        self._retired.set()
        if self._process is not None:
            self._process.kill()

    def _take_over(self, task: _Task) -> bool:
        """Return whether a process from before has the task; one lost while idle costs nothing."""
        if self._process is None:
            return False
        try:
            self._hand_over(task)
        except _LOST:
            return False
        return True

    def _hand_over(self, task: _Task) -> None:
        assert self._tasks is not None
        self._tasks.send(task)
        self._answer(TAKE_SECONDS)

    def _last_words(self, error: Exception) -> str:
        code = self._stop()
        return str(error) or _("its process ended with exit code {code}").format(code=code)

    def _start(self) -> None:
        if self._retired.is_set():
            raise WorkerLostError(_("the study is ending"))
        self._stop()
        self._tasks, tasks = _SPAWN.Pipe()
        self._beats, beats = _SPAWN.Pipe(duplex=False)
        self._process = _SPAWN.Process(target=serve, args=(tasks, beats), daemon=True)
        with _main_left_out():
            self._process.start()
        tasks.close()
        beats.close()
        if self._retired.is_set():
            self._process.kill()
        self._answer(START_SECONDS)

    def _stop(self) -> int | None:
        for connection in (self._tasks, self._beats):
            if connection is not None:
                connection.close()
        if self._process is None:
            return None
        self._process.kill()
        self._process.join()
        code: int | None = self._process.exitcode
        self._process = None
        return code

    def _answer(self, timeout: float) -> Any:
        assert self._tasks is not None
        assert self._beats is not None
        deadline = time.monotonic() + timeout
        silent_windows = 0
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WorkerLostError(_("it took longer than {s} s").format(s=f"{timeout:g}"))
            ready = wait(
                [self._tasks, self._beats, self._process.sentinel], min(left, SILENCE_SECONDS)
            )
            if self._tasks in ready:
                return self._tasks.recv()
            if self._process.sentinel in ready:
                raise EOFError
            if self._beats in ready:
                self._beats.recv_bytes()
                silent_windows = 0
            elif left > SILENCE_SECONDS:
                silent_windows += 1
            if silent_windows == 2:
                raise WorkerLostError(_("its process gave no sign of life"))


@contextlib.contextmanager
def _main_left_out() -> Iterator[None]:
    """Keep a new process from running the user's script, of which a worker needs nothing.

    A spawned process imports the main module; a script without `if __name__ == "__main__":` would
    start its study again in every worker.
    """
    with _STARTING:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def serve(tasks: Connection, beats: Connection) -> None:
    """Say when ready, then take and answer tasks until the parent closes the pipe or is gone."""
    # Ctrl-C reaches the whole process group; only the driver decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_beat, args=(beats,), daemon=True).start()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from actlab.studies import worker

    worker.initialise()
    tasks.send(READY)
    with contextlib.suppress(EOFError):
        while True:
            function, arguments, named = tasks.recv()
            tasks.send(TAKEN)
            tasks.send_bytes(_answer_of(function, arguments, named))


def _answer_of(function: Callable[..., Any], arguments: Any, named: Any) -> bytes:
    try:
        return pickle.dumps((True, function(*arguments, **named)))
    except Exception as error:  # handed to the driver, which raises it there
        try:
            return pickle.dumps((False, error))
        except Exception:  # an error that cannot travel goes as its text
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))


def _beat(beats: Connection) -> None:
    with contextlib.suppress(OSError):
        while True:
            beats.send_bytes(b".")
            time.sleep(BEAT_SECONDS)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
