"""A run folder: what a study leaves on disk, and the one way to read and write each part of it.

`records.jsonl` is the truth: one line per record, on the disk before anything else happens with
it. Everything else is either written once (`plan.toml`, `environment.json`) or can be made again.
A file is written under another name, then renamed, so that no reader and no kill ever meets half of
one. Plan and records are read once and kept; they are read again where their file has changed.
"""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from actlab.errors import PlanError, RunFolderError, os_errors_as
from actlab.files import make_folder, open_regular, read_regular, write_bytes
from actlab.i18n import _
from actlab.records import (
    FORMAT_VERSION,
    Confirmation,
    Environment,
    FinalFigure,
    FittedSampler,
    Plan,
    Record,
)
from actlab.studies.lock import locked
from actlab.studies.plan import file
from actlab.studies.redaction import without_secrets
from actlab.studies.trials import contradiction


@dataclass(frozen=True)
class _Findings:
    """The content of findings.json."""

    findings: list[dict[str, Any]]
    format_version: int = FORMAT_VERSION


_RECORD = TypeAdapter(Record)
_ENVIRONMENT = TypeAdapter(Environment)
_FINAL = TypeAdapter(FinalFigure)
_CONFIRMATION = TypeAdapter(Confirmation)
_REPLICATE_FINALS = TypeAdapter(tuple[FinalFigure, ...])
_FINDINGS = TypeAdapter(_Findings)

_IDENTITY = re.compile(r"[0-9A-Za-z_-]{1,128}")
"""What may name a file in the folder, and nowhere else."""

_MOST_TRIALS = 10**6
"""Numbers of trainings are below it: a number takes a row in tables, whoever wrote it."""

_Version = tuple[int, int, int]
"""What tells one content of a file from another: its inode, its size, when it was written."""


