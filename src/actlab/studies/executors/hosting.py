"""What runs on a worker of an engine: it hosts one of actlab's own worker processes per task slot.

A Dask worker may run several tasks as threads of one process, and a crash of the user's model would
take it along. In a process of its own every training has its own random state, one thread and a
limit in time, and a crash costs one task: the engine's worker lives and says what happened. The
process is kept for the next task of the same driver, and ends when none comes.
"""

import os
import pickle
import platform
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from actlab.errors import DeviceError, EngineError
from actlab.i18n import _
from actlab.records import FORMAT_VERSION, DataPlan
from actlab.studies.executors.worker_process import WorkerProcess

IDLE_SECONDS = 60.0
"""How long a hosted process waits for the next task before it ends."""

Files = dict[str, bytes]
"""The content of files of the driver's, by path."""

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_LOCK = threading.Lock()
_hosted: dict[tuple[str, int], tuple[str | None, WorkerProcess]] = {}


@dataclass(frozen=True)
class Task:
    """A call for a worker of an engine.

    `driver` names the process that asks, `versions` are the driver's, `limit` is how many seconds
    the call may take. Without `gpu` the call sees no GPU, so that no two share one by accident.
    `network` is the name and the cloudpickle of a network that no address leads to, if any;
    `files` are the paths of data that the engine brings where a machine lacks them.
    """

    driver: str
    versions: dict[str, str]
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    limit: float
    gpu: bool = False
    network: tuple[str, bytes] | None = None
    files: tuple[str, ...] = ()


class FilesLackingError(Exception):
    """A process has neither a file of the driver's data nor what the engine brings in its place."""


def versions() -> dict[str, str]:
    """Return the versions that driver and workers must share."""
    return _versions().copy()


@cache
def _versions() -> dict[str, str]:
    shared = {name: metadata.version(name) for name in ("actlab", "torch")}
    return {**shared, "record format": str(FORMAT_VERSION)}


def identify(plan: DataPlan | None) -> dict[str, str]:
    """Return this worker's versions, and the fingerprint of the planned data as it finds them.

    A file that is not there is named under "lacks", what cannot be opened is said under "fault".
    """
    found = versions()
    if plan is None:
        return found
    from actlab import data

    lacking = [path for path in files_of(plan) if not Path(path).is_file()]
    if lacking:
        return {**found, "lacks": lacking[0]}
    try:
        dataset = data.open_dataset(plan.name, plan.directory, plan.targets)
    except Exception as error:  # the driver says where
        return {**found, "fault": str(error)}
    return {**found, "data": dataset.fingerprint}


def gpu_fault() -> str:
    """Return why this worker has no GPU to train on; nothing where it has one."""
    from actlab import training

    try:
        training.resolve_device("cuda")
    except DeviceError as error:
        return str(error)
    return ""


def files_of(plan: DataPlan) -> tuple[str, ...]:
    """Return the paths of the files of the user's that planned data are read from."""
    from actlab import data

    own = [str(data.path_of(plan.name))] if data.is_file(plan.name) else []
    return (*own, *([] if plan.targets is None else [plan.targets]))


def run_task(task: Task, files: Callable[[], Files] = dict) -> tuple[bool, Any]:
    """Return (True, what the call returned) or (False, what it raised, or why it was lost).

    `files` fetches what the engine brought; it is called once for each process that lacks them.
    """
    if task.versions != versions():
        return False, EngineError(difference(platform.node(), versions(), task.versions))
    process = _process_of(task.driver, None if task.gpu else "")
    try:
        if task.network is None and not task.files:
            return True, process.run(task.function, task.arguments, task.named, task.limit)
        given = (task.network, task.files, task.function, task.arguments, task.named)
        try:
            return True, process.run(with_what_came, given, {}, task.limit)
        except FilesLackingError:
            process.run(receive_files, (files(),), {}, task.limit)
            return True, process.run(with_what_came, given, {}, task.limit)
    except Exception as error:  # raised by the driver, where the result is asked for
        return False, error


def receive_files(files: Files) -> None:
    """Let data be read from what came, in this process."""
    from actlab import data

    for path, content in files.items():
        data.receive(path, content)


def with_what_came(
    network: tuple[str, bytes] | None,
    files: tuple[str, ...],
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    named: dict[str, Any],
) -> Any:
    """Return what a call returns where a network that came by value can be built by its name.

    What is unpickled comes from the driver, whom the worker trusts with any code. Raises
    FilesLackingError where files of its data have to come first.
    """
    from actlab.addresses import offer
    from actlab.data.received import is_there

    if not all(is_there(Path(path)) for path in files):
        raise FilesLackingError
    if network is not None:
        name, content = network
        offer(name, pickle.loads(content))  # noqa: S301  from the driver, as the function itself
    return function(*arguments, **named)


def difference(where: str, found: dict[str, str], expected: dict[str, str]) -> str:
    """Return in a sentence what a worker has other than the driver.

    >>> print(difference("node1", {"torch": "2.4.0"}, {"torch": "2.13.0"}))
    The worker node1 must have what the driver has: torch is 2.4.0 there and 2.13.0 here.
    """
    kind = next(kind for kind in expected if found.get(kind) != expected[kind])
    message = _(
        "The worker {where} must have what the driver has: {kind} is {found} there and {expected} "
        "here."
    )
    return message.format(
        where=where, kind=kind, found=found.get(kind, "?"), expected=expected[kind]
    )


def retire(driver: str) -> None:
    """End the processes that this worker hosts for a driver."""
    with _LOCK:
        ours = [key for key in _hosted if key[0] == driver]
        processes = [_hosted.pop(key)[1] for key in ours]
    for process in processes:
        process.retire()


def _process_of(driver: str, devices: str | None) -> WorkerProcess:
    """Return the process of this task slot (a thread of the engine's worker) for a driver.

    `devices` are the GPUs that it may see; None: those that the engine gave to this worker.
    """
    key = (driver, threading.get_ident())
    visible = os.environ.get(_VISIBLE) if devices is None else devices
    with _LOCK:
        known = _hosted.get(key)
        if known is not None and known[0] == visible:
            return known[1]
        if known is not None:  # the engine gave this slot another GPU
            known[1].retire()
        variables = {} if visible is None else {_VISIBLE: visible}
        process = WorkerProcess(variables, IDLE_SECONDS)
        _hosted[key] = visible, process
        return process
