"""One worker process: started when it is needed, watched while it works, ended with its parent."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from actlab.addresses import as_program, users_error
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
    """A slot for one process at a time; a process that is lost is replaced by the next task.

    The process has environment `variables` of its own, and ends when it had nothing to do for
    `idle_limit` seconds.
    """

    def __init__(
        self, variables: Mapping[str, str] | None = None, idle_limit: float | None = None
    ) -> None:
        self._variables = dict(variables or {})
        self._idle_limit = idle_limit
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
            _kill_group(self._process)

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
        arguments = (tasks, beats, self._idle_limit)
        process = _SPAWN.Process(target=serve, args=arguments, daemon=True)
        with _main_left_out(), _allowed_to_have_children(), _environment(self._variables):
            process.start()
        self._process = process
        tasks.close()
        beats.close()
        if self._retired.is_set():
            _kill_group(self._process)
        self._answer(START_SECONDS)

    def _stop(self) -> int | None:
        for connection in (self._tasks, self._beats):
            if connection is not None:
                connection.close()
        if self._process is None:
            return None
        _kill_group(self._process)
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


@contextlib.contextmanager
def _allowed_to_have_children() -> Iterator[None]:
    """Let a daemonic process (a worker of Dask) or one of loky's start one of its own.

    The standard library refuses the first, and hands loky's way of starting on to the second.
    """
    settings: dict[str, Any] = getattr(multiprocessing.current_process(), "_config", {})
    default: Any = getattr(multiprocessing.context, "_default_context", None)
    before = settings.get("daemon"), getattr(default, "_actual_context", None)
    settings["daemon"] = False
    if default is not None:
        default._actual_context = _SPAWN
    try:
        yield
    finally:
        settings["daemon"] = before[0]
        if default is not None:
            default._actual_context = before[1]


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have environment variables for a while; a process that starts meanwhile inherits them."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _kill_group(process: Any) -> None:
    """Kill a worker together with the processes that the user's code started in it."""
    with contextlib.suppress(OSError, AttributeError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def serve(tasks: Connection, beats: Connection, idle_limit: float | None = None) -> None:
    """Say when ready, then take and answer tasks until the parent closes the pipe or is gone."""
    _set_apart()
    threading.Thread(target=_beat, args=(beats,), daemon=True).start()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from actlab.studies import worker

    worker.initialise()
    here, folder = os.getpid(), Path.cwd()
    tasks.send(READY)
    with contextlib.suppress(EOFError, ConnectionError):  # the parent is gone
        while tasks.poll(idle_limit):
            function, arguments, named = tasks.recv()
            tasks.send(TAKEN)
            answer = _answer_of(function, arguments, named)
            if os.getpid() != here:  # the user's code forked, and this is the copy
                os._exit(0)
            tasks.send_bytes(answer)
            os.chdir(folder)
            worker.reset()
    _kill_own_group()


def _set_apart() -> None:
    """Have a process group, a standard output and children of one's own."""
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # Ctrl-C goes to the driver alone, which decides what it means
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        os.dup2(2, 1)  # what the user's model prints must not reach a command's JSON
    # A user's data loader may start processes of its own; they end with this one's group.
    getattr(multiprocessing.current_process(), "_config", {})["daemon"] = False


def _kill_own_group() -> None:
    with contextlib.suppress(OSError, AttributeError):
        if os.getpgid(0) == os.getpid():
            os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _answer_of(function: Callable[..., Any], arguments: Any, named: Any) -> bytes:
    what = _("The network or its training")
    try:
        with as_program(what):
            return pickle.dumps((True, function(*arguments, **named)))
    except Exception as error:  # handed to the driver, which raises it there
        try:
            return pickle.dumps((False, users_error(what, error)))
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
        _kill_own_group()
