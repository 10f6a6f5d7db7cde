"""Local processes: a lost worker costs its own task, a lost parent leaves no orphan."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from actlab.addresses import UserCodeError
from actlab.studies.executors import worker_process
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.executors.worker_process import WorkerLostError


@pytest.fixture
def executor() -> Iterator[LocalProcesses]:
    pool = LocalProcesses(workers=2, timeout=60.0)
    yield pool
    pool.shutdown(cancel_futures=True)


@pytest.fixture
def one() -> Iterator[LocalProcesses]:
    pool = LocalProcesses(workers=1, timeout=60.0)
    yield pool
    pool.shutdown(cancel_futures=True)


class _OwnProcess:
    """An index that is the process id of whoever looks at it."""

    def __index__(self) -> int:
        return os.getpid()


def test_a_killed_worker_fails_its_own_task_alone(executor: LocalProcesses) -> None:
    slow = executor.submit(time.sleep, 3)
    killed = executor.submit(os.kill, _OwnProcess(), signal.SIGKILL)
    later = [executor.submit(os.getpid) for _task in range(2)]
    error = killed.exception(timeout=60)
    assert isinstance(error, WorkerLostError)
    assert str(error) == "its process ended with exit code -9"
    assert slow.result(timeout=60) is None
    assert all(future.result(timeout=60) > 0 for future in later)


def test_a_worker_killed_between_two_tasks_costs_nothing(one: LocalProcesses) -> None:
    first = one.submit(os.getpid).result(timeout=60)
    os.kill(first, signal.SIGKILL)
    assert one.submit(os.getpid).result(timeout=60) not in {first, os.getpid()}


def test_tasks_that_come_one_at_a_time_share_a_process(executor: LocalProcesses) -> None:
    assert len({executor.submit(os.getpid).result(timeout=60) for _task in range(3)}) == 1


@pytest.mark.slow
def test_a_worker_that_stopped_while_idle_is_replaced(
    one: LocalProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = one.submit(os.getpid).result(timeout=60)
    monkeypatch.setattr(worker_process, "TAKE_SECONDS", 2.0)
    os.kill(stopped, signal.SIGSTOP)
    assert one.submit(os.getpid).result(timeout=60) not in {stopped, os.getpid()}


@pytest.mark.slow
def test_a_task_that_takes_too_long_is_lost() -> None:
    pool = LocalProcesses(workers=1, timeout=1.5)
    try:
        assert isinstance(pool.submit(time.sleep, 600).exception(timeout=60), WorkerLostError)
        assert pool.submit(pow, 2, 3).result(timeout=60) == 8
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.mark.slow
def test_a_process_that_shows_no_life_is_lost(
    one: LocalProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "SILENCE_SECONDS", 2 * worker_process.BEAT_SECONDS)
    working = one.submit(time.sleep, 3 * worker_process.SILENCE_SECONDS)
    assert working.result(timeout=60) is None, "a long task that lives is left alone"
    hung = one.submit(os.kill, _OwnProcess(), signal.SIGSTOP)
    error = hung.exception(timeout=60)
    assert isinstance(error, WorkerLostError)
    assert str(error) == "its process gave no sign of life"
    assert one.submit(pow, 2, 3).result(timeout=60) == 8


class UnsendableError(Exception):
    """An error that cannot be pickled."""

    def __init__(self) -> None:
        super().__init__("it holds a lock")
        self.lock = threading.Lock()


def raise_unsendable() -> None:
    raise UnsendableError


def test_an_error_of_a_task_is_raised_and_spares_the_worker(one: LocalProcesses) -> None:
    before = one.submit(os.getpid).result(timeout=60)
    with pytest.raises(ZeroDivisionError):
        one.submit(divmod, 1, 0).result(timeout=60)
    with pytest.raises(UserCodeError, match=r"UnsendableError: it holds a lock, at .*test_local"):
        one.submit(raise_unsendable).result(timeout=60)
    with pytest.raises(UserCodeError, match=r"ended the program \(exit code 5\)"):
        one.submit(sys.exit, 5).result(timeout=60)
    assert one.submit(os.getpid).result(timeout=60) == before


def test_large_answers_travel_whole(one: LocalProcesses) -> None:
    assert one.submit(bytes, 5_000_000).result(timeout=60) == bytes(5_000_000)


UNGUARDED = """
print("started", flush=True)
from actlab.studies.executors.local import LocalProcesses

