"""Real clusters on this machine, for tests: schedulers and workers as processes of their own."""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

import actlab

REACHED_WITHIN = 400.0
PATIENT = {
    "RAY_agent_register_timeout_ms": "120000",
    "RAY_raylet_start_wait_time_s": "120",
    "RAY_AUTH_MODE": "disabled",
    "GRPC_ENABLE_FORK_SUPPORT": "0",
    "RAY_worker_niceness": "0",
}
"""A machine that others use, too, may be slow to start what Ray consists of; a token that lies in
the home of whoever runs the tests is none of theirs; workers of the usual niceness, 15, get nothing
to do with where others work; with gRPC's own handlers of forks a client
server's processes end at their start now and then."""

SOURCE = str(Path(actlab.__file__).parents[1])


class DaskCluster:
    """A scheduler and workers with one thread each; workers can be added, and killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "scheduler.json"
        self._scheduler = self._start("scheduler", "--port", "0", "--host", "127.0.0.1")
        self.workers: list[subprocess.Popen[bytes]] = []
        wait_until(self._file.exists)

    @property
    def address(self) -> str:
        """The address as --executor takes it."""
        import json

        address: str = json.loads(self._file.read_text())["address"]
        return address.replace("tcp://", "dask://")

    def add(
        self,
        *options: str,
        variables: dict[str, str] | None = None,
        without: Path | None = None,
        instead: Path | None = None,
    ) -> None:
        """Start one more worker, `without` a folder, or with a file `instead` of what is in it."""
        nanny = () if "--nanny" in options else ("--no-nanny",)
        more = ("--nthreads", "1", *nanny, *options)
        apart = elsewhere(without, instead)
        self.workers.append(self._start("worker", *more, variables=variables, apart=apart))

    def kill(self, place: int) -> None:
        """Kill a worker with SIGKILL."""
        self.workers.pop(place).kill()

    def remove(self) -> None:
        """Let the oldest worker leave as one is asked to: with SIGTERM."""
        self.workers.pop(0).terminate()

    def close(self) -> None:
        """Kill everything."""
        for process in (*self.workers, self._scheduler):
            end_family(process)

    def _start(
        self,
        role: str,
        *options: str,
        variables: dict[str, str] | None = None,
        apart: Sequence[str] = (),
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [
                *apart,
                *(sys.executable, "-m", "dask", role, *options),
                *("--no-dashboard", "--scheduler-file", str(self._file)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / f"{role}.log").open("ab"),
            cwd=self._folder,
            env=os.environ | {"PYTHONPATH": SOURCE} | (variables or {}),
        )


@contextmanager
def dask_cluster(folder: Path, workers: int) -> Iterator[DaskCluster]:
    """Have a Dask cluster for a while."""
    cluster = DaskCluster(folder)
    try:
        for _worker in range(workers):
            cluster.add()
        yield cluster
    finally:
        cluster.close()


class RayCluster:
    """A head node, with a client server, and further nodes with one CPU each, which come and go."""

    def __init__(self, folder: Path, cpus: int, without: Path | None) -> None:
        self._folder, self._apart = folder, elsewhere(without)
        self._port, client = free_port(), free_port()
        self.address = f"ray://127.0.0.1:{client}"
        self._head = self._start(
            *("--head", "--port", str(self._port), "--ray-client-server-port", str(client)),
            *("--num-cpus", str(cpus), "--include-dashboard", "false"),
        )
        self.nodes: list[subprocess.Popen[bytes]] = []
        wait_until(lambda: is_open(client), self._head, folder / "ray.log")

    def add(self) -> None:
        """Start one more node."""
        self.nodes.append(self._start("--address", f"127.0.0.1:{self._port}", "--num-cpus", "1"))

    def workers(self) -> "list[psutil.Process]":
        """Return the processes in which Ray runs a task of actlab's now."""
        found = []
        for node in (self._head, *self.nodes):
            for process in psutil.Process(node.pid).children(recursive=True):
                with suppress(psutil.Error):
                    if process.cmdline()[:1] == ["ray::run_task"]:
                        found.append(process)
        return found

    def kill(self, generator: random.Random) -> None:
        """Kill a worker that has a task with SIGKILL."""
        wait_until(lambda: bool(self.workers()))
        with suppress(psutil.Error, IndexError):
            generator.choice(self.workers()).kill()

    def kill_node(self) -> None:
        """Kill everything of the node that came last with SIGKILL."""
        end_family(self.nodes.pop())

    def close(self) -> None:
        """Kill everything."""
        for process in (*self.nodes, self._head):
            end_family(process)

    def _start(self, *options: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [
                *self._apart,
                *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *options),
                *("--object-store-memory", "100000000", "--disable-usage-stats"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / "ray.log").open("ab"),
            cwd=self._folder,
            env=os.environ | {"PYTHONPATH": SOURCE} | PATIENT,
        )


@contextmanager
def ray_cluster(folder: Path, cpus: int, without: Path | None = None) -> Iterator[RayCluster]:
    """Have a Ray cluster for a while, whose machine may lack a folder."""
    cluster = RayCluster(folder, cpus, without)
    try:
        yield cluster
    finally:
        cluster.close()


def elsewhere(without: Path | None, instead: Path | None = None) -> list[str]:
    """Return what a command begins with that sees an empty folder, or a file instead of another.

    Skips the test where a process cannot have mounts of its own.
    """
    if without is None:
        return []
    apart = ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"], check=False).returncode:
        pytest.skip("no process can see other folders here")
    mount = 'mount -t tmpfs none "$0" && if [ -n "$1" ]; then cp "$1" "$0"; fi; shift; exec "$@"'
    return [*apart, "sh", "-c", mount, str(without), str(instead or "")]


def end_family(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and all that it started."""
    with suppress(psutil.Error):
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for one in family:
            with suppress(psutil.Error):
                one.kill()
    process.wait()


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def is_open(port: int) -> bool:
    """Return whether somebody listens at a port of this machine."""
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1.0).close()
        return True
    return False


@contextmanager
def ray_stopped_after() -> Iterator[None]:
    """Leave Ray, and so end the cluster that was started on this machine, with the body."""
    os.environ.update(PATIENT)
    import ray

    try:
        yield
    finally:
        ray.shutdown()
        for name in PATIENT:
            del os.environ[name]


def wait_until(
    true: Callable[[], bool],
    driver: "subprocess.Popen[bytes] | None" = None,
    log: Path | None = None,
) -> None:
    """Wait until a condition holds, while a driver runs."""
    end = time.monotonic() + REACHED_WITHIN
    while not true():
        said = log.read_text() if log is not None and log.exists() else ""
        assert time.monotonic() < end, f"it did not come true within {REACHED_WITHIN} s: {said}"
        assert driver is None or driver.poll() is None, f"the driver has ended: {said}"
        time.sleep(0.2)
