"""Trials on a Ray cluster: `ray://HOST:PORT` by its client server, `ray://auto` the one here."""

import contextlib
import logging
import os
import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, TypeVar

from actlab.addresses import first_line
from actlab.errors import EngineError, missing_extra
from actlab.i18n import _
from actlab.records import DataPlan
from actlab.studies.executors import hosting
from actlab.studies.executors.cluster import (
    DATA_SECONDS,
    DRIVER,
    ClusterExecutor,
    knock,
    within,
)

Answer = TypeVar("Answer")

AUTO = "auto"
READY_SECONDS = 8.0
"""How long a client server may take to answer at all."""

CONNECT_SECONDS = 60.0
"""How long one that answers may take: it starts a process for every driver."""

ATTEMPTS = 3
"""How often a client server is asked whose process for a driver does not start."""

_NOT_STARTED = ("Starting Ray client server failed", "Proxy failed to Connect")
"""What a client server says of a process that ended at its start; all else it will say again."""

_REFUSALS = (ConnectionError, RuntimeError, ValueError, EngineError)


class RayExecutor(ClusterExecutor):
    """Tasks by `ObjectRef.future()`, each run once by Ray, with one CPU or one GPU.

    `auto` joins the cluster that Ray finds on this machine, else starts one. Raises
    MissingExtraError where Ray is not installed, EngineError where it cannot be reached.
    """

    def __init__(self, address: str, limit: float) -> None:
        if find_spec("ray") is None:
            raise missing_extra("ray", "ray")
        if address != AUTO:
            _await_grpc(address)  # before Ray is imported, which takes seconds
        try:
            import ray
        except ImportError:
            raise missing_extra("ray", "ray") from None
        self._ray = ray
        if not ray.is_initialized():
            _connect(ray, address)
        self._remote: dict[bool, Any] = {}
        self._files: list[Any] = []
        super().__init__(limit)

    def start_task(self, task: hosting.Task) -> Any:
        """Start the task, and return a future that knows its reference."""
        if task.gpu not in self._remote:
            needs = {"num_gpus": 1, "num_cpus": 0} if task.gpu else {"num_cpus": 1}
            self._remote[task.gpu] = self._ray.remote(
                max_retries=0, retry_exceptions=False, **needs
            )(run_task)
        reference = self._remote[task.gpu].remote(task, self._files if task.files else [])
        future = reference.future()
        future.reference = reference
        return future

    def hand_over(self, files: hosting.Files) -> bool:
        """Put files into the object store, from where a node fetches them once."""
        self._files = [self._ray.put(files)]
        return True

    def stop_task(self, future: Any) -> None:
        """Stop the task: the future's own `cancel` would leave it running."""
        self._ray.cancel(future.reference, force=True)

    def count_places(self) -> int:
        """Return the CPUs of all nodes, or their GPUs."""
        return int(self._ray.cluster_resources().get("GPU" if self.gpu else "CPU", 0))

    def identities(self, plan: DataPlan | None) -> Mapping[str, dict[str, str] | Exception]:
        """Ask one worker on every node."""
        return self._asked(hosting.identify, plan)

    def gpu_faults(self) -> Mapping[str, str | Exception]:
        """Ask one worker on every node with a GPU."""
        return self._asked(hosting.gpu_fault, gpus=1)

    def _asked(
        self, question: Callable[..., Answer], *arguments: Any, gpus: int = 0
    ) -> Mapping[str, Answer | Exception]:
        """Return what a function says on every node that is there, or that has so many GPUs."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ask = self._ray.remote(num_cpus=0, num_gpus=gpus, max_retries=0)(question)
        asked = {
            f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}": ask.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote(*arguments)
            for node in self._ray.nodes()
            if node["Alive"] and node["Resources"].get("GPU", 0) >= gpus
        }
        found: dict[str, Answer | Exception] = {}
        for name, reference in asked.items():
            try:
                found[name] = self._ray.get(reference, timeout=DATA_SECONDS)
            except Exception as error:
                found[name] = error
        return found

    def has_gpus(self) -> bool:
        """Return whether a node has a GPU."""
        return bool(self._ray.cluster_resources().get("GPU"))

    def is_alive(self) -> bool:
        """Return whether the cluster answers."""
        with contextlib.suppress(Exception):
            return bool(self._ray.is_initialized() and self._ray.nodes())
        return False


def _await_grpc(address: str) -> None:
    """Raise EngineError where no server of gRPC answers."""
    try:
        import grpc
    except ImportError:
        raise missing_extra("ray[client]", "ray") from None
    try:
        knock(address)
    except ConnectionError as error:
        raise _unreachable(address, error) from None
    if os.environ.get("RAY_USE_TLS", "0") not in {"", "0"}:
        return  # a channel with Ray's certificates is Ray's to make
    channel = grpc.insecure_channel(address)
    try:
        grpc.channel_ready_future(channel).result(READY_SECONDS)
    except grpc.FutureTimeoutError:
        raise _unreachable(address, ConnectionError(_refusal("DEADLINE_EXCEEDED"))) from None
    finally:
        channel.close()


def _await_server(address: str) -> None:
    """Raise ConnectionError where it is no client server of Ray that answers, or one that refuses.

    Ray itself would try for half a minute, and then say of either that it had no time.
    """
    import grpc
    from ray._private.grpc_utils import init_grpc_channel
    from ray.core.generated import ray_client_pb2, ray_client_pb2_grpc

    ping = ray_client_pb2.ClusterInfoRequest(type=ray_client_pb2.ClusterInfoType.PING)
    channel = init_grpc_channel(address)
    try:
        server = ray_client_pb2_grpc.RayletDriverStub(channel)
        server.ClusterInfo(
            ping, timeout=READY_SECONDS, wait_for_ready=True, metadata=[("client_id", DRIVER)]
        )
    except grpc.RpcError as error:
        raise ConnectionError(_refusal(error.code().name)) from None
    finally:
        channel.close()


def _refusal(status: str) -> str:
    """Return in a sentence why a client server gave no answer, given gRPC's word for it."""
    if status == "UNAUTHENTICATED":
        return _("it wants a token: set RAY_AUTH_MODE=token here, with the token of the cluster")
    if status == "DEADLINE_EXCEEDED":
        message = _("it does not answer within {seconds} s")
        return message.format(seconds=f"{READY_SECONDS:g}")
    return _("what listens there is no client server of Ray, whose port is 10001 by default")


