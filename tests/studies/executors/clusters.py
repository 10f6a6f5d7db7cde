"""Real clusters on this machine, for tests: schedulers and workers as processes of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import actlab

REACHED_WITHIN = 400.0
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

    def add(self, *options: str, variables: dict[str, str] | None = None) -> None:
        """Start one more worker."""
        more = ("--nthreads", "1", "--no-nanny", *options)
        self.workers.append(self._start("worker", *more, variables=variables))

    def kill(self, place: int) -> None:
        """Kill a worker with SIGKILL."""
        self.workers.pop(place).kill()

    def close(self) -> None:
        """Kill everything."""
        for process in (*self.workers, self._scheduler):
            process.kill()
            process.wait()

    def _start(
        self, role: str, *options: str, variables: dict[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [
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


def ray_workers() -> list[int]:
    """Return the ids of the processes in which Ray runs a task now."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if command.startswith(b"ray::run_task"):
                found.append(int(folder.name))
    return found


@contextmanager
def ray_stopped_after() -> Iterator[None]:
    """Leave Ray, and so end the cluster that was started on this machine, with the body."""
    import ray

    try:
        yield
    finally:
        ray.shutdown()


def kill(process: int) -> None:
    """Kill a process, if it is still there."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_until(true: "object", seconds: float = REACHED_WITHIN) -> None:
    """Wait until a condition, a callable, holds."""
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{true} did not come true within {seconds} s"
        time.sleep(0.2)
