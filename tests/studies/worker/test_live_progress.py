"""The epochs of what trains now, for whoever looks on."""

import json
from pathlib import Path

import pytest

from actlab.records import Epoch
from actlab.studies.trials import search_trial
from actlab.studies.worker import live_progress
from actlab.studies.worker.live_progress import epoch_writer
from tests.studies.report.studies import published_study

DATA = published_study()
TRIAL = search_trial(DATA.plan, DATA.environment, 3, DATA.records[0].setting)
EPOCH = Epoch(1.0, 0.9, 0.5, seconds=2.0)


def test_nobody_wants_it_and_nothing_is_written() -> None:
    assert epoch_writer(TRIAL) is None


def test_an_epoch_is_a_line_even_after_the_file_was_deleted(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    path.write_text("of an older session\n")
    with live_progress.live_progress(path):
        assert not path.exists()
        write = epoch_writer(TRIAL)
        assert write is not None
        write(1, EPOCH)
        path.unlink()
        write(2, EPOCH)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["number"], line["epoch"], line["metric"]) for line in lines] == [(3, 2, 0.5)]
    assert epoch_writer(TRIAL) is None


def test_what_cannot_be_written_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(live_progress.VARIABLE, str(tmp_path / "missing" / "progress.jsonl"))
    write = epoch_writer(TRIAL)
    assert write is not None
    write(1, EPOCH)
    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setenv(live_progress.VARIABLE, str(tmp_path / "link"))
    through_a_link = epoch_writer(TRIAL)
    assert through_a_link is not None
    through_a_link(1, EPOCH)
    assert (tmp_path / "elsewhere").read_text() == "kept"


def test_a_file_that_has_grown_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_progress, "MOST_BYTES", 500)
    path = tmp_path / "progress.jsonl"
    monkeypatch.setenv(live_progress.VARIABLE, str(path))
    write = epoch_writer(TRIAL)
    assert write is not None
    for number in range(20):
        write(number, EPOCH)
        assert path.stat().st_size < 1000
    assert json.loads(path.read_text().splitlines()[-1])["epoch"] == 19
