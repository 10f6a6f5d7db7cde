"""An executor without processes, for what cannot travel to one: a notebook's own function."""

import concurrent.futures
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from actlab.addresses import as_program, users_error
from actlab.i18n import _

Result = TypeVar("Result")


class InThisProcess(concurrent.futures.Executor):
    """Runs each task when it is submitted, in the process that submits it."""

    def __init__(self, _workers: int = 1, _timeout: float = 0.0) -> None:
        super().__init__()

    def submit(
        self, function: Callable[..., Result], /, *arguments: Any, **named: Any
    ) -> "Future[Result]":
        """Return the finished future of `function(*arguments, **named)`."""
        future: Future[Result] = Future()
        what = _("The network or its training")
        try:
            with as_program(what):
                future.set_result(function(*arguments, **named))
        except Exception as error:  # raised where the result is asked for, as from a worker
            future.set_exception(users_error(what, error))
        return future
