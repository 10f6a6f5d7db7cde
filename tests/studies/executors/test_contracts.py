"""Executors that trials can run on keep the two contracts: actlab's, and those of other libraries.

An executor of the user's keeps the second one as actlab uses it: what is killed is the process that
its worker hosts.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from actlab.studies.executors.engines import executor_factory
from actlab.testing.executors import assert_futures, assert_survives_a_killed_worker
from tests.studies.executors.clusters import SOURCE, dask_cluster, ray_stopped_after

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore"),  # the engines' own
]


def assert_both(engine: str | Any) -> None:
    make = executor_factory(engine)
    assert_futures(lambda: make(2, 60.0))
    assert_survives_a_killed_worker(lambda: make(2, 60.0))


def test_local_processes() -> None:
    assert_both("local")


def test_dask(tmp_path: Path) -> None:
    with dask_cluster(tmp_path, workers=2) as cluster:
        assert_both(cluster.address)


def test_ray() -> None:
    with ray_stopped_after():
        assert_both("ray://auto")


@contextmanager
def loky() -> Iterator[Executor]:
    library = pytest.importorskip("loky")
    executor = library.ProcessPoolExecutor(2)
    yield executor
    executor.shutdown(kill_workers=True)


@contextmanager
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.mark.parametrize("library", [loky, processes])
def test_an_executor_of_the_user_s(library: Callable[[], Any]) -> None:
    with library() as executor:
        assert_both(executor)
        assert executor.submit(pow, 2, 3).result(60) == 8, "it is the user's to shut down"


def test_submitit_s_local_executor(tmp_path: Path) -> None:
    submitit = pytest.importorskip("submitit")
    assert_both(submitit.AutoExecutor(tmp_path / "jobs", cluster="local"))


OF_MPI = """
from mpi4py.futures import MPIPoolExecutor
from tests.studies.executors.test_contracts import assert_both

if __name__ == "__main__":
    with MPIPoolExecutor(2) as executor:
        assert_both(executor)
    print("both kept")
"""


def test_mpi4py_futures(tmp_path: Path) -> None:
    if shutil.which("mpiexec") is None:
        pytest.skip("no MPI is installed")
    pytest.importorskip("mpi4py.futures")
    (tmp_path / "of_mpi.py").write_text(OF_MPI)
    root = Path(__file__).parents[3]
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    found = subprocess.run(
        [
            *("mpiexec", "-n", "3", "--oversubscribe"),
            *(sys.executable, "-m", "mpi4py.futures", str(tmp_path / "of_mpi.py")),
        ],
        env=os.environ | allowed | {"PYTHONPATH": f"{SOURCE}:{root}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == "both kept"