pool = LocalProcesses(workers=2, timeout=60.0)
print(pool.submit(pow, 2, 3).result())
pool.shutdown()
"""


def test_a_worker_does_not_run_the_script_again(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.split() == ["started", "8"]


PARENT = """
import time
from actlab.studies.executors.local import LocalProcesses

if __name__ == "__main__":
    import os
    pool = LocalProcesses(workers=2, timeout=600.0)
    ids = {pool.submit(os.getpid).result() for _ in range(20)}
    busy = [pool.submit(time.sleep, 600) for _ in range(2)]
    time.sleep(1)
    print(*ids, flush=True)
    time.sleep(600)
"""


def test_no_worker_outlives_a_killed_parent() -> None:
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


UNREAD = """
import multiprocessing, os
from actlab.studies.executors.worker_process import serve

if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    tasks, theirs = spawn.Pipe()
    beats, beat = spawn.Pipe(duplex=False)
    spawn.Process(target=serve, args=(theirs, beat)).start()
    theirs.close()
    assert tasks.poll(100)  # it is ready, and nobody reads that: its next read meets a reset
    os._exit(0)
"""


def test_a_worker_whose_parent_is_gone_ends_without_a_word() -> None:
    parent = subprocess.run(
        [sys.executable, "-c", UNREAD], capture_output=True, text=True, timeout=200, check=True
    )
    assert parent.stderr == "", "its standard error is that of the worker, which ended, too"


def _gone(processes: list[int], within_seconds: float) -> bool:
    end = time.monotonic() + within_seconds
    while time.monotonic() < end:
        if not any(_runs(process) for process in processes):
            return True
        time.sleep(0.05)
    return False


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def print_and_chdir() -> str:
    import torch

    print("printed by the user's model", flush=True)
    os.chdir("/")
    torch.set_default_dtype(torch.float64)
    return "done"


def state_of_the_process() -> tuple[str, str]:
    import torch

    return str(Path.cwd()), str(torch.get_default_dtype())


def test_what_a_task_sets_and_prints_stays_with_it(
    one: LocalProcesses, capfd: pytest.CaptureFixture[str]
) -> None:
    assert one.submit(print_and_chdir).result(timeout=60) == "done"
    assert one.submit(state_of_the_process).result(timeout=60) == (str(Path.cwd()), "torch.float32")
    printed = capfd.readouterr()
    assert "printed by" not in printed.out
    assert "printed by the user's model" in printed.err


def test_an_exit_in_a_task_is_an_error_of_the_task(one: LocalProcesses) -> None:
    before = one.submit(os.getpid).result(timeout=60)
    with pytest.raises(UserCodeError, match=r"exit code 3"):
        one.submit(sys.exit, 3).result(timeout=60)
    assert one.submit(os.getpid).result(timeout=60) == before


def fork_and_return() -> int:
    return os.fork()


def test_a_forked_copy_gives_no_answer(one: LocalProcesses) -> None:
    copies = [one.submit(fork_and_return).result(timeout=60) for _task in range(3)]
    assert all(copy > 0 for copy in copies)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("import ctypes; ctypes.CDLL(None)._exit(7)", "7"),
        ("import ctypes; ctypes.string_at(0)", "-11"),
    ],
)
def test_a_crash_of_the_process_is_the_loss_of_one_task(
    one: LocalProcesses, fault: str, code: str
) -> None:
    error = one.submit(exec, fault).exception(timeout=60)
    assert isinstance(error, WorkerLostError)
    assert str(error) == f"its process ended with exit code {code}"
    assert one.submit(pow, 2, 3).result(timeout=60) == 8


def start_a_child() -> int:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid


def nested_process() -> int | None:
    import multiprocessing

    process = multiprocessing.get_context("spawn").Process(target=os.getpid)
    process.start()
    process.join()
    return process.exitcode


def test_a_task_may_have_processes_which_end_with_its_worker() -> None:
    pool = LocalProcesses(workers=1, timeout=60.0)
    assert pool.submit(nested_process).result(timeout=60) == 0
    child = pool.submit(start_a_child).result(timeout=60)
    assert _runs(child)
    pool.shutdown(cancel_futures=True)
    assert _gone([child], within_seconds=10)
