"""What all engines have in common: tasks that are lost, late or hung, and workers that differ."""

import concurrent.futures
import contextlib
import queue
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from actlab.errors import ActlabError, EngineError, reason_of
from actlab.i18n import _
from actlab.records import DataPlan, Plan
from actlab.studies.executors import hosting
from actlab.studies.executors.worker_process import WorkerLostError
from actlab.studies.worker.environment import available_cores

Result = TypeVar("Result")

ANSWER_SECONDS = 25.0
"""How long an engine may take to say who its workers are, so that a study starts or ends in 30."""

DATA_SECONDS = 60.0
"""How long they may take to open the data and hash it."""

GRACE_SECONDS = 120.0
"""How long a task may take beyond its limit, which its worker watches itself, before the driver
gives the worker up: a new worker process has to start within it."""

DRIVER = uuid.uuid4().hex
"""Names this process to workers, which keep what they host for it apart from others'."""

KNOCK_SECONDS = 8.0
"""How long a machine may take to say whether anybody listens at a port."""

_TICK_SECONDS = 1.0


@dataclass
class _Started:
    """A task that an engine has: its future there, and how long it can have run."""

    future: Any
    limit: float
    waited: float = 0.0


class ClusterExecutor(concurrent.futures.Executor):
    """Tasks on the workers of an engine; `limit` is how many seconds the next ones may take.

    A subclass starts a task, stops it, counts the places for tasks, and asks the workers who they
    are. The future of a task whose worker was killed, crashed or hung raises `WorkerLostError`;
    what such a worker still says afterwards is not listened to. `network` is the name and the
    cloudpickle of a network that workers cannot import, if any; `files` are the paths of data that
    the engine was given once, to bring them where they are not.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.gpu = False
        self.network: tuple[str, bytes] | None = None
        self.files: tuple[str, ...] = ()
        self._started: dict[Future[Any], _Started] = {}
        self._lock = threading.Lock()
        self._done: queue.SimpleQueue[Future[Any] | None] = queue.SimpleQueue()
        self._capacity = (0.0, 1)
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def start_task(self, task: hosting.Task) -> Any:
        """Start a task; return the engine's future of it, with `add_done_callback`."""
        raise NotImplementedError

    def stop_task(self, future: Any) -> None:
        """Stop a task that is not waited for any more."""
        future.cancel()

    def count_places(self) -> int:
        """Return how many tasks the engine can run at a time, now."""
        raise NotImplementedError

    def identities(self, plan: DataPlan | None) -> Mapping[str, dict[str, str] | Exception]:
        """Return what `hosting.identify` says on every worker that is there, by its name."""
        raise NotImplementedError

    def hand_over(self, files: hosting.Files) -> bool:
        """Give files to the engine for all workers; return whether it has means for that."""
        del files
        return False

    def has_gpus(self) -> bool:
        """Return whether the engine knows of GPUs."""
        return False

    def gpu_faults(self) -> Mapping[str, str | Exception]:
        """Return what `hosting.gpu_fault` says on every worker that offers a GPU, by its name."""
        return {}

    def is_alive(self) -> bool:
        """Return whether the engine still answers."""
        return True

    def reason_of_loss(self, error: BaseException) -> str:
        """Return why a task has no answer, given what the engine's future raises."""
        return (f"{type(error).__name__}: {error}").splitlines()[0]

    def capacity(self) -> int:
        """Return how many tasks can run at a time, at least one; asked once in some seconds."""
        asked, places = self._capacity
        if time.monotonic() - asked > 2 * _TICK_SECONDS or not asked:
            with contextlib.suppress(Exception):  # an engine that is gone says so elsewhere
                places = max(1, self.count_places())
            self._capacity = (time.monotonic(), places)
        return places

    def check(self, plan: Plan, fingerprint: str | None) -> None:
        """Compare the workers with the driver before the first trial.

        Raises EngineError where a worker has another version of actlab, torch, the record format
        or the data, cannot open the data, or where a GPU was asked for and there is none.
        """
        asked = plan.execution.device
        self.gpu = asked == "cuda" or (asked == "auto" and self.has_gpus())
        if self.gpu and not self.has_gpus():
            raise EngineError(
                _(
                    "The device cuda was asked for, but no worker of this engine offers a GPU. "
                    "Start workers that do, or use --device cpu."
                )
            )
        if self.gpu:
            for name, fault in within(ANSWER_SECONDS, self.gpu_faults).items():
                if fault:
                    message = _("The worker {name} offers a GPU and has none: {fault}")
                    raise EngineError(message.format(name=name, fault=fault))
        expected = hosting.versions()
        self._compare(within(ANSWER_SECONDS, lambda: self.identities(None)), expected)
        if fingerprint is not None:
            expected["data"] = fingerprint
        if plan.training.function is None:
            self._compare(self.bring(plan.data), expected)

    def bring(self, plan: DataPlan) -> Mapping[str, dict[str, str] | Exception]:
        """Give the engine the files of the data where a worker lacks one, or none is there yet.

        Returns what the workers say of the data. Raises EngineError where they do not answer.
        """
        found = within(DATA_SECONDS, lambda: self.identities(plan))
        files = hosting.files_of(plan)
        is_lacking = not found or any(
            isinstance(one, dict) and "lacks" in one for one in found.values()
        )
        if is_lacking and all(Path(path).is_file() for path in files):
            content = {path: Path(path).read_bytes() for path in files}
            self.files = files if content and self.hand_over(content) else ()
        return found

    def _compare(
        self, identities: Mapping[str, dict[str, str] | Exception], expected: dict[str, str]
    ) -> None:
        for name, found in identities.items():
            if isinstance(found, Exception):
                message = _("The worker {name} cannot run actlab: {error}.")
                text = f"{type(found).__name__}: {found}"
                raise EngineError(message.format(name=name, error=text.splitlines()[0]))
            fault = found.get("fault")
            if "lacks" in found:
                if self.files:
                    continue  # the engine brings the driver's
                fault = _("There is no file {path}.").format(path=found["lacks"])
            if fault is not None:
                message = _("The worker {name} cannot open the data: {fault}")
                raise EngineError(message.format(name=name, fault=fault))
            if "data" in found:
                expected.setdefault("data", found["data"])
            if {kind: found.get(kind) for kind in expected} != expected:
                raise EngineError(hosting.difference(name, found, expected))

    def submit(
        self, function: Callable[..., Result], /, *arguments: Any, **named: Any
    ) -> "Future[Result]":
        """Run `function(*arguments, **named)` in a process that a worker hosts."""
        answer: Future[Result] = Future()
        answer.set_running_or_notify_cancel()
        task = hosting.Task(
            *(DRIVER, hosting.versions(), function, arguments, named, self.limit, self.gpu),
            network=self.network,
            files=self.files,
        )
        try:
            started = self.start_task(task)
        except ActlabError:
            raise
        except Exception as error:
            raise _unreachable(error) from error
        with self._lock:
            self._started[answer] = _Started(started, self.limit)
        started.add_done_callback(lambda _future: self._done.put(answer))
        return answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop listening: after the tasks under way, or at once with `cancel_futures`."""
        with self._lock:
            under_way = dict(self._started)
        if cancel_futures:
            for answer, started in under_way.items():
                self._lose(answer, _("the study is ending"))
                with contextlib.suppress(Exception):  # the engine may be gone
                    self.stop_task(started.future)
        elif wait:
            concurrent.futures.wait(under_way)
        self._done.put(None)
        self._watching.join(timeout=10 * _TICK_SECONDS)
        self.close(now=cancel_futures)

    def close(self, *, now: bool) -> None:
        """Leave the engine; with `now`, end what still runs for this driver."""

    def _watch(self) -> None:
        """Hand on what is done, and give up what takes too long."""
        before = time.monotonic()
        while True:
            try:
                answer = self._done.get(timeout=_TICK_SECONDS)
                if answer is None:
                    return
                self._settle(answer)
            except queue.Empty:
                pass
            now = time.monotonic()
            if now - before >= _TICK_SECONDS:
                self._give_up_hung(now - before)
                before = now

    def _settle(self, answer: "Future[Any]") -> None:
        with self._lock:
            started = self._started.pop(answer, None)
        if started is None or answer.done():
            return  # late: it was given up before
        try:
            succeeded, value = started.future.result()
        except (Exception, concurrent.futures.CancelledError) as error:
            if isinstance(error, BrokenExecutor) or not self.is_alive():
                answer.set_exception(_unreachable(error))
            else:
                answer.set_exception(WorkerLostError(self.reason_of_loss(error)))
            return
        if succeeded:
            answer.set_result(value)
        else:
            answer.set_exception(value)

    def _give_up_hung(self, seconds: float) -> None:
        """Count the time of tasks; where more wait than there are places, it is not known."""
        with self._lock:
            under_way = dict(self._started)
        if not under_way or len(under_way) > self.capacity():
            return
        for answer, started in under_way.items():
            started.waited += seconds
            if started.waited > started.limit + GRACE_SECONDS:
                self._lose(answer, _("its worker gave no answer"))
                with contextlib.suppress(Exception):  # a worker that hangs may not be stopped
                    self.stop_task(started.future)

    def _lose(self, answer: "Future[Any]", reason: str) -> None:
        with self._lock:
            if self._started.pop(answer, None) is None:
                return
        answer.set_exception(WorkerLostError(reason))


class GivenExecutor(ClusterExecutor):
    """An executor of the user's: loky, mpi4py.futures, submitit by its adapter, any other.

    It is theirs to shut down.
    """

    def __init__(self, executor: concurrent.futures.Executor, limit: float) -> None:
        super().__init__(limit)
        self._executor = executor

    def start_task(self, task: hosting.Task) -> Any:
        """Submit the task."""
        return self._executor.submit(hosting.run_task, task)

    def count_places(self) -> int:
        """Return the executor's number of workers, where it has the attribute of the library."""
        return int(getattr(self._executor, "_max_workers", None) or available_cores())

    def identities(self, plan: DataPlan | None) -> Mapping[str, dict[str, str] | Exception]:
        """Return what one worker says: an executor has no names for them."""
        try:
            answer = self._executor.submit(hosting.identify, plan)
            return {type(self._executor).__name__: answer.result(DATA_SECONDS)}
        except Exception as error:
            return {type(self._executor).__name__: error}


def knock(address: str) -> None:
    """Raise ConnectionError where nobody listens at HOST:PORT.

    The engines go on trying for a while where a port is closed.
    """
    host, _colon, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        raise ConnectionError(reason) from None


def within(seconds: float, ask: Callable[[], Result]) -> Result:
    """Return what `ask` returns; raises EngineError where that takes longer than some seconds."""
    answer: Future[Result] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return answer.result(seconds)
    except concurrent.futures.TimeoutError:
        message = _("The engine did not answer within {seconds} s.")
        raise EngineError(message.format(seconds=f"{seconds:g}")) from None


def _unreachable(error: BaseException) -> EngineError:
    text = (f"{type(error).__name__}: {error}").splitlines()[0]
    message = _(
        "The engine that ran the trials cannot be reached any more ({error}). What is done is "
        "kept: go on with actlab study resume."
    )
    return EngineError(message.format(error=text))