def _cluster_here() -> str:
    """Return the address of the cluster that Ray knows of; raises ConnectionError without one.

    Ray notes the address of the last one in a file, which a cluster that was killed leaves behind.
    """
    from ray._private.services import get_ray_address_from_environment

    return str(get_ray_address_from_environment("auto", None))


def _start(ray: Any, quiet: dict[str, Any]) -> None:
    try:
        ray.init(address="local", include_dashboard=False, **quiet)
    except Exception as error:  # Ray raises a bare one where its processes do not come up in time
        ray.shutdown()
        message = _("Ray could not start a cluster on this machine: {error}")
        raise EngineError(message.format(error=first_line(error))) from None


def run_task(task: hosting.Task, files: list[Any]) -> tuple[bool, Any]:
    """Run a task on a worker, which fetches files from the object store when it lacks them."""

    def fetched() -> hosting.Files:
        import ray

        found: hosting.Files = ray.get(files[0])
        return found

    return hosting.run_task(task, fetched)


def _connect(ray: Any, address: str) -> None:
    """Join the cluster at `address`; the connection lasts as long as this process."""
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address == AUTO:
        try:
            knock(_cluster_here())
            ray.init(address=AUTO, **quiet)
        except ConnectionError:
            _start(ray, quiet)
        return
    try:
        _await_server(address)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Ray warns of is said in the one line below
            _join(ray, f"ray://{address}", quiet)
    except ImportError:
        raise missing_extra("ray[client]", "ray") from None
    except (*_REFUSALS, ray.exceptions.RayError) as error:
        raise _unreachable(address, error) from None


def _join(ray: Any, address: str, quiet: dict[str, Any]) -> None:
    """Connect to a client server, and again where its process for this driver did not start.

    It is forked beside gRPC's threads, which now and then ends it at once:
    https://github.com/ray-project/ray/issues/63202
    """
    for _attempt in range(ATTEMPTS):
        try:
            within(CONNECT_SECONDS, lambda: ray.init(address, **quiet))
        except ConnectionAbortedError as error:
            ray.shutdown()
            if not any(said in str(error) for said in _NOT_STARTED):
                raise ConnectionError(str(error).strip().splitlines()[-1]) from None
        else:
            return
    raise ConnectionError(
        _(
            "its process for this driver ended at its start, {attempts} times; start the cluster "
            "with GRPC_ENABLE_FORK_SUPPORT=0 in its environment"
        ).format(attempts=ATTEMPTS)
    )


def _unreachable(address: str, error: Exception) -> EngineError:
    message = _(
        "There must be a Ray cluster at {address}; it cannot be reached: {error}. Start one with: "
        "ray start --head"
    )
    text = str(error).splitlines()[0].rstrip(".?") if str(error) else type(error).__name__
    return EngineError(message.format(address=address, error=text))
