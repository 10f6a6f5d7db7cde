"""Studies on real Dask and Ray clusters give the records that local processes give."""

import contextlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actlab.errors import EngineError, NetworkError
from actlab.records import BalancedSampler, Plan
from actlab.studies.executors.engines import executor_factory
from actlab.studies.executors.worker_process import WorkerLostError
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import run_search
from actlab.testing.executors import assert_futures, assert_survives_a_killed_worker
from tests.studies.conftest import make_tiny_plan
from tests.studies.executors.clusters import (
    SOURCE,
    DaskCluster,
    dask_cluster,
    kill,
    ray_stopped_after,
    ray_workers,
    wait_until,
)
from tests.studies.inline import Silent

pytestmark = pytest.mark.filterwarnings("ignore")  # the engines' own

COMMAND = [sys.executable, "-m", "actlab", "study"]


def values(folder: RunFolder) -> list[dict[str, Any]]:
    """Return the records without times, by number."""
    rows = [json.loads(line) for line in folder.records_path.read_text().splitlines()]
    for row in rows:
        row.pop("seconds")
        for epoch in row["curve"]:
            epoch.pop("seconds")
    return sorted(rows, key=lambda row: (row["stage"], int(row["number"])))


def run(path: Path, plan: Plan, engine: str | Executor) -> RunFolder:
    folder = RunFolder.create(path, plan)
    with folder.locked():
        run_search(folder, "", Silent(), executor_factory(engine))
    return folder


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run(tmp_path_factory.mktemp("local") / "run", make_tiny_plan(), "local")


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask"), workers=2) as cluster:
        yield cluster


def test_dask_gives_the_records_of_local_processes(
    dask: DaskCluster, local: RunFolder, tmp_path: Path, tiny_plan: Plan
) -> None:
    assert values(run(tmp_path / "run", tiny_plan, dask.address)) == values(local)


def test_ray_gives_the_records_of_local_processes(
    local: RunFolder, tmp_path: Path, tiny_plan: Plan
) -> None:
    with ray_stopped_after():
        assert values(run(tmp_path / "run", tiny_plan, "ray://auto")) == values(local)


@pytest.mark.slow
def test_an_executor_of_the_user_s_gives_the_records_of_local_processes(
    local: RunFolder, tmp_path: Path, tiny_plan: Plan
) -> None:
    from loky import ProcessPoolExecutor

    executor = ProcessPoolExecutor(2)
    try:
        assert values(run(tmp_path / "run", tiny_plan, executor)) == values(local)
        assert executor.submit(pow, 2, 3).result() == 8, "it is the user's to shut down"
    finally:
        executor.shutdown(kill_workers=True)


@pytest.mark.slow
def test_jobs_of_submitit_give_the_records_of_local_processes(
    local: RunFolder, tmp_path: Path, tiny_plan: Plan
) -> None:
    submitit = pytest.importorskip("submitit")
    executor = submitit.AutoExecutor(tmp_path / "jobs", cluster="local")
    assert values(run(tmp_path / "run", tiny_plan, executor)) == values(local)


@pytest.mark.slow
def test_a_network_that_no_worker_can_import_travels_by_value(
    dask: DaskCluster, tmp_path: Path
) -> None:
    import numpy as np
    from torch import nn

    import actlab

    width = 8
    labels = np.arange(240) % 2
    inputs = np.random.default_rng(1).normal(size=(240, 4)).astype(np.float32)
    inputs += 2.0 * labels[:, None]

    def study(engine: str) -> list[dict[str, Any]]:
        made = actlab.study(
            model=lambda: nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2)),
            data=(inputs, labels),
            fc=["relu", "tanh"],
            out=tmp_path / engine[:4],
            overrides={"trials": 4, "replicates": 0, "protocol.max_epochs": 2},
            executor=engine,
        )
        assert all(record.outcome == "completed" for record in made.records)
        return [
            {key: value for key, value in row.items() if key != "fingerprint"}
            for row in values(RunFolder(made.path))
        ]

    assert study(dask.address) == study("local")


def test_a_model_that_cannot_be_pickled_is_said(tmp_path: Path) -> None:
    import threading

    import actlab

    lock = threading.Lock()
    with pytest.raises(NetworkError, match="cannot be sent to workers elsewhere"):
        actlab.study(model=lambda: lock, executor="dask://127.0.0.1:9", out=tmp_path)


def test_a_worker_of_another_version_is_refused(tmp_path: Path, tiny_plan: Plan) -> None:
    other = tmp_path / "other"
    (other / "torch-2.4.0.dist-info").mkdir(parents=True)
    (other / "torch-2.4.0.dist-info" / "METADATA").write_text("Name: torch\nVersion: 2.4.0\n")
    with dask_cluster(tmp_path, workers=0) as cluster:
        cluster.add(variables={"PYTHONPATH": f"{other}:{SOURCE}"})
        before = time.monotonic()
        with pytest.raises(EngineError, match=r"torch is 2\.4\.0 there and \d") as raised:
            run(tmp_path / "run", replace_workers(tiny_plan, None), cluster.address)
        assert "\n" not in str(raised.value)
        assert time.monotonic() - before < 60
    assert not RunFolder(tmp_path / "run").records_path.exists()


