"""Trials on a Dask cluster: `dask://HOST:PORT` is the address of its scheduler."""

import contextlib
import logging
import os
import warnings
from collections.abc import Mapping
from typing import Any

from actlab.errors import EngineError, missing_extra
from actlab.i18n import _
from actlab.records import DataPlan, Plan
from actlab.studies.executors import hosting
from actlab.studies.executors.cluster import DRIVER, ClusterExecutor, knock, within

CONNECT_SECONDS = 10.0
WORKER_SECONDS = 12.0

_VISIBLE = "CUDA_VISIBLE_DEVICES"
GPU = "GPU"
"""The resource that a worker with one GPU is started with: `dask worker --resources "GPU=1"`."""


class DaskExecutor(ClusterExecutor):
    """Tasks by Dask's own executor (`Client.get_executor`), each run once by Dask.

    Raises MissingExtraError where Dask is not installed, EngineError where the scheduler cannot be
    reached or no worker is there.
    """

    def __init__(self, address: str, limit: float) -> None:
        try:
            from distributed import Client
            from distributed.versions import VersionMismatchWarning
        except ImportError:
            raise missing_extra("dask", "dask") from None
        for noisy in ("distributed", "tornado.application"):
            logging.getLogger(noisy).setLevel(logging.CRITICAL)
        try:
            knock(address)
            # What must be equal is compared before the first trial, and said in one line.
            warnings.simplefilter("ignore", VersionMismatchWarning)
            # Dask's own limit does not hold where somebody listens who never answers.
            self._client = within(
                CONNECT_SECONDS + 2,
                lambda: Client(f"tcp://{address}", timeout=CONNECT_SECONDS, set_as_default=False),
            )
        except (OSError, ValueError, TypeError, EngineError) as error:
            message = _(
                "There must be a Dask scheduler at {address}; it cannot be reached: {error}. Start "
                "one with: dask scheduler"
            )
            text = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
            raise EngineError(message.format(address=address, error=text)) from None
        self._client.register_plugin(_once())
        super().__init__(limit)
        self._address = address
        self._executors: dict[bool, Any] = {}
        self._files: Any = None

    def start_task(self, task: hosting.Task) -> Any:
        """Submit the task, to a worker with a GPU of its own where it wants one."""
        if task.gpu not in self._executors:
            resources = {GPU: 1} if task.gpu else None
            self._executors[task.gpu] = self._client.get_executor(
                pure=False, retries=0, resources=resources
            )
        return self._executors[task.gpu].submit(run_task, task, self._files if task.files else {})

    def hand_over(self, files: hosting.Files) -> bool:
        """Make files the result of a task of their own, which Dask moves to workers that need it.

        Unlike what is scattered it is there again when the worker that had it is killed, and can
        be given before the first worker comes.
        """
        import dask

        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
            self._files = self._client.submit(_as_it_is, files, pure=False)
        return True

    def check(self, plan: Plan, fingerprint: str | None) -> None:
        """Wait for a worker, unless the plan says how many there will be; compare those there."""
        if plan.execution.workers is None:
            try:
                self._client.wait_for_workers(1, timeout=WORKER_SECONDS)
            except TimeoutError:
                message = _(
                    "The Dask scheduler at {address} must have a worker; it has none. Start one "
                    "with: dask worker {address}; or say with --workers how many will come."
                )
                raise EngineError(message.format(address=self._address)) from None
        super().check(plan, fingerprint)

    def gpu_faults(self) -> Mapping[str, str | Exception]:
        """Ask the workers with the resource; raises EngineError where two would share a GPU."""
        owners: dict[tuple[str, str], str] = {}
        with_gpu = {
            name: worker for name, worker in self._workers().items() if worker["resources"].get(GPU)
        }
        visible = self._client.run(os.getenv, _VISIBLE, "", workers=list(with_gpu))
        for name, worker in with_gpu.items():
            device = worker["host"], (visible.get(name) or "").split(",")[0] or "0"
            other = owners.setdefault(device, name)
            if other != name or worker["resources"][GPU] > 1:
                message = _(
                    "Every Dask worker must have one GPU of its own; {first} and {second} train on "
                    "the GPU {device} of {host}. Start each with: CUDA_VISIBLE_DEVICES=NUMBER dask "
                    'worker ... --resources "GPU=1"'
                )
                raise EngineError(
                    message.format(first=other, second=name, device=device[1], host=device[0])
                )
        found: Mapping[str, str | Exception] = self._client.run(
            hosting.gpu_fault, workers=list(with_gpu), on_error="return"
        )
        return found

    def count_places(self) -> int:
        """Return the threads of all workers, or their GPUs."""
        workers = self._workers().values()
        if self.gpu:
            return int(sum(worker["resources"].get(GPU, 0) for worker in workers))
        return int(sum(worker["nthreads"] for worker in workers))

    def identities(self, plan: DataPlan | None) -> Mapping[str, dict[str, str] | Exception]:
        """Ask every worker that is connected now."""
        found: Mapping[str, dict[str, str] | Exception] = self._client.run(
            hosting.identify, plan, on_error="return"
        )
        return found

    def has_gpus(self) -> bool:
        """Return whether a worker was started with the resource GPU."""
        return any(worker["resources"].get(GPU) for worker in self._workers().values())

    def is_alive(self) -> bool:
        """Return whether the scheduler answers."""
        with contextlib.suppress(Exception):
            self._workers()
            return True
        return False

    def reason_of_loss(self, error: BaseException) -> str:
        """Return which worker died; Dask's own text counts attempts that were not made."""
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            return _("the worker {name} died").format(name=error.last_worker.address)
        return super().reason_of_loss(error)

    def close(self, *, now: bool) -> None:
        """Close the connection; with `now`, end the processes that workers host for this driver."""
        with contextlib.suppress(Exception):  # the scheduler may be gone
            if now:
                self._client.run(hosting.retire, DRIVER, on_error="ignore")
            self._client.close(timeout=CONNECT_SECONDS)

    def _workers(self) -> dict[str, Any]:
        if self._client.status != "running":
            raise ConnectionError(self._client.status)
        workers: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return workers


def run_task(task: hosting.Task, files: hosting.Files) -> tuple[bool, Any]:
    """Run a task on a worker, which has the files already."""
    return hosting.run_task(task, lambda: files)


def _as_it_is(files: hosting.Files) -> hosting.Files:
    return files


def _once() -> Any:
    """Return what keeps the scheduler from starting a task again whose worker died.

    Dask would try four workers, and actlab three times that. Its limit is the scheduler's and holds
    for everybody's tasks; so each of actlab's starts as if it had failed as often as is allowed.
    """
    from distributed import SchedulerPlugin

    class Once(SchedulerPlugin):  # type: ignore[misc, unused-ignore]  # Dask may have no types
        name = "actlab-once"
        idempotent = True

        async def start(self, scheduler: Any) -> None:
            self.scheduler = scheduler

        def transition(self, key: Any, start: Any, finish: Any, *_: Any, **__: Any) -> None:
            del start
            if finish == "processing" and str(key).startswith("run_task-"):
                self.scheduler.tasks[key].suspicious = self.scheduler.allowed_failures

    return Once()