class RunFolder:
    """The paths of one run folder and the values in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._plan: tuple[_Version, Plan] | None = None
        self._records: tuple[_Version, list[Record]] | None = None
        self._compared: Plan | None = None
        self._is_new = False

    @classmethod
    def create(cls, path: Path, plan: Plan) -> "RunFolder":
        """Make the folder of a new study and write its resolved plan.

        Raises RunFolderError where there is a study already, or something else in the way.
        """
        folder = cls(path)
        if folder.plan_path.exists():
            message = _(
                "{path} holds a study already. Go on with it (actlab study resume {path}) "
                "or choose another folder with --out."
            )
            raise RunFolderError(message.format(path=path))
        message = _("The run folder {path} cannot be written: {reason}. Choose another --out.")
        with os_errors_as(RunFolderError, message, path=path):
            path.mkdir(parents=True, exist_ok=True)
            write_bytes(folder.plan_path, file.write_plan(plan).encode())
        folder._is_new = True
        return folder

    def replace_plan(self, plan: Plan) -> None:
        """Write a plan that goes further than the one that is there."""
        self.write_file(self.plan_path, file.write_plan(plan).encode())

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Return the folder of a study that exists; raises RunFolderError where there is none."""
        folder = cls(path)
        if not folder.plan_path.is_file():
            message = _(
                "{path} is no run folder: it has no plan.toml. "
                "Give the folder that actlab study run made."
            )
            raise RunFolderError(message.format(path=path))
        return folder

    def discard_if_unused(self) -> None:
        """Remove the plan again, and the folder if it is empty, where no training ever began.

        Only the process that made the folder does so.
        """
        if not self._is_new or self.environment_path.exists() or self.records_path.exists():
            return
        for path in (self.plan_path, self.lock_path, self.confirmation_path):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()

    @property
    def lock_path(self) -> Path:
        """What a driver holds while it runs."""
        return self.path / ".lock"

    @property
    def plan_path(self) -> Path:
        """The resolved plan."""
        return self.path / "plan.toml"

    @property
    def records_path(self) -> Path:
        """The records, one line each."""
        return self.path / "records.jsonl"

    @property
    def storage_path(self) -> Path:
        """The SQLite file for Optuna's own tools."""
        return self.path / "study.db"

    @property
    def table_path(self) -> Path:
        """Every number of the study, as a table."""
        return self.path / "trials.csv"

    @property
    def replicates_table_path(self) -> Path:
        """Every number of a confirmation, for other tools."""
        return self.path / "replicates.csv"

    @property
    def progress_path(self) -> Path:
        """The epochs of what trains now; it may be deleted at any time."""
        return self.path / "progress.jsonl"

    @property
    def environment_path(self) -> Path:
        """Versions, machine, data and command."""
        return self.path / "environment.json"

    @property
    def final_path(self) -> Path:
        """The test accuracy of the best trial's model."""
        return self.path / "final.json"

    @property
    def weights_path(self) -> Path:
        """The best trial's weights, a state dict only."""
        return self.path / "best_model.pt"

    @property
    def weights_owner_path(self) -> Path:
        """Which trial the weights belong to."""
        return self.path / "best_model.json"

    @property
    def confirmation_path(self) -> Path:
        """What was asked to be trained again."""
        return self.path / "confirm.json"

    @property
    def replicate_finals_path(self) -> Path:
        """The test accuracies of the candidates' models."""
        return self.path / "confirm_test.json"

    def replicate_weights_path(self, record: Record) -> Path:
        """Return where a replicate's weights wait until its test accuracy is read."""
        return self.path / "confirm" / f"{record.identity}.pt"

    @property
    def verdict_path(self) -> Path:
        """What the replicates support."""
        return self.path / "verdict.json"

    @property
    def costs_path(self) -> Path:
        """What each activation costs on the machine of the study."""
        return self.path / "costs.json"

    @property
    def findings_path(self) -> Path:
        """What the checker found in the study's own network and loss."""
        return self.path / "findings.json"

    @property
    def report_path(self) -> Path:
        """The page."""
        return self.path / "report.html"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one process: from its first change to the end of the last one.

        Raises RunFolderError where another process holds it.
        """
        with locked(self.lock_path):
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove what a kill left of files that were not renamed yet.

        The page is left alone: `actlab report` writes it without the lock.
        """
        written = (
            *(self.plan_path, self.storage_path, self.table_path, self.replicates_table_path),
            *(self.environment_path, self.final_path, self.weights_path, self.weights_owner_path),
            *(self.confirmation_path, self.replicate_finals_path, self.verdict_path),
            *(self.costs_path, self.findings_path),
        )
        for place in written:
            for left in self.path.glob(f".{place.name}.*"):
                left.unlink(missing_ok=True)
        kept_weights = self.path / "confirm"
        if not kept_weights.is_symlink():
            for left in kept_weights.glob(".*.pt.*"):
                left.unlink(missing_ok=True)

    def plan(self) -> Plan:
        """Return the resolved plan."""
        version = _version(self.plan_path)
        if self._plan is None or self._plan[0] != version:
            try:
                content = _content(self.plan_path)
                self._plan = version, file.parse_plan(str(self.plan_path), content)
            except PlanError as error:
                raise RunFolderError(str(error)) from None
        return self._plan[1]

    def append(self, *records: Record) -> None:
        """Add records, a line each, and wait until they are on the disk: once for all of them."""
        known = self._all_records()
        with (
            self._writing(self.records_path),
            open_regular(self.records_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as stream,
        ):
            stream.write(b"".join(_RECORD.dump_json(record) + b"\n" for record in records))
            stream.flush()
            os.fsync(stream.fileno())
        known.extend(records)
        self._records = _version(self.records_path), known

    def drop_torn_line(self) -> None:
        """Cut off what a kill left of a last line; the trial has no record and runs again."""
        if not self.records_path.exists():
            return
        with open_regular(self.records_path, os.O_RDWR) as stream:
            stream.truncate(stream.read().rfind(b"\n") + 1)

    def records(self) -> tuple[Record, ...]:
        """Return the records of the search in the order of their numbers."""
        return tuple(record for record in self.all_records() if record.stage == "search")

    def task_records(self) -> tuple[Record, ...]:
        """Return the records of a run of tasks in the order of their numbers."""
        return tuple(record for record in self.all_records() if record.stage == "task")

    def all_records(self) -> tuple[Record, ...]:
        """Return all records, replicates too, by number; a torn last line is none."""
        return tuple(sorted(self._all_records(), key=lambda record: record.number))

    def _all_records(self) -> list[Record]:
        version = _version(self.records_path)
        if self._records is None or self._records[0] != version:
            self._records = version, self._parsed_records()
            self._compared = None
        plan = self.plan()
        if self._compared is not plan:
            self._compare(plan, self._records[1])
            self._compared = plan
        return self._records[1]

    def _compare(self, plan: Plan, records: Iterable[Record]) -> None:
        """Raise RunFolderError where the plan is not the one that the records were made with."""
        for record in records:
            key = contradiction(plan, record)
            if key is not None:
                message = _(
                    "{path} was changed after the study began: training {number} was made with "
                    "another {key}. Put it back, or begin a new study in another folder: actlab "
                    "study run {path} --out DIR"
                )
                raise RunFolderError(
                    message.format(path=self.plan_path, number=record.number, key=key)
                )

    def _parsed_records(self) -> list[Record]:
        """Return the records, each once; raise RunFolderError where two have one number."""
        if not self.records_path.exists():
            return []
        lines = _content(self.records_path).split(b"\n")[:-1]
        found: dict[int | str, Record] = {}
        for place, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            record = self._record(line, place)
            which = record.number if record.stage == "search" else record.identity
            if found.setdefault(which, record) != record:
                message = _(
                    "Line {place} of {path} is a second record of training {number}: the file has "
                    "been altered. Remove the line that does not belong there."
                )
                raise RunFolderError(
                    message.format(place=place, path=self.records_path, number=record.number)
                )
        return list(found.values())

    def _record(self, line: bytes, place: int) -> Record:
        try:
            record = _RECORD.validate_json(line, strict=False)
            if _IDENTITY.fullmatch(record.identity) is None or not (
                0 <= record.number < _MOST_TRIALS and 0 <= (record.replicate or 0) < _MOST_TRIALS
            ):
                raise ValueError(line)
        except ValueError:  # pydantic's are such
            message = _(
                "Line {place} of {path} is not a record: the file has been altered. Remove the "
                "line; its trial runs again with: actlab study resume {folder}"
            )
            raise RunFolderError(
                message.format(place=place, path=self.records_path, folder=self.path)
            ) from None
        if record.format_version != FORMAT_VERSION:
            message = _("{path} has format version {version}; this actlab reads {own}.")
            raise RunFolderError(
                message.format(
                    path=self.records_path, version=record.format_version, own=FORMAT_VERSION
                )
            )
        return record

    def write_environment(self, environment: Environment) -> None:
        """Write where the study runs, without what is secret in its command."""
        kept = replace(environment, command=without_secrets(environment.command))
        self.write_file(self.environment_path, _ENVIRONMENT.dump_json(kept, indent=2))

    def environment(self) -> Environment | None:
        """Read where the study ran; None before it started."""
        value: Environment | None = self._read(self.environment_path, _ENVIRONMENT)
        return value

    def known_environment(self) -> Environment:
        """Return where the study ran; raise RunFolderError where that is not known."""
        environment = self.environment()
        if environment is not None:
            return environment
        if self.all_records():
            message = _(
                "{path} has records but no environment.json, which says where they were made. "
                "Have it written again: actlab study resume {path}."
            )
        else:
            message = _("The study in {path} has not begun to train; there is nothing to draw yet.")
        raise RunFolderError(message.format(path=self.path))

    def write_final(self, final: FinalFigure) -> None:
        """Write the test accuracy of the best trial."""
        self.write_file(self.final_path, _FINAL.dump_json(final, indent=2))

    def final(self) -> FinalFigure | None:
        """Read the test accuracy of the best trial; None before there is one."""
        value: FinalFigure | None = self._read(self.final_path, _FINAL)
        return value

    def write_confirmation(self, confirmation: Confirmation) -> None:
        """Write what is to be trained again; from then on a resumed study does it."""
        self.write_file(self.confirmation_path, _CONFIRMATION.dump_json(confirmation, indent=2))

    def confirmation(self) -> Confirmation | None:
        """Return what is to be trained again, by the plan or asked for since; None: nothing."""
        value: Confirmation | None = self._read(self.confirmation_path, _CONFIRMATION)
        plan = self.plan()
        if value is not None or not plan.replicates:
            return value
        return Confirmation(plan.replicates, isinstance(plan.sampler, FittedSampler))

    def write_replicate_finals(self, finals: tuple[FinalFigure, ...]) -> None:
        """Write the test accuracies of the candidates' models."""
        self.write_file(self.replicate_finals_path, _REPLICATE_FINALS.dump_json(finals, indent=2))

    def replicate_finals(self) -> tuple[FinalFigure, ...]:
        """Read the test accuracies of the candidates' models, so far."""
        value: tuple[FinalFigure, ...] | None
        value = self._read(self.replicate_finals_path, _REPLICATE_FINALS)
        return value or ()

    def findings(self) -> list[dict[str, Any]] | None:
        """Read what the checker found; None before it ran."""
        found: _Findings | None = self._read(self.findings_path, _FINDINGS)
        return None if found is None else found.findings

    def write_file(self, path: Path, content: bytes) -> None:
        """Replace a file of the folder in one step, also in its folder of weights to be tested.

        Raises RunFolderError, which says how to go on, where it cannot be written.
        """
        with self._writing(path):
            if path.parent != self.path:
                make_folder(path.parent)
            write_bytes(path, content)

    def _writing(self, path: Path) -> contextlib.AbstractContextManager[None]:
        message = _(
            "{path} cannot be written: {reason}. What was recorded before is kept; when that is "
            "put right, go on with: actlab study resume {folder}"
        )
        return os_errors_as(RunFolderError, message, path=path, folder=self.path)

    @staticmethod
    def _read(path: Path, adapter: TypeAdapter[Any]) -> Any:
        if not path.exists():
            return None
        try:
            return adapter.validate_json(_content(path))
        except ValidationError:
            message = _("{path} is not what actlab wrote: the file has been altered. Delete it.")
            raise RunFolderError(message.format(path=path)) from None


def _version(path: Path) -> _Version:
    try:
        found = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return (0, 0, 0)
    return found.st_ino, found.st_size, found.st_mtime_ns


def _content(path: Path) -> bytes:
    message = _("{path} cannot be read: {reason}.")
    with os_errors_as(RunFolderError, message, path=path):
        return read_regular(path)
