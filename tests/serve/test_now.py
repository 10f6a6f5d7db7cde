"""What trains now, from a file that decides nothing."""

import json
from pathlib import Path
from typing import Any

from actlab.serve.now import lanes, trainings
from actlab.serve.outline import OutlinedFolder
from actlab.studies.run_folder import RunFolder
from tests.serve.test_app import FINISHED


def line(identity: str, epoch: int, **more: Any) -> str:
    known = {"identity": identity, "number": 3, "stage": "search", "conv": "<b>", "fc": "tanh"}
    known |= {"worker": 7, "epoch": epoch, "metric": 0.5 + epoch / 100, "seconds": 1.0}
    return json.dumps(known | {"time": 1000.0 + epoch} | more)


def test_trainings_are_read_by_worker_and_damage_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    assert trainings(path, ()) == ()
    path.write_text(
        "\n".join(
            (
                *(line("a", 1), "{broken", '{"identity": "x"}'),
                *(line("b", 1, worker=8, metric=None), line("a", 2)),
                *(line("c", 1, number="text"), line("a", 3)[:-5]),
            )
        )
    )
    found = trainings(path, ())
    assert [(row.identity, row.worker, row.values) for row in found] == [
        ("a", 7, (0.51, 0.52)),
        ("b", 8, (None,)),
    ]
    drawn = lanes(found, now=1010.0)
    assert drawn.count("<rect") == 2
    assert "&lt;b&gt;" in drawn
    assert "<b>" not in drawn
    assert lanes(found, now=5000.0) == ""


def test_an_outline_has_every_record_and_keeps_what_it_has_parsed() -> None:
    folder = OutlinedFolder(FINISHED)
    whole = RunFolder(FINISHED).all_records()
    found = folder.all_records()
    assert [(r.number, r.valid_accuracy) for r in found] == [
        (r.number, r.valid_accuracy) for r in whole
    ]
    assert not any(record.curve for record in found)
    assert len(folder._seen) == len(found)
