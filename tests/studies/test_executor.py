"""Local processes: a lost worker costs its own task, a lost parent leaves no orphan."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from actlab.studies.executor import WORKER_LOST, LocalProcesses


@pytest.fixture
def executor() -> Iterator[LocalProcesses]:
    pool = LocalProcesses(workers=2, timeout=20.0)
    yield pool
    pool.shutdown(cancel_futures=True)


def test_a_killed_worker_fails_its_own_task_alone(executor: LocalProcesses) -> None:
    slow = executor.submit(time.sleep, 3)
    killed = executor.submit(os.kill, *_self_kill())
    later = [executor.submit(os.getpid) for _task in range(2)]
    assert isinstance(killed.exception(timeout=60), WORKER_LOST)
    assert slow.result(timeout=60) is None
    assert all(future.result(timeout=60) > 0 for future in later)


def _self_kill() -> tuple[object, int]:
    return _OwnProcess(), signal.SIGKILL


class _OwnProcess:
    """An index that is the process id of whoever looks at it."""

    def __index__(self) -> int:
        return os.getpid()


def test_a_hung_worker_fails_its_own_task_alone() -> None:
    pool = LocalProcesses(workers=2, timeout=1.5)
    try:
        hung = pool.submit(time.sleep, 600)
        quick = pool.submit(pow, 2, 10)
        assert quick.result(timeout=60) == 1024
        assert isinstance(hung.exception(timeout=60), WORKER_LOST)
        assert pool.submit(pow, 2, 3).result(timeout=60) == 8
    finally:
        pool.shutdown(cancel_futures=True)


PARENT = """
import time
from actlab.studies.executor import LocalProcesses

if __name__ == "__main__":
    import os
    pool = LocalProcesses(workers=2, timeout=600.0)
    ids = {pool.submit(os.getpid).result() for _ in range(20)}
    busy = [pool.submit(time.sleep, 600) for _ in range(2)]
    time.sleep(1)
    print(*ids, flush=True)
    time.sleep(600)
"""


def test_no_worker_outlives_a_killed_parent(tmp_path: object) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        workers = [int(text) for text in parent.stdout.readline().split()]
    parent.kill()
    parent.wait()
    assert workers
    assert _gone(workers, within_seconds=10), "a worker outlived its parent"


def _gone(processes: list[int], within_seconds: float) -> bool:
    end = time.monotonic() + within_seconds
    while time.monotonic() < end:
        if not any(_runs(process) for process in processes):
            return True
        time.sleep(0.05)
    return False


def _runs(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as stream:
            return stream.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
