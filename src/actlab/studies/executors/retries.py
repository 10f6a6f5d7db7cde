"""How often a task is started whose worker is lost, and what becomes of a training that fails."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from importlib.metadata import version
from typing import Any, TypeVar

from actlab.errors import ActlabError, EngineError
from actlab.i18n import _
from actlab.records import Record, Trial, failed_record
from actlab.studies.executors.worker_process import WorkerLostError

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


def outcome(
    future: Future[tuple[bytes, Record]], trial: Trial, attempt: int
) -> tuple[bytes, Record] | None:
    """Return state and record of a training that is done; None where it is to be started again.

    A training whose last attempt is lost, or that raises, fails alone: its record says why. What
    the user has to put right (ActlabError) is raised.
    """
    try:
        return future.result()
    except WorkerLostError as error:
        if attempt < ATTEMPTS:
            return None
        reason = _("its worker was lost {times} times; the last time: {error}")
        return b"", _failed(trial, reason.format(times=ATTEMPTS, error=error))
    except ActlabError:
        raise
    except Exception as error:  # the trial fails alone; its record says why
        return b"", _failed(trial, f"{type(error).__name__}: {error}")


def _failed(trial: Trial, reason: str) -> Record:
    return failed_record(trial, reason, version("actlab"))
