"""What a terminal shows of a study that trains: time over all phases, and nothing cut."""

import io
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from actlab.records import Confirmation, FittedSampler, Record
from actlab.studies.confirm.remaining import trainings_left
from actlab.studies.interface.progress import Pace, StudyProgress
from tests.studies.report.studies import published_study

DATA = published_study()


class Folder:
    """As much of a run folder as the progress reads."""

    def __init__(self, seeds: int = 0) -> None:
        self.records: list[Record] = []
        self.asked = Confirmation(seeds) if seeds else None

    def plan(self) -> Any:
        return replace(DATA.plan, execution=replace(DATA.plan.execution, workers=2))

    def all_records(self) -> tuple[Record, ...]:
        return tuple(self.records)

    def confirmation(self) -> Confirmation | None:
        return self.asked


def trainings(folder: Folder, seeds: int) -> Iterator[None]:
    """Add the records of a whole study with its confirmation, one by one."""
    for record in DATA.records:
        folder.records.append(record)
        yield
    from actlab.studies.confirm.candidate_settings import settings_to_choose_from

    for setting in settings_to_choose_from(DATA.plan.space, DATA.records):
        for replicate in range(3):
            folder.records.append(
                replace(DATA.records[0], setting=setting, replicate=replicate, stage="choose")
            )
            yield
    for _candidate in range(15):
        for replicate in range(seeds):
            folder.records.append(replace(DATA.records[0], replicate=replicate, stage="confirm"))
            yield


def test_the_time_left_is_right_within_a_fifth_once_a_third_is_done() -> None:
    dice, folder, pace, now = random.Random(1), Folder(seeds=10), Pace(workers=2), 0.0
    told: list[tuple[float, float | None]] = [(0.0, pace.seconds_left(0.0, 0, 1))]
    for _training in trainings(folder, 10):
        now += dice.uniform(0.5, 1.5)
        left = trainings_left(DATA.plan, folder.records, folder.asked)
        told.append((now, pace.seconds_left(now, len(folder.records), left)))
    assert [left for _at, left in told[:6]] == [None] * 6, "three trainings for each worker"
    assert left == 0
    for at, left_then in told[len(told) // 3 : -20]:
        assert left_then is not None
        assert left_then == pytest.approx(now - at, rel=0.2)


def test_a_study_with_fitted_rates_has_no_trainings_to_choose_by() -> None:
    plan = replace(DATA.plan, sampler=FittedSampler())
    confirm = Folder(seeds=10)
    left = trainings_left(plan, DATA.records, confirm.asked)
    candidates = sum(map(len, plan.space.by_slot.values())) - 1
    assert left == max(plan.trials - len(DATA.records), 0) + 10 * candidates


@pytest.mark.parametrize("width", [50, 80, 140])
def test_count_and_time_survive_a_narrow_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, clock, out = Folder(seeds=10), [0.0], io.StringIO()
    monkeypatch.setattr("actlab.studies.interface.progress.time.monotonic", lambda: clock[0])
    console = Console(file=out, force_terminal=True, width=width, color_system=None)
    with StudyProgress(folder, console) as shown:  # type: ignore[arg-type]  # what it reads is there
        shown.on_records((), 120)
        for record in DATA.records[:40]:
            clock[0] += 10.0
            folder.records.append(record)
            shown.on_records(folder.all_records(), 120)
    last = [line for line in out.getvalue().splitlines() if "40/120" in line][-1]
    assert "40/120 (step 1 of 3)" in last
    assert "min left" in last
    assert ("best " in last) == (width >= 90)


def test_without_a_terminal_a_line_says_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, clock = Folder(), [0.0]
    monkeypatch.setattr("actlab.studies.interface.progress.time.monotonic", lambda: clock[0])
    with StudyProgress(folder) as shown:  # type: ignore[arg-type]  # what it reads is there
        shown.on_records((), 120)
        for record in DATA.records[:12]:
            clock[0] += 16.0
            folder.records.append(record)
            shown.on_records(folder.all_records(), 120)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("1/120, best ")
    assert lines[-1].startswith("12/120, 29 min 0 s left, best ")