def replace_workers(plan: Plan, workers: int | None) -> Plan:
    return replace(plan, execution=replace(plan.execution, workers=workers))


def test_a_gpu_that_no_worker_has_is_refused(
    dask: DaskCluster, tmp_path: Path, tiny_plan: Plan
) -> None:
    plan = replace(tiny_plan, execution=replace(tiny_plan.execution, device="cuda"))
    with pytest.raises(EngineError, match="no worker of this engine offers a GPU"):
        run(tmp_path / "run", plan, dask.address)


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        pytest.param(
            "dask://127.0.0.1:9",
            "There must be a Dask scheduler at 127.0.0.1:9",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "ray://127.0.0.1:9",
            "There must be a Ray cluster at 127.0.0.1:9",
            marks=pytest.mark.slow,
        ),
        ("slurm", "There is no engine"),
        ("dask://", "There is no engine"),
    ],
)
def test_an_engine_that_cannot_be_reached_is_one_line_within_30_seconds(
    engine: str, message: str, tmp_path: Path
) -> None:
    before = time.monotonic()
    arguments = ["run", "digits", "--trials", "8", "--out", str(tmp_path / "run")]
    found = subprocess.run(
        [*COMMAND, *arguments, "--executor", engine], capture_output=True, text=True, check=False
    )
    assert found.returncode == 2, found.stderr
    assert message in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1, found.stderr
    assert time.monotonic() - before < 45
    assert not (tmp_path / "run").exists()


