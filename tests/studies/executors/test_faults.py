"""What a worker or a network does wrong costs its trial, and no study."""

import os
import signal
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from actlab.records import Outcome, Record
from actlab.studies.run_folder import RunFolder
from tests.studies.executors.clusters import dask_cluster, ray_cluster, wait_until
from tests.studies.executors.studies import lines, planned_study, resume, run, values

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("ignore"),  # the engines' own
]

HARMFUL = """
import os, signal, time
from torch import is_grad_enabled, nn

class Harmful(nn.Sequential):
    "Does harm in the middle of a training with silu."
    steps = 0

    def forward(self, x):
        if self.training and is_grad_enabled():
            self.steps += 1
        if self.steps == 8 and any("silu" in type(m).__name__.lower() for m in self.modules()):
            {harm}
        return super().forward(x)

def build():
    return Harmful(nn.Flatten(), nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))
"""


def study(path: Path, harm: str, **execution: float) -> RunFolder:
    """Return a study of three trainings, one of them harmful."""
    network = HARMFUL.format(harm=harm)
    plan = planned_study(path, own=True, trials=3, replicates=0, network=network)
    plan = replace(plan, execution=replace(plan.execution, **execution))
    return RunFolder.create(path / "run", plan)


def by_activation(folder: RunFolder) -> dict[str, Record]:
    return {record.setting.fc_activation: record for record in folder.records()}


def assert_the_others_completed(folder: RunFolder) -> Record:
    found = by_activation(folder)
    assert set(found) == {"relu", "tanh", "silu"}
    assert found["relu"].outcome == found["tanh"].outcome == Outcome.COMPLETED
    assert found["silu"].outcome == Outcome.FAILED
    return found["silu"]


@pytest.mark.parametrize("engine", ["dask", "ray", "local"])
def test_a_task_that_kills_every_worker_it_meets_is_a_failed_record(
    engine: str, tmp_path: Path
) -> None:
    # The process that trains is hosted by the engine's worker: its parent.
    harm = "os.kill(os.getppid(), signal.SIGKILL)"
    folder = study(tmp_path, harm.replace("getppid", "getpid") if engine == "local" else harm)
    with ExitStack() as stack:
        address = engine
        if engine == "dask":
            cluster = stack.enter_context(dask_cluster(tmp_path, workers=0))
            for _worker in range(2):
                cluster.add("--nanny")
            address = cluster.address
        elif engine == "ray":
            address = stack.enter_context(ray_cluster(tmp_path, cpus=2)).address
        log = tmp_path / "log"
        assert resume(folder, address, log).wait(timeout=900) == 0, log.read_text()
    failed = assert_the_others_completed(folder)
    assert failed.reason is not None
    assert failed.reason.startswith("its worker was lost 3 times; the last time:")


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_a_training_that_hangs_is_noticed_by_the_limit_of_its_segment(
    engine: str, tmp_path: Path
) -> None:
    folder = study(tmp_path, "time.sleep(3000)", trial_timeout=3600.0)
    with ExitStack() as stack:
        if engine == "dask":
            address = stack.enter_context(dask_cluster(tmp_path, workers=2)).address
        else:
            address = stack.enter_context(ray_cluster(tmp_path, cpus=2)).address
        log, before = tmp_path / "log", time.monotonic()
        assert resume(folder, address, log).wait(timeout=900) == 0, log.read_text()
    assert time.monotonic() - before < 900, "the plan would allow an hour, three times"
    failed = assert_the_others_completed(folder)
    assert failed.reason is not None
    assert "it took longer than" in failed.reason


def test_a_worker_that_is_stopped_is_given_up(tmp_path: Path) -> None:
    plan = planned_study(tmp_path, own=True, trials=6, replicates=0)
    plan = replace(plan, execution=replace(plan.execution, trial_timeout=30.0))
    expected = run(tmp_path / "local", plan, "local")
    folder = RunFolder.create(tmp_path / "run", plan)
    with dask_cluster(tmp_path, workers=2) as cluster:
        log = tmp_path / "log"
        driver = resume(folder, cluster.address, log)
        wait_until(lambda: lines(folder) >= 1, driver, log)
        stop(cluster.workers[0].pid)
        assert driver.wait(timeout=1200) == 0, log.read_text()
    assert values(folder) == values(expected)


def stop(process: int) -> None:
    """Stop a worker and what it hosts, as a machine that hangs does."""
    for one in (psutil.Process(process), *psutil.Process(process).children(recursive=True)):
        os.kill(one.pid, signal.SIGSTOP)
