"""What trains now, from `progress.jsonl`: learning curves that grow, and a lane for each worker."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from actlab.files import parse_json, read_regular
from actlab.records import Record
from actlab.studies.worker.live_progress import MOST_BYTES

SHOWN_SECONDS = 600.0
"""The lanes show the last ten minutes at most."""

_KEYS = ("identity", "number", "stage", "conv", "fc", "worker", "epoch", "time", "seconds")


@dataclass(frozen=True)
class Running:
    """A training, from its first epoch that was reported to its last; `has_ended` is the records'.

    `values` are the metric by epoch, None where a loss was not finite.
    """

    identity: str
    number: int
    stage: str
    conv: str
    fc: str
    worker: int
    begun: float
    last: float
    values: tuple[float | None, ...]
    has_ended: bool

    @property
    def activations(self) -> str:
        """Return the activations of its setting."""
        return " × ".join(name for name in (self.conv, self.fc) if name)


def trainings(path: Path, records: Iterable[Record]) -> tuple[Running, ...]:
    """Return the trainings that workers have reported, the oldest first; none without the file.

    Whatever is no line of a report is left out: the file decides nothing.
    """
    ended = {record.identity for record in records}
    found: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for line in _lines(path):
        found.setdefault((line["identity"], line["worker"]), []).append(line)
    rows = []
    for (identity, worker), lines in found.items():
        first, last = lines[0], lines[-1]
        rows.append(
            Running(
                identity=identity,
                number=first["number"],
                stage=first["stage"],
                conv=first["conv"],
                fc=first["fc"],
                worker=worker,
                begun=first["time"] - first["seconds"],
                last=last["time"],
                values=tuple(line.get("metric") for line in lines),
                has_ended=identity in ended,
            )
        )
    return tuple(sorted(rows, key=lambda row: row.begun))


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        content = read_regular(path, limit=2 * MOST_BYTES)
    except OSError:
        return []
    found = []
    for text in content.split(b"\n")[:-1]:
        try:
            line = parse_json(text)
        except ValueError:
            continue
        if isinstance(line, dict) and all(key in line for key in _KEYS) and _is_sane(line):
            found.append(line)
    return found


def _is_sane(line: Mapping[str, Any]) -> bool:
    numbers = (line["number"], line["worker"], line["epoch"], line["time"], line["seconds"])
    texts = (line["identity"], line["stage"], line["conv"], line["fc"])
    metric = line.get("metric")
    return (
        all(isinstance(value, int | float) for value in numbers)
        and all(isinstance(value, str) for value in texts)
        and (metric is None or isinstance(metric, int | float))
    )


def lanes(rows: Sequence[Running], now: float) -> Markup:
    """Draw a lane for each worker: a bar from the begin of each training to its last epoch."""
    recent = [row for row in rows if row.last >= now - SHOWN_SECONDS]
    if not recent:
        return Markup()
    begin = max(min(row.begun for row in recent), now - SHOWN_SECONDS)
    span = max(now - begin, 1.0)
    workers = sorted({row.worker for row in recent})
    parts = []
    for row in recent:
        left = 100 * max(row.begun - begin, 0.0) / span
        end = now if not row.has_ended else row.last
        width = max(100 * (end - begin) / span - left, 0.3)
        y = 26 * workers.index(row.worker)
        look = "ended" if row.has_ended else "running"
        title = escape(f"{row.number}: {row.activations}")
        parts.append(
            f'<rect class="{look}" x="{left:.2f}%" y="{y + 3}" width="{width:.2f}%" height="20" '
            f'rx="3"><title>{title}</title></rect>'
        )
        if width > 4:
            parts.append(f'<text x="{left + 0.4:.2f}%" y="{y + 17}">{row.number}</text>')
    height = 26 * len(workers)
    return Markup(  # numbers and escaped labels only
        f'<svg class="workers" width="100%" height="{height}" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )
