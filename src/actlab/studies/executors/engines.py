"""Which engine runs the trials of a study."""

from concurrent.futures import Executor

from actlab.errors import EngineError
from actlab.i18n import _
from actlab.studies.executors.cluster import GivenExecutor
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.executors.on_dask import DaskExecutor
from actlab.studies.executors.on_ray import AUTO, RayExecutor
from actlab.studies.executors.session import ExecutorFactory

ENGINES = "local|dask://HOST:PORT|ray://HOST:PORT|ray://auto"


def executor_factory(engine: str | Executor) -> ExecutorFactory:
    """Return what makes the executor of an engine, given its name or an executor of the user's.

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
    return lambda _workers, limit: GivenExecutor(engine, limit)
