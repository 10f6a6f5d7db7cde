"""The run folder: one truth, whole files, one driver."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actlab.errors import RunFolderError
from actlab.files import write_bytes
from actlab.records import Outcome, Plan, Protocol, Record, Seeds, Setting
from actlab.studies.confirm.candidate_test_scores import keep_weights
from actlab.studies.interface.verdicts import known_costs
from actlab.studies.run_folder import RunFolder


def record(number: int, accuracy: float | None = 0.9) -> Record:
    return Record(
        identity=f"{number:064d}",
        number=number,
        setting=Setting("relu", "tanh", 0.001),
        replicate=None,
        seeds=Seeds.of_search(7),
        protocol=Protocol("corrected", "logits", patience=1, max_epochs=2),
        precision="fp32",
        fingerprint="f",
        outcome=Outcome.COMPLETED if accuracy is not None else Outcome.DIVERGED,
        reason=None,
        valid_accuracy=accuracy,
        epochs=0,
        best_epoch=None,
        curve=(),
        seconds=1.0,
        code_version="0",
    )


def test_records_come_back_whole_and_in_the_order_of_their_numbers(folder: RunFolder) -> None:
    written = [record(2), record(0, None), record(1, 0.5)]
    for one in written:
        folder.append(one)
    assert folder.records() == (written[1], written[2], written[0])


@pytest.mark.parametrize("cut", [1, 5, 100])
def test_a_torn_last_line_is_no_record(folder: RunFolder, cut: int) -> None:
    folder.append(record(0))
    whole = folder.records_path.read_bytes()
    folder.append(record(1))
    torn = folder.records_path.read_bytes()[:-cut]
    folder.records_path.write_bytes(torn)
    assert [one.number for one in folder.records()] == [0]
    folder.drop_torn_line()
    assert folder.records_path.read_bytes() == whole
    folder.append(record(1))
    assert [one.number for one in folder.records()] == [0, 1]


def test_an_altered_line_is_named(folder: RunFolder) -> None:
    folder.append(record(0))
    folder.append(record(1))
    lines = folder.records_path.read_bytes().splitlines(keepends=True)
    folder.records_path.write_bytes(b'{"number": 1}\n' + lines[1])
    with pytest.raises(RunFolderError, match=r"Line 1 of .*records.jsonl is not a record"):
        folder.records()


def test_another_format_version_is_refused(folder: RunFolder) -> None:
    folder.append(record(0))
    line = json.loads(folder.records_path.read_text())
    folder.records_path.write_text(json.dumps(line | {"format_version": 99}) + "\n")
    with pytest.raises(RunFolderError, match="format version 99"):
        folder.records()


def test_a_second_study_does_not_take_the_folder(folder: RunFolder, tiny_plan: Plan) -> None:
    with pytest.raises(RunFolderError, match="holds a study already"):
        RunFolder.create(folder.path, tiny_plan)


def test_a_folder_that_is_a_file_is_refused_in_words(tmp_path: Path, tiny_plan: Plan) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="cannot be written"):
        RunFolder.create(tmp_path / "file", tiny_plan)


def test_a_folder_without_a_plan_is_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"has no plan\.toml"):
        RunFolder.open(tmp_path)


def test_two_drivers_cannot_hold_one_folder(folder: RunFolder) -> None:
    with (
        folder.locked(),
        pytest.raises(RunFolderError, match="Another process"),
        RunFolder(folder.path).locked(),
    ):
        pass
    with folder.locked():
        pass


def test_a_write_that_fails_leaves_the_old_file_and_no_half(tmp_path: Path) -> None:
    path = tmp_path / "value"
    write_bytes(path, b"old")
    with pytest.raises(TypeError):
        write_bytes(path, "no bytes")  # type: ignore[arg-type]  # the fault under test
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["value"]


def test_only_a_folder_without_results_is_discarded(folder: RunFolder) -> None:
    folder.append(record(0))
    folder.discard_if_unused()
    assert folder.plan_path.exists()
    folder.records_path.unlink()
    folder.discard_if_unused()
    assert not folder.path.exists()


def test_what_a_kill_left_of_a_write_is_swept_away(folder: RunFolder) -> None:
    left = [".study.db.123", ".environment.json.77", ".best_model.pt.x1"]
    for name in left:
        (folder.path / name).write_bytes(b"half")
    (folder.path / ".report.html.55").write_bytes(b"a page that is being written now")
    with folder.locked():
        assert sorted(path.name for path in folder.path.glob(".*")) == [".lock", ".report.html.55"]


def test_a_record_that_stands_twice_counts_once_and_two_of_a_trial_are_refused(
    folder: RunFolder,
) -> None:
    folder.append(record(0))
    line = folder.records_path.read_bytes()
    folder.records_path.write_bytes(line + b"\n" + line)
    assert [one.number for one in folder.records()] == [0]
    other = record(0, 0.5)
    folder.append(other)
    with pytest.raises(RunFolderError, match=r"Line 4 of .* is a second record of training 0"):
        RunFolder.open(folder.path).records()


def test_links_and_pipes_are_not_followed(folder: RunFolder, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    for path in (folder.records_path, folder.lock_path):
        path.symlink_to(target)
    with pytest.raises(RunFolderError, match=r"records\.jsonl"):
        folder.append(record(0))
    with pytest.raises(RunFolderError, match=r"\.lock"), folder.locked():
        pass
    assert target.read_bytes() == b"precious"
    os.mkfifo(folder.findings_path)
    with pytest.raises(RunFolderError, match=r"findings\.json cannot be read"):
        folder.findings()


@pytest.mark.parametrize("identity", ["../../model", "/tmp/model", "a/b", "", "x" * 200, "a\n"])
def test_an_identity_that_is_no_name_is_no_record(folder: RunFolder, identity: str) -> None:
    """Weights that wait for their test are files of that name, and are removed when it is done."""
    folder.append(replace(record(0), identity=identity))
    with pytest.raises(RunFolderError, match=r"Line 1 of .* is not a record"):
        RunFolder.open(folder.path).all_records()


@pytest.mark.parametrize("edited", [{"number": 10**12}, {"number": -1}, {"replicate": 10**12}])
def test_a_number_that_no_study_reaches_is_no_record(
    folder: RunFolder, edited: dict[str, Any]
) -> None:
    folder.append(replace(record(0), **edited))
    with pytest.raises(RunFolderError, match=r"Line 1 of .* is not a record"):
        RunFolder.open(folder.path).all_records()


def test_costs_and_locks_that_are_nested_too_deeply_are_told(folder: RunFolder) -> None:
    folder.costs_path.write_text("[" * 100_000)
    with pytest.raises(RunFolderError, match=r"costs\.json is not what actlab wrote"):
        known_costs(folder)
    folder.lock_path.write_text("[" * 100_000)
    with folder.locked(), pytest.raises(RunFolderError), RunFolder(folder.path).locked():
        pass


def test_weights_are_neither_kept_nor_swept_in_a_folder_that_is_a_link(
    folder: RunFolder, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".model.pt.7").write_bytes(b"precious")
    folder.replicate_weights_path(record(0)).parent.symlink_to(elsewhere)
    with folder.locked():
        first = replace(record(0), stage="confirm", replicate=0)
        with pytest.raises(RunFolderError, match=r"cannot be written: .*link.* go on with"):
            keep_weights(folder, first, b"weights")
    assert [path.name for path in elsewhere.iterdir()] == [".model.pt.7"]


def test_records_are_read_again_where_somebody_wrote_them(folder: RunFolder) -> None:
    folder.append(record(0))
    reader = RunFolder.open(folder.path)
    assert len(reader.records()) == 1
    folder.append(record(1))
    assert len(reader.records()) == 2


@pytest.mark.parametrize(
    ("key", "edited"),
    [
        ("space.conv_activation", {"conv_activation": ("gelu", "tanh")}),
        ("space.fc_activation", {"fc_activation": ("relu",)}),
        ("space.learning_rate", {"learning_rate_low": 0.05, "learning_rate_high": 0.5}),
        ("seed", {"seed": 8}),
        ("protocol", {"max_epochs": 3}),
        ("execution.precision", {"precision": "bf16"}),
    ],
)
def test_a_plan_edited_after_the_first_record_is_refused(
    key: str, edited: dict[str, Any], folder: RunFolder
) -> None:
    folder.append(record(0))
    plan = folder.plan()

    def with_edits(part: Any) -> Any:
        return replace(part, **{k: v for k, v in edited.items() if hasattr(part, k)})

    folder.replace_plan(
        replace(
            with_edits(plan),
            space=with_edits(plan.space),
            protocol=with_edits(plan.protocol),
            execution=with_edits(plan.execution),
        )
    )
    told = rf"plan\.toml was changed.*training 0 was made with another {re.escape(key)}\."
    for opened in (folder, RunFolder.open(folder.path)):
        with pytest.raises(RunFolderError, match=told):
            opened.records()


def test_a_plan_that_goes_further_or_has_another_name_is_the_same_study(folder: RunFolder) -> None:
    folder.append(record(0))
    folder.replace_plan(replace(folder.plan(), name="renamed", trials=60))
    assert len(RunFolder.open(folder.path).records()) == 1


def test_a_plan_that_is_a_link_is_not_followed(folder: RunFolder, tmp_path: Path) -> None:
    folder.plan_path.rename(tmp_path / "elsewhere.toml")
    folder.plan_path.symlink_to(tmp_path / "elsewhere.toml")
    with pytest.raises(RunFolderError, match="a symbolic link leads to it"):
        RunFolder.open(folder.path).plan()


def test_a_file_of_gigabytes_is_not_read(folder: RunFolder) -> None:
    with folder.final_path.open("wb") as stream:
        stream.truncate(2**34)
    with pytest.raises(RunFolderError, match=r"final\.json cannot be read: the file is larger"):
        folder.final()
