"""Whole commands of actlab on bad input, each in a forked copy of this process.

A command may answer, say no or refuse (exit codes 0, 1, 2); a traceback, another exit code, more
than 5 seconds of processor time, 1 GB more of memory, or a file opened for writing outside its own
folder is a fault. Every 100th runs in an interpreter of its own.
"""

import contextlib
import gc
import importlib
import os
import pkgutil
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SECONDS = 5
WALL_SECONDS = 60.0
MEGABYTES = 1000
NETWORK = """from torch import nn
def net():
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 10))
"""

_written: list[str] = []
_is_watching = [False]


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note every file that is opened for writing, made, renamed or removed, by its path."""
    if not _is_watching[0]:
        return
    if event == "open":
        path, _mode, flags = arguments
        if isinstance(path, str | bytes) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            _written.append(str(Path.cwd() / os.fsdecode(path)))
    elif event in ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"):
        paths = arguments[: 2 if event in ("os.rename", "os.symlink") else 1]
        known = [path for path in paths if isinstance(path, str | bytes | os.PathLike)]
        _written.extend(str(Path.cwd() / os.fsdecode(path)) for path in known)


@contextlib.contextmanager
def written_files() -> Iterator[list[str]]:
    """Yield a list that gets every path that this process opens for writing meanwhile."""
    if not _is_watching[0]:
        sys.addaudithook(_watch)
    _is_watching[0] = True
    try:
        yield _written
    finally:
        _is_watching[0] = False


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape").replace("\0", "")


def _plan(content: bytes, place: Path) -> list[str]:
    (place / "plan.toml").write_bytes(content)
    return ["study", "run", str(place / "plan.toml"), "--dry-run"]


def _folder(content: bytes, place: Path) -> list[str]:
    from actlab.studies.plan.file import read_plan, write_plan

    run = place / "run"
    run.mkdir()
    (run / "plan.toml").write_text(write_plan(read_plan("digits", {})))
    names = ("records.jsonl", "environment.json", "final.json", "findings.json", "confirm.json")
    names += ("confirm_test.json", "costs.json", "plan.toml", "verdict.json")
    (run / names[content[0] % len(names) if content else 0]).write_bytes(content[1:])
    orders = (
        ["study", "show", str(run)],
        ["study", "show", str(run), "--json"],
        ["study", "compare", str(run), str(run)],
        ["report", str(run), "-o", str(place / "page.html")],
        ["verdict", str(run)],
    )
    return orders[len(content) % len(orders)]


def _trials(content: bytes, place: Path) -> list[str]:
    (place / "trials.csv").write_bytes(content)
    return ["report", str(place / "trials.csv"), "-o", str(place / "page.html")]


def _scores(content: bytes, place: Path) -> list[str]:
    path = place / ("scores.csv" if len(content) % 2 else "scores.jsonl")
    path.write_bytes(content)
    return ["verdict", str(path), *(["--json"] if len(content) % 3 else [])]


def _storage(content: bytes, place: Path) -> list[str]:
    address = _text(content)
    if "://" in address and not address.startswith("sqlite"):
        address = "sqlite:///" + address  # nobody answers at other addresses
    return ["report", "--storage", address, "--study", "study", "-o", str(place / "page.html")]


def _idx(content: bytes, place: Path) -> list[str]:
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (place / f"{name}-ubyte").write_bytes(content)
    (place / "net.py").write_text(NETWORK)
    return ["check", f"{place}/net.py:net", "--data", "mnist", "--data-dir", str(place)]


def _arrays(content: bytes, place: Path) -> list[str]:
    (place / "own.npz").write_bytes(content)
    (place / "net.py").write_text(NETWORK)
    return ["check", f"{place}/net.py:net", "--data", str(place / "own.npz")]


def _formula(content: bytes, _place: Path) -> list[str]:
    return ["functions", "formula", "--", _text(content)]


def _query(content: bytes, _place: Path) -> list[str]:
    return ["functions", "list", "--where", _text(content)]


def _target(content: bytes, place: Path) -> list[str]:
    (place / "net.py").write_text(NETWORK)
    return ["check", "--input-shape", "4", "--", _text(content)]


def _notebook(content: bytes, place: Path) -> list[str]:
    (place / "train.ipynb").write_bytes(content)
    return ["check", str(place / "train.ipynb")]


def _executor(content: bytes, place: Path) -> list[str]:
    address = _text(content)
    if address.partition("://")[2].rpartition(":")[2].isdigit() or address in (
        "local",
        "ray://auto",
    ):
        address += "x"  # a right address is connected to, and nobody answers
    return ["study", "run", "digits", "--out", str(place / "run"), "--executor", address]


def _ledger(content: bytes, place: Path) -> list[str]:
    (place / "ledger.jsonl").write_bytes(content)
    command = 'echo {"score": {seed}}'
    order = ["gate", "--base", command, "--candidate", command, "--score-regex", "[0-9]+"]
    return [*order, "--max-seeds", "2", "--ledger", str(place / "ledger.jsonl")]


COMMANDS: dict[str, Callable[[bytes, Path], list[str]]] = {
    "plans": _plan,
    "run folders": _folder,
    "tables of trials": _trials,
    "score tables": _scores,
    "storage addresses": _storage,
    "IDX files": _idx,
    "npz files": _arrays,
    "formulas": _formula,
    "queries": _query,
    "check targets": _target,
    "notebooks": _notebook,
    "executor addresses": _executor,
    "ledgers of a gate": _ledger,
}


def fuzz(name: str, contents: Callable[[], Iterator[bytes]]) -> dict[str, Any]:
    """Run commands of one kind; return how many crashed, hung, swelled or wrote elsewhere."""
    load_everything()
    found = {
        "inputs": 0, "refused": 0, "crashes": 0, "hangs": 0, "swellings": 0, "outside": 0,
    }  # fmt: skip
    gc.freeze()
    for number, content in enumerate(list(contents())):
        found["inputs"] += 1
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            order = COMMANDS[name](content, place)
            answer = (_fresh if number % 100 == 99 else _forked)(order, place)
        found["refused"] += answer["code"] == 2
        fault = ""
        if answer["code"] in (-signal.SIGXCPU, -signal.SIGKILL):
            fault = "hangs"
        elif answer["code"] not in (0, 1, 2) or "Traceback (most" in answer["said"]:
            fault = "crashes"
        elif answer["megabytes"] > MEGABYTES:
            fault = "swellings"
        elif answer["outside"]:
            fault = "outside"
        if fault:
            found[fault] += 1
            print(f"{name}: {fault}: {order}\n    {content[:300]!r}\n    {answer}", flush=True)
    return found


def load_everything() -> None:
    """Import what commands import when they come to it, so that the copies have it."""
    for name in ("cli", "checker", "studies", "verdicts", "capture", "data"):
        package = importlib.import_module(f"actlab.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            with contextlib.suppress(ImportError):  # an engine that is not installed
                importlib.import_module(module.name)


def _forked(order: list[str], place: Path) -> dict[str, Any]:
    output, notes = place / ".said", place / ".written"
    pid = os.fork()
    if pid == 0:
        _become(order, place, output, notes)
    until = time.monotonic() + WALL_SECONDS
    while True:
        ended, status, used = os.wait4(pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    grown = (used.ru_maxrss - resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 1024
    outside = notes.read_text(errors="replace").split("\n") if notes.exists() else []
    return {
        "code": os.waitstatus_to_exitcode(status),
        "said": output.read_text(errors="replace")[-1500:] if output.exists() else "",
        "megabytes": grown,
        "outside": [path for path in outside if path],
    }


def _become(order: list[str], place: Path, output: Path, notes: Path) -> None:
    """Be the process of a command; never returns."""
    code = 99
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        stream = os.open(output, os.O_WRONLY | os.O_CREAT)
        for descriptor in (1, 2):
            os.dup2(stream, descriptor)
        os.environ |= {"HOME": str(place), "XDG_CACHE_HOME": str(place), "ACTLAB_LANG": "en"}
        os.chdir(place)
        sys.argv = ["actlab", *order]
        from actlab.__main__ import main

        with written_files() as written:
            try:
                main()
            finally:
                code_now = sys.exc_info()[1]
                allowed = (str(place), "/dev/", "/proc/self", "/tmp/pymp", "/dev/shm")
                outside = [path for path in written if not path.startswith(allowed)]
                _is_watching[0] = False
                notes.write_text("\n".join(outside))
                if isinstance(code_now, SystemExit):
                    code = code_now.code if isinstance(code_now.code, int) else 0
    except SystemExit:
        pass
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _fresh(order: list[str], place: Path) -> dict[str, Any]:
    """Run a command in an interpreter of its own; its start counts as seconds, so it may take more.

    What is not valid in an argument list of the system is left out.
    """
    variables = {"HOME": str(place), "XDG_CACHE_HOME": str(place), "ACTLAB_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-m", "actlab", *order],
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=os.environ | variables,
        timeout=WALL_SECONDS * 3,
        check=False,
    )
    said = (done.stdout + done.stderr).decode(errors="replace")[-1500:]
    return {"code": done.returncode, "said": said, "megabytes": 0, "outside": []}
