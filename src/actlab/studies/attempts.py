"""How often a task is started whose worker is lost."""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

from actlab.errors import EngineError
from actlab.i18n import _
from actlab.studies.worker_process import WorkerLostError

Result = TypeVar("Result")

ATTEMPTS = 3


def persist(executor: Executor, function: Callable[..., Result], *arguments: Any) -> Result:
    """Return `function(*arguments)` from a worker, started again where the worker is lost.

    Raises EngineError where the last attempt is lost, too.
    """
    lost: WorkerLostError | None = None
    for _attempt in range(ATTEMPTS):
        try:
            return executor.submit(function, *arguments).result()
        except WorkerLostError as error:
            lost = error
    message = _("A worker must come back with an answer; {times} were lost: {reason}.")
    raise EngineError(message.format(times=ATTEMPTS, reason=lost))
