"""Studies on real Dask and Ray clusters give the records that local processes give."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import actlab
from actlab.errors import EngineError, NetworkError
from actlab.records import Plan
from actlab.studies.executors.engines import executor_factory
from actlab.studies.executors.on_dask import DaskExecutor
from actlab.studies.executors.worker_process import WorkerLostError
from actlab.studies.run_folder import RunFolder
from tests.studies.conftest import make_tiny_plan
from tests.studies.executors.clusters import (
    SOURCE,
    DaskCluster,
    dask_cluster,
    ray_cluster,
    ray_stopped_after,
    wait_until,
)
from tests.studies.executors.studies import COMMAND, resume, run, values

pytestmark = pytest.mark.filterwarnings("ignore")  # the engines' own


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


@pytest.mark.timeout(600)  # Ray's processes take minutes to come up on a busy machine
def test_ray_gives_the_records_of_local_processes(
    local: RunFolder, tmp_path: Path, tiny_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")  # a cluster that is gone
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
    from torch import nn

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


OF_FOUR_NUMBERS = """
from torch import nn

def build():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
"""


def four_numbers(folder: Path, shift: float) -> Path:
    """Return a file of data, in a folder of its own."""
    folder.mkdir()
    labels = np.arange(240) % 2
    inputs = np.random.default_rng(1).normal(size=(240, 4)).astype(np.float32)
    np.savez(folder / "own.npz", x=inputs + labels[:, None] + np.float32(shift), y=labels)
    return folder / "own.npz"


def study_of_four_numbers(folder: Path, data: Path, engine: str) -> RunFolder:
    (folder / "net.py").write_text(OF_FOUR_NUMBERS)
    made = actlab.study(
        model=f"{folder}/net.py:build",
        data=str(data),
        fc=["relu", "tanh"],
        out=data.parent / engine[:4],
        overrides={
            "trials": 4,
            "replicates": 2,
            "protocol.max_epochs": 2,
            "sampler.name": "balanced",
        },
        executor=engine,
    )
    return RunFolder(made.path)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_data_that_no_worker_has_are_brought_by_the_engine(engine: str, tmp_path: Path) -> None:
    data = four_numbers(tmp_path / "here", 0.0)
    with ExitStack() as stack:
        if engine == "dask":
            cluster = stack.enter_context(dask_cluster(tmp_path, 0))
            for _worker in range(2):
                cluster.add(without=data.parent)
            address = cluster.address
        else:
            address = stack.enter_context(ray_cluster(tmp_path, 2, without=data.parent)).address
            stack.enter_context(ray_stopped_after())
        found = study_of_four_numbers(tmp_path, data, address)
    assert (found.path / "findings.json").exists(), "the check had the data, too"
    assert values(found) == values(study_of_four_numbers(tmp_path, data, "local"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_data_of_another_content_are_refused_before_the_first_trial(tmp_path: Path) -> None:
    data = four_numbers(tmp_path / "here", 0.0)
    other = four_numbers(tmp_path / "other", 1.0)
    with dask_cluster(tmp_path, 0) as cluster:
        cluster.add(without=data.parent, instead=other)
        cluster.add()
        wait_until(lambda: len(DaskExecutor(cluster.address[7:], 1.0).identities(None)) == 2)
        before = time.monotonic()
        with pytest.raises(EngineError, match="must have what the driver has: data is") as raised:
            study_of_four_numbers(tmp_path, data, cluster.address)
    assert time.monotonic() - before < 60
    assert "\n" not in str(raised.value)
    assert not (data.parent / "dask" / "records.jsonl").exists()


OWN_TRAINING = """
def train(setting, seed):
    return {"relu": 0.5, "tanh": 0.25}[setting.activations["act"]] + seed % 7 / 100
"""


@pytest.mark.slow
def test_a_training_of_the_user_s_runs_on_workers(dask: DaskCluster, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN_TRAINING)

    def study(engine: str) -> list[dict[str, Any]]:
        made = actlab.study(
            train=f"{tmp_path}/mine.py:train",
            slots={"act": ["relu", "tanh"]},
            out=tmp_path / engine[:4],
            overrides={"trials": 4, "replicates": 2},
            executor=engine,
        )
        return values(RunFolder(made.path))

    assert study(dask.address) == study("local")
