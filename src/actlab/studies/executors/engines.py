"""Which engine runs the trials of a study."""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from actlab.addresses import first_line
from actlab.errors import EngineError, NetworkError, missing_extra
from actlab.i18n import _
from actlab.studies.executors.cluster import ClusterExecutor, GivenExecutor
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.executors.on_dask import DaskExecutor
from actlab.studies.executors.on_ray import AUTO, RayExecutor
from actlab.studies.executors.on_submitit import SubmititExecutor
from actlab.studies.executors.session import ExecutorFactory

ENGINES = "local|dask://HOST:PORT|ray://HOST:PORT|ray://auto"


def with_network_by_value(
    make: ExecutorFactory, name: str, factory: Callable[[], Any]
) -> ExecutorFactory:
    """Return what makes a cluster's executor whose workers get a network by value.

    The callable that makes it is pickled with what it refers to, by cloudpickle, as Dask and Ray
    send functions. Raises NetworkError where it cannot be pickled.
    """
    try:
        import cloudpickle
    except ImportError:
        raise missing_extra("cloudpickle") from None
    try:
        content: bytes = cloudpickle.dumps(factory)
    except Exception as error:  # whatever the user's objects raise
        message = _(
            "The model cannot be sent to workers elsewhere: {error}. Put the function that makes "
            "it into a file of its own and give its address, FILE.py:NAME."
        )
        raise NetworkError(message.format(error=first_line(error))) from None

    def made(workers: int, limit: float) -> Executor:
        executor = make(workers, limit)
        if isinstance(executor, ClusterExecutor):
            executor.network = (name, content)
        return executor

    return made


def executor_factory(engine: str | Executor) -> ExecutorFactory:
    """Return what makes the executor of an engine, given its name or an executor of the user's.

    An object that is no `concurrent.futures.Executor` is taken for one of submitit's.

    Raises EngineError for a name that no engine has.
    """
    if isinstance(engine, str):
        kind, separator, address = engine.partition("://")
        if engine == "local":
            return LocalProcesses
        host, _colon, port = address.rpartition(":")
        if separator and kind in {"dask", "ray"} and host and port.isdigit():
            made = DaskExecutor if kind == "dask" else RayExecutor
            return lambda _workers, limit: made(address, limit)
        if engine == f"ray://{AUTO}":
            return lambda _workers, limit: RayExecutor(AUTO, limit)
        message = _('There is no engine "{name}". Give one of: {engines}.')
        raise EngineError(message.format(name=engine, engines=ENGINES.replace("|", ", ")))
    given = engine if isinstance(engine, Executor) else SubmititExecutor(engine)
    return lambda _workers, limit: GivenExecutor(given, limit)
