"""Which run folders there are, and how far each has come."""

import hashlib
import math
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from actlab.errors import ActlabError
from actlab.records import Plan, Record, best_record
from actlab.serve.outline import OutlinedFolder
from actlab.studies.confirm.remaining import trainings_left
from actlab.studies.lock import is_held
from actlab.studies.run_folder import RunFolder

State = Literal["running", "interrupted", "searched", "confirmed", "unreadable"]


@dataclass(frozen=True)
class Run:
    """A run folder in the list; `reason` says why it cannot be read, None where it can.

    `left` is how many seconds the trainings that are left take, over all phases, None where too
    little has ended to say.
    """

    key: str
    path: Path
    state: State
    plan: Plan | None = None
    trials: int = 0
    replicates: int = 0
    planned_replicates: int = 0
    best: Record | None = None
    precision: str = ""
    device: str = ""
    left: float | None = None
    reason: str | None = None

    @property
    def name(self) -> str:
        """Return the name of the folder."""
        return self.path.name


class Runs:
    """The run folders under some folders, each under a key that says nothing of its path.

    A request names a key, never a path; links in the folders are not followed.
    """

    def __init__(self, roots: Iterable[Path]) -> None:
        """Look in each root: a run folder itself, or a folder of run folders."""
        self.roots = tuple(Path(root).absolute() for root in roots)
        self._known: dict[str, tuple[object, Run]] = {}
        self._folders: dict[str, OutlinedFolder] = {}

    def paths(self) -> dict[str, Path]:
        """Return the run folders that there are now, by key."""
        return {key_of(path): path for root in self.roots for path in _run_folders(root)}

    def all(self) -> list[Run]:
        """Return every run, the newest first."""
        found = [self.get(key) for key in self.paths()]
        runs = [run for run in found if run is not None]
        return sorted(runs, key=lambda run: -_changed(run.path))

    def get(self, key: str) -> Run | None:
        """Return the run under a key, read again only where something in it has changed."""
        path = self.paths().get(key)
        if path is None:
            return None
        stamp = version(path)
        known = self._known.get(key)
        if known is None or known[0] != stamp:
            known = (stamp, _read(key, path, self.folder(key, path)))
            self._known[key] = known
        return known[1]

    def folder(self, key: str, path: Path) -> OutlinedFolder:
        """Return the folder under a key, which keeps what it has read."""
        return self._folders.setdefault(key, OutlinedFolder(path))


def key_of(path: Path) -> str:
    """Return the key of a run folder."""
    return hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def version(path: Path) -> str:
    """Return a text that changes whenever what the page shows of a run folder changes."""
    watched = (
        *("plan.toml", "records.jsonl", "environment.json", "confirm.json", "verdict.json"),
        "progress.jsonl",
    )
    parts = []
    for name in watched:
        try:
            found = (path / name).lstat()
        except OSError:
            parts.append("-")
        else:
            parts.append(f"{found.st_mtime_ns}.{found.st_size}")
    parts.append(str(is_held(RunFolder(path).lock_path)))
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]


def _run_folders(root: Path) -> Iterator[Path]:
    if _is_run(root):
        yield root
        return
    try:
        inside = sorted(root.iterdir())
    except OSError:
        return
    yield from (path for path in inside if not path.is_symlink() and _is_run(path))


def _is_run(path: Path) -> bool:
    plan = path / "plan.toml"
    return path.is_dir() and plan.is_file() and not plan.is_symlink()


def _changed(path: Path) -> float:
    records = path / "records.jsonl"
    try:
        return (records if records.exists() else path).lstat().st_mtime
    except OSError:
        return 0.0


def _read(key: str, path: Path, folder: OutlinedFolder) -> Run:
    try:
        plan, environment, confirmation = folder.plan(), folder.environment(), folder.confirmation()
        records = folder.all_records()
    except (ActlabError, OSError) as error:
        return Run(key, path, "unreadable", reason=str(error))
    trials = tuple(record for record in records if record.stage == "search")
    replicates = [record for record in records if record.stage == "confirm"]
    planned = 0
    if confirmation is not None:
        planned = confirmation.seeds * len({record.setting for record in replicates})
    searched = len(trials) >= plan.trials
    if is_held(folder.lock_path):
        state: State = "running"
    elif folder.verdict_path.is_file():
        state = "confirmed"
    else:
        state = "searched" if searched else "interrupted"
    waiting = trainings_left(plan, records, confirmation)
    return Run(
        key=key,
        path=path,
        state=state,
        plan=plan,
        trials=len(trials),
        replicates=len(replicates),
        planned_replicates=planned,
        best=best_record(trials),
        precision=environment.precision if environment else "",
        device=environment.device if environment else "",
        left=_left(records, waiting, plan.execution.workers or 1) if state == "running" else None,
    )


def _left(records: tuple[Record, ...], waiting: int, workers: int) -> float | None:
    """Return the seconds that the waiting trainings take, once three have ended per worker."""
    seconds = [record.seconds for record in records if math.isfinite(record.seconds)]
    if len(seconds) < 3 * workers:
        return None
    return waiting * statistics.mean(seconds[-50:]) / workers
