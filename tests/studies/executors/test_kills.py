"""Studies while workers are killed at random, come and go, and the driver is killed, too.

Every planned trial is in the records exactly once, with the values of the local run; with the same
engine and with another one after the driver's end.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from actlab.studies.run_folder import RunFolder
from tests.studies.executors.clusters import dask_cluster, ray_cluster, wait_until
from tests.studies.executors.studies import lines, planned_study, resume, values

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("ignore"),  # the engines' own
]


@dataclass
class Engine:
    """An engine of the tests' own: its address, and what harms it."""

    address: str
    harm: Callable[[], None]


@contextmanager
def dask(folder: Path, generator: random.Random) -> Iterator[Engine]:
    """Three workers; a random one is killed and another leaves, two come."""
    with dask_cluster(folder, workers=3) as cluster:

        def harm() -> None:
            cluster.kill(generator.randrange(len(cluster.workers)))
            time.sleep(generator.uniform(0, 2))
            cluster.add()
            cluster.add()
            cluster.remove()

        yield Engine(cluster.address, harm)


@contextmanager
def ray(folder: Path, generator: random.Random) -> Iterator[Engine]:
    """A head node with two places and a further node; a random worker is killed, a node comes."""
    with ray_cluster(folder, cpus=2) as cluster:
        cluster.add()

        def harm() -> None:
            cluster.kill(generator)
            time.sleep(generator.uniform(0, 2))
            cluster.add()
            cluster.kill(generator)
            cluster.kill_node()

        yield Engine(cluster.address, harm)


@contextmanager
def local(_folder: Path, _generator: random.Random) -> Iterator[Engine]:
    """Processes of this machine, left alone."""
    yield Engine("local", lambda: None)


def made(path: Path, kind: str) -> RunFolder:
    plan = planned_study(path, own=kind == "own", trials=9, replicates=3)
    return RunFolder.create(path / "run", plan)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}

    def of(kind: str) -> list[dict[str, Any]]:
        if kind not in found:
            path = tmp_path_factory.mktemp(kind)
            folder = made(path, kind)
            log = path / "log"
            assert resume(folder, "local", log).wait(timeout=900) == 0, log.read_text()
            found[kind] = values(folder)
        return found[kind]

    return of


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("digits", dask, dask),
        ("own", dask, ray),
        ("digits", ray, ray),
        ("own", ray, dask),
        ("own", dask, local),
    ],
)
def test_nothing_is_lost_or_doubled(
    kind: str, first: Any, second: Any, expected: Callable[[str], Any], tmp_path: Path
) -> None:
    planned = expected(kind)
    assert {row["stage"] for row in planned} >= {"search", "confirm"}
    generator = random.Random(f"{kind} {first.__name__} {second.__name__}")
    folder, log = made(tmp_path, kind), tmp_path / "driver.log"
    for engine in (first, second):
        (tmp_path / engine.__name__).mkdir(exist_ok=True)
    with first(tmp_path / first.__name__, generator) as engine:
        driver = resume(folder, engine.address, log)
        wait_until(lambda: lines(folder) >= 3, driver, log)
        engine.harm()
        wait_until(lambda: lines(folder) >= len(planned) // 2, driver, log)
        driver.kill()
        driver.wait()
        if second is first:
            driver = resume(folder, engine.address, log)
            wait_until(lambda: lines(folder) > len(planned) // 2 + 1, driver, log)
            engine.harm()
            assert driver.wait(timeout=900) == 0, log.read_text()
    if second is not first:
        with second(tmp_path / second.__name__, generator) as engine:
            driver = resume(folder, engine.address, log)
            wait_until(lambda: lines(folder) > len(planned) // 2 + 1, driver, log)
            engine.harm()
            assert driver.wait(timeout=900) == 0, log.read_text()
    found = values(folder)
    assert [row["identity"] for row in found] == [row["identity"] for row in planned]
    assert found == planned