def test_an_engine_that_is_not_installed_says_what_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, module in (("dask://localhost:1", "distributed"), ("ray://auto", "ray")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(Exception, match=r'pip install "actlab\[(dask|ray)\]"'):
            executor_factory(name)(1, 60.0)


@pytest.mark.slow
def test_dask_keeps_the_contract_of_executors(dask: DaskCluster) -> None:
    make = executor_factory(dask.address)
    assert_futures(lambda: make(2, 60.0))
    assert_survives_a_killed_worker(lambda: make(2, 60.0))


@pytest.mark.slow
def test_ray_keeps_the_contract_of_executors() -> None:
    make = executor_factory("ray://auto")
    with ray_stopped_after():
        assert_futures(lambda: make(2, 60.0))
        assert_survives_a_killed_worker(lambda: make(2, 60.0))


@pytest.mark.slow
def test_local_processes_keep_the_contract_of_executors() -> None:
    make = executor_factory("local")
    assert_futures(lambda: make(2, 60.0))
    assert_survives_a_killed_worker(lambda: make(2, 60.0))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_dask_itself_does_not_run_a_task_again_whose_worker_died(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with dask_cluster(tmp_path, workers=1) as cluster:
        executor = executor_factory(cluster.address)(1, 600.0)
        try:
            work = f"echo started >> {notes}; sleep 600"
            future = executor.submit(subprocess.run, ["sh", "-c", work])
            wait_until(notes.exists)
            cluster.add()
            cluster.kill(0)
            assert isinstance(future.exception(timeout=300), WorkerLostError)
            assert executor.submit(pow, 2, 3).result(timeout=300) == 8
            assert notes.read_text() == "started\n"
        finally:
            executor.shutdown(cancel_futures=True)


def resume(folder: RunFolder, engine: str, log: Path) -> "subprocess.Popen[bytes]":
    network = folder.plan().network
    named = ["--network", network] if ":" in network else []
    return subprocess.Popen(
        [*COMMAND, "resume", str(folder.path), "--executor", engine, *named],
        stdout=subprocess.DEVNULL,
        stderr=log.open("ab"),
    )


def lines(folder: RunFolder) -> int:
    path = folder.records_path
    return path.read_bytes().count(b"\n") if path.exists() else 0


def drill_plan() -> Plan:
    """Return a planned search: the settings of an adaptive one depend on the order of arrival."""
    tiny = make_tiny_plan()
    protocol = replace(tiny.protocol, max_epochs=12, patience=12)
    return replace(tiny, trials=24, protocol=protocol, sampler=BalancedSampler())


OWN_NETWORK = """
from torch import nn

def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))
"""


def confirmed_plan(folder: Path) -> Plan:
    """Return the plan of a network of the user's, whose best settings are trained again."""
    (folder / "net.py").write_text(OWN_NETWORK)
    plan = drill_plan()
    space = replace(plan.space, conv_activation=("relu",), fc_activation=("relu", "tanh", "silu"))
    return replace(
        plan, network=f"{folder}/net.py:build", space=space, trials=9, replicates=4, init="keep"
    )


def drill(folder: RunFolder, engine: str, harm: Callable[[], None], log: Path) -> None:
    """Run a study while workers are harmed, kill its driver once, and resume it to its end."""
    trials = folder.plan().trials
    driver = resume(folder, engine, log)
    wait_until(lambda: lines(folder) >= 3)
    harm()
    wait_until(lambda: lines(folder) >= 8)
    driver.kill()
    driver.wait()
    driver = resume(folder, engine, log)
    wait_until(lambda: lines(folder) >= 12)
    harm()
    assert driver.wait(timeout=600) == 0, log.read_text()
    numbers = sorted(row["number"] for row in values(folder))
    assert numbers == list(range(trials)), "every planned trial is there exactly once"


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_nothing_is_lost_or_doubled_on_dask_when_workers_and_driver_are_killed(
    tmp_path: Path,
) -> None:
    generator = random.Random(1)
    expected = run(tmp_path / "local", drill_plan(), "local")
    folder = RunFolder.create(tmp_path / "run", drill_plan())
    with dask_cluster(tmp_path, workers=3) as cluster:

        def harm() -> None:
            cluster.kill(generator.randrange(len(cluster.workers)))
            time.sleep(generator.uniform(0, 2))
            cluster.add()

        drill(folder, cluster.address, harm, tmp_path / "driver.log")
    assert values(folder) == values(expected)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_nothing_is_lost_or_doubled_on_ray_when_workers_and_driver_are_killed(
    tmp_path: Path,
) -> None:
    generator = random.Random(2)
    expected = run(tmp_path / "local", drill_plan(), "local")
    folder = RunFolder.create(tmp_path / "run", drill_plan())

    def harm() -> None:
        wait_until(lambda: bool(ray_workers()))
        kill(generator.choice(ray_workers()))

    drill(folder, "ray://auto", harm, tmp_path / "driver.log")
    assert values(folder) == values(expected)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_study_begun_on_dask_is_resumed_on_this_machine(tmp_path: Path) -> None:
    expected = run(tmp_path / "local", drill_plan(), "local")
    folder = RunFolder.create(tmp_path / "run", drill_plan())
    with dask_cluster(tmp_path, workers=2) as cluster:
        driver = resume(folder, cluster.address, tmp_path / "driver.log")
        wait_until(lambda: lines(folder) >= 5)
        driver.kill()
        driver.wait()
    assert resume(folder, "local", tmp_path / "driver.log").wait(timeout=600) == 0
    assert values(folder) == values(expected)


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_a_confirmation_of_a_network_of_the_user_s_survives_kills(
    engine: str, tmp_path: Path
) -> None:
    generator = random.Random(3)
    plan, log = confirmed_plan(tmp_path), tmp_path / "driver.log"
    expected = RunFolder.create(tmp_path / "local", plan)
    assert resume(expected, "local", log).wait(timeout=900) == 0, log.read_text()
    whole = lines(expected)
    folder = RunFolder.create(tmp_path / "run", plan)
    with contextlib.ExitStack() as stack:
        address, harm = "ray://auto", kill_a_ray_worker(generator)
        if engine == "dask":
            cluster = stack.enter_context(dask_cluster(tmp_path, workers=2))
            address, harm = cluster.address, kill_a_dask_worker(cluster, generator)
        driver = resume(folder, address, log)
        wait_until(lambda: lines(folder) >= 3)
        harm()
        wait_until(lambda: lines(folder) >= 11)  # the search is done: settings are being chosen
        harm()
        wait_until(lambda: lines(folder) >= 14)
        driver.kill()
        driver.wait()
        driver = resume(folder, address, log)
        wait_until(lambda: lines(folder) >= whole - 4)
        harm()
        assert driver.wait(timeout=900) == 0, log.read_text()
    assert values(folder) == values(expected)
    assert {row["stage"] for row in values(folder)} >= {"search", "confirm"}


def kill_a_dask_worker(cluster: DaskCluster, generator: random.Random) -> Callable[[], None]:
    def harm() -> None:
        cluster.kill(generator.randrange(len(cluster.workers)))
        cluster.add()

    return harm


def kill_a_ray_worker(generator: random.Random) -> Callable[[], None]:
    def harm() -> None:
        wait_until(lambda: bool(ray_workers()))
        kill(generator.choice(ray_workers()))

    return harm


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_of_tasks_on_an_engine_is_that_of_local_processes(
    dask: DaskCluster, tmp_path: Path
) -> None:
    from actlab.records import SplitSizes
    from actlab.studies.tasks.settings import tasks_plan

    plan = tasks_plan(("binary",), ("corrected",), 1, "digits", None, 2)
    plan = replace(
        plan,
        data=replace(plan.data, splits=SplitSizes(64, 32, 0, 32)),
        protocol=replace(plan.protocol, patience=1, max_epochs=2),
        execution=replace(plan.execution, device="cpu", precision="fp32"),
    )
    log, found = tmp_path / "log", []
    for engine in (dask.address, "local"):
        folder = RunFolder.create(tmp_path / engine[:4], plan)
        assert resume(folder, engine, log).wait(timeout=600) == 0, log.read_text()
        found.append(values(folder))
    assert found[0] == found[1]
    assert len(found[0]) == plan.trials
