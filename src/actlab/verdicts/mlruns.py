"""The folder in which MLflow keeps its runs as files: mlruns/EXPERIMENT/RUN/{params,metrics}/NAME.

A parameter is a file with its value, a metric one with a line "time value step" per value; the last
step counts. Nothing in it is evaluated.
"""

import re
from collections.abc import Iterator
from pathlib import Path

_STATUS = {"1": "running", "2": "scheduled", "3": "finished", "4": "failed", "5": "killed"}


def holds_runs(folder: Path) -> bool:
    """Return whether a folder is MLflow's, or one of its experiments."""
    return next(_runs(folder), None) is not None


def columns_of_folder(folder: Path) -> dict[str, list[str | None]]:
    """Return the runs that were not deleted: params.NAME, metrics.NAME, and how each ended."""
    rows = [_row(run) for run in sorted(_runs(folder))]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _runs(folder: Path) -> Iterator[Path]:
    for pattern in ("*/metrics", "*/*/metrics"):
        for metrics in folder.glob(pattern):
            meta = metrics.parent / "meta.yaml"
            if meta.is_file() and _field(meta, "lifecycle_stage") != "deleted":
                yield metrics.parent


def _row(run: Path) -> dict[str, str]:
    found = {"status": _STATUS.get(_field(run / "meta.yaml", "status"), "finished")}
    for file in sorted(run.glob("params/**/*")):
        if file.is_file():
            name = file.relative_to(run / "params").as_posix()
            found[f"params.{name}"] = file.read_text("utf-8", errors="replace").strip()
    for file in sorted(run.glob("metrics/**/*")):
        if file.is_file():
            name = file.relative_to(run / "metrics").as_posix()
            found[f"metrics.{name}"] = _last_value(file)
    return found


def _last_value(file: Path) -> str:
    lines = [line.split() for line in file.read_text("utf-8", errors="replace").splitlines()]
    values = [(int(words[2]), words[1]) for words in lines if len(words) > 2 and words[2].isdigit()]
    values = values or [(0, words[1]) for words in lines if len(words) > 1]
    return max(values, key=lambda value: value[0])[1] if values else ""


def _field(meta: Path, name: str) -> str:
    found = re.search(rf"^{name}: *(.*)$", meta.read_text("utf-8", errors="replace"), re.MULTILINE)
    return found[1].strip() if found else ""
