"""Training again: what, on which seeds and rows, how often, after every kind of interruption."""

import csv
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actlab import stats
from actlab.errors import ActlabError
from actlab.records import (
    BalancedSampler,
    Confirmation,
    FittedSampler,
    Outcome,
    Plan,
    Record,
    Setting,
    Space,
    SplitSizes,
    Trial,
)
from actlab.studies import worker
from actlab.studies.confirm import candidate_test_scores, confirmation
from actlab.studies.confirm.candidate_settings import best_settings, chosen_settings
from actlab.studies.confirm.confirmation import ask_for, confirm, obstacle
from actlab.studies.confirm.replicates import stopped_early
from actlab.studies.plan.file import read_plan
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import run_search
from actlab.studies.summary import summary
from actlab.studies.trials import rows_overlap
from tests.studies.executors import fake_worker
from tests.studies.executors.fake_worker import confirmed, searched
from tests.studies.inline import Inline


class Kill(BaseException):
    """Stands for a kill: nothing in the product may catch it."""


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_worker.take_over(monkeypatch)


def balanced_plan() -> Plan:
    plan = read_plan("digits", {"seed": 7, "replicates": 0})
    space = Space(("relu", "tanh", "elu"), ("relu", "silu"), 0.001, 0.01)
    return replace(plan, space=space, trials=18, sampler=BalancedSampler())


@pytest.fixture(scope="module")
def searched_once(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        fake_worker.take_over(patch)
        return searched(tmp_path_factory.mktemp("searched") / "run", balanced_plan())


@pytest.fixture
def folder(searched_once: RunFolder, tmp_path: Path) -> RunFolder:
    """A study of the test's own whose search is done."""
    return RunFolder(Path(shutil.copytree(searched_once.path, tmp_path / "searched")))


def of_stage(folder: RunFolder, stage: str) -> list[Record]:
    return [record for record in folder.all_records() if record.stage == stage]


def lines(folder: RunFolder) -> list[str]:
    return sorted(folder.records_path.read_text().splitlines())


def test_every_replicate_is_in_a_table_of_its_own(folder: RunFolder) -> None:
    searched_rows = folder.table_path.read_bytes()
    confirmed(folder, 2)
    with folder.replicates_table_path.open() as stream:
        rows = list(csv.DictReader(stream))
    replicates = of_stage(folder, "choose") + of_stage(folder, "confirm")
    assert [row["identity"] for row in rows] == [one.identity for one in replicates]
    assert [(row["stage"], int(row["replicate"])) for row in rows] == [
        (one.stage, one.replicate) for one in replicates
    ]
    assert folder.table_path.read_bytes() == searched_rows


def test_three_settings_on_three_seeds_then_one_on_fresh_ones(folder: RunFolder) -> None:
    confirmed(folder, 4)
    plan = folder.plan()
    best = best_settings(plan.space, folder.records())
    wanted = {one for row in best.values() for found in row.values() for one in found}
    chosen = {one for row in chosen_settings(folder).values() for one in row.values()}
    choosing, confirming = of_stage(folder, "choose"), of_stage(folder, "confirm")
    assert Counter((r.setting, r.replicate) for r in choosing) == Counter(
        (setting, seed) for setting in wanted for seed in range(3)
    )
    assert Counter((r.setting, r.replicate) for r in confirming) == Counter(
        (setting, seed) for setting in chosen for seed in range(4)
    )
    for slot, row in best.items():
        for name, found in row.items():
            ranked = sorted(found, key=lambda s: _mean(choosing, s), reverse=True)
            assert chosen_settings(folder)[slot][name] == ranked[0]


def _mean(records: Sequence[Record], setting: object) -> float:
    own = [r.valid_accuracy for r in records if r.setting == setting]
    return sum(0.1 if accuracy is None else accuracy for accuracy in own) / len(own)


def with_any(setting: Setting, slot: str) -> Setting:
    return Setting.of(setting.activations | {slot: "any"}, setting.learning_rate)


def test_the_candidates_of_a_slot_share_what_they_are_tried_in(folder: RunFolder) -> None:
    records = folder.records()
    completed = [record for record in records if record.outcome is Outcome.COMPLETED]
    winner = max(completed, key=lambda record: record.valid_accuracy or 0.0).setting
    for slot, row in best_settings(folder.plan().space, records).items():
        tried = {
            name: [with_any(setting, slot) for setting in found] for name, found in row.items()
        }
        (shared,) = {tuple(found) for found in tried.values()}
        assert len(shared) == len({setting.learning_rate for setting in shared}) <= 3
        assert shared[0] == with_any(winner, slot)
        rates = [max_rate(completed, slot, name) for name in row]
        assert {min(rates), max(rates)} <= {setting.learning_rate for setting in shared}


def max_rate(completed: Sequence[Record], slot: str, name: str) -> float:
    own = [r for r in completed if getattr(r.setting, f"{slot}_activation") == name]
    return max(own, key=lambda record: record.valid_accuracy or 0.0).setting.learning_rate


def test_a_study_that_was_confirmed_by_other_settings_keeps_them(folder: RunFolder) -> None:
    records = folder.records()
    (first, *_others) = [r for r in records if r.outcome is Outcome.COMPLETED]
    odd = replace(first, stage="choose", setting=replace(first.setting, learning_rate=0.12345))
    settings = {record.setting for record in records}
    for row in best_settings(folder.plan().space, (*records, odd)).values():
        assert all(setting in settings for found in row.values() for setting in found)


def test_seeds_are_shared_by_the_settings_and_by_nothing_else(folder: RunFolder) -> None:
    confirmed(folder, 4)
    by_replicate: dict[tuple[str, int | None], set[Any]] = {}
    for record in folder.all_records():
        by_replicate.setdefault((record.stage, record.replicate), set()).add(record.seeds)
    assert {len(seeds) for seeds in by_replicate.values()} == {1}
    splits = [seeds.split for found in by_replicate.values() for seeds in found]
    assert len(set(splits)) == len(splits) == 1 + 3 + 4


def test_a_setting_of_two_candidates_is_trained_once(folder: RunFolder) -> None:
    confirmed(folder, 3)
    identities = [record.identity for record in folder.all_records()]
    assert len(set(identities)) == len(identities)
    chosen = chosen_settings(folder)
    every = [one for row in chosen.values() for one in row.values()]
    assert len(of_stage(folder, "confirm")) == 3 * len(set(every)) <= 3 * len(every)


def test_numbers_go_on_where_the_search_ended(folder: RunFolder) -> None:
    confirmed(folder, 3)
    numbers = [record.number for record in folder.all_records()]
    assert numbers == list(range(len(numbers)))


def test_the_search_is_shown_as_before(folder: RunFolder) -> None:
    before = summary(folder)
    confirmed(folder, 3)
    assert summary(folder) == before
    assert len(before["trials"]) == 18


def test_more_seeds_train_only_what_is_missing(folder: RunFolder) -> None:
    confirmed(folder, 3)
    before = lines(folder)
    executor = Inline()
    confirmed(folder, 5, executor=executor)
    chosen = {record.setting for record in of_stage(folder, "confirm")}
    assert executor.calls.count("train") == 2 * len(chosen)
    assert executor.calls.count("test_accuracy") == 0
    assert set(before) < set(lines(folder))


def test_fewer_or_the_same_seeds_train_nothing(folder: RunFolder) -> None:
    confirmed(folder, 4)
    executor = Inline()
    assert confirmed(folder, 4, executor=executor).stages[-1][0] == "confirm"
    confirmed(folder, 2, executor=executor)
    assert executor.calls == []


def test_the_test_split_is_read_once_per_candidate(folder: RunFolder) -> None:
    executor = Inline()
    confirmed(folder, 3, executor=executor)
    chosen = {record.setting for record in of_stage(folder, "confirm")}
    completed = {
        record.setting
        for record in of_stage(folder, "confirm")
        if record.outcome is Outcome.COMPLETED
    }
    assert executor.calls.count("test_accuracy") == len(completed) <= len(chosen)
    first_test = executor.calls.index("test_accuracy")
    assert "train" not in executor.calls[first_test:], "after all choices"
    tested = {final.identity for final in folder.replicate_finals()}
    assert tested == {r.identity for r in of_stage(folder, "confirm") if r.replicate == 0}
    assert not (folder.path / "confirm").exists()


def test_a_replicate_that_diverges_is_a_record_and_counts_at_chance(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_worker, "DIVERGING_RATE", 0.0)
    confirmed(folder, 3)
    replicates = [record for record in folder.all_records() if record.stage != "search"]
    assert {record.outcome for record in replicates} == {Outcome.DIVERGED}
    assert folder.replicate_finals() == ()
    best = best_settings(folder.plan().space, folder.records())
    assert chosen_settings(folder)["conv"]["relu"] == best["conv"]["relu"][0]


def test_a_candidate_without_a_completed_trial_has_no_setting(tmp_path: Path) -> None:
    space = Space(("relu", "tanh"), ("relu", "silu"), 0.001, 0.01)
    folder = searched(tmp_path / "run", replace(balanced_plan(), space=space, trials=1))
    confirmed(folder, 2)
    (only,) = folder.records()
    chosen = chosen_settings(folder)
    by_conv, by_fc = chosen["conv"], chosen["fc"]
    assert by_conv.pop(only.setting.activations["conv"]) == only.setting
    assert by_fc.pop(only.setting.activations["fc"]) == only.setting
    assert set(by_conv.values()) == set(by_fc.values()) == {None}
    assert [record.stage for record in folder.all_records()] == ["search", "confirm", "confirm"]


@pytest.mark.parametrize("seeds", [-1, 0, 1])
def test_fewer_than_two_seeds_are_refused_in_words(folder: RunFolder, seeds: int) -> None:
    with pytest.raises(ActlabError, match=f"at least 2 seeds.*got {seeds}"):
        ask_for(folder, Confirmation(seeds))
    assert folder.confirmation() is None


def test_a_search_that_is_not_done_cannot_be_confirmed(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", balanced_plan())
    assert "0 of 18 trials are done" in (obstacle(folder) or "")
    ask_for(folder, Confirmation(3))
    confirm(folder, "", fake_worker.Watching(), lambda _workers, _timeout: Inline())
    assert folder.all_records() == ()


def test_nothing_completed_means_nothing_to_confirm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_worker, "DIVERGING_RATE", 0.0)
    folder = searched(tmp_path / "run", balanced_plan())
    assert "No trial of the search completed" in (obstacle(folder) or "")


def after(times: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, killed when it is called for the `times`-th time, before it acts."""
    left = [times]

    def killed(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise Kill
        return function(*arguments, **named)

    return killed


PLACES: list[tuple[Any, str, int]] = [
    (RunFolder, "append", 4),
    (RunFolder, "append", 20),
    (candidate_test_scores, "keep_weights", 38),
    (candidate_test_scores, "read_all", 1),
    (RunFolder, "write_replicate_finals", 2),
    (confirmation, "established_environment", 1),
]


@pytest.mark.parametrize(
    ("owner", "name", "times"), PLACES, ids=[f"{name}-{times}" for _o, name, times in PLACES]
)
def test_a_kill_anywhere_loses_no_record(
    owner: Any,
    name: str,
    times: int,
    folder: RunFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = RunFolder(Path(shutil.copytree(folder.path, tmp_path / "whole")))
    confirmed(whole, 4)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, after(times, getattr(owner, name)))
        with pytest.raises(Kill):
            confirmed(folder, 4)
    kept = lines(folder)
    assert set(kept) <= set(lines(whole))
    # What `study resume` does: whatever was asked for is completed.
    confirm(folder, "", fake_worker.Watching(), lambda _workers, _timeout: Inline())
    assert lines(folder) == lines(whole)
    assert folder.replicate_finals() == whole.replicate_finals()


def test_a_torn_last_line_is_trained_again(folder: RunFolder, tmp_path: Path) -> None:
    confirmed(folder, 3)
    whole = lines(folder)
    folder.records_path.write_bytes(folder.records_path.read_bytes()[:-7])
    confirmed(folder, 3)
    assert lines(folder) == whole


@pytest.mark.parametrize("workers", [1, 20])
def test_the_number_of_workers_changes_nothing(
    workers: int, folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(trial: Trial, state: bytes | None, until: int | None) -> tuple[bytes, Record]:
        time.sleep(trial.number * 7 % 5 / 1000)
        return fake_worker.train(trial, state, until)

    confirmed(folder, 3)
    monkeypatch.setattr(worker, "train", late)
    plan = balanced_plan()
    plan = replace(plan, execution=replace(plan.execution, workers=workers))
    other = RunFolder.create(tmp_path / "other", plan)
    for go_on in (run_search, confirm):
        go_on(other, "", fake_worker.Watching(), lambda count, _timeout: ThreadPoolExecutor(count))
        ask_for(other, Confirmation(3))
    assert lines(other) == lines(folder)
    written = [json.loads(line)["number"] for line in other.records_path.read_text().splitlines()]
    assert (written == sorted(written)) == (workers == 1), "twenty answer in another order"


def test_replicates_avoid_the_rows_of_the_search_where_enough_are_left(tmp_path: Path) -> None:
    plan = balanced_plan()
    assert rows_overlap(plan, None)
    small = replace(plan, data=replace(plan.data, splits=SplitSizes(400, 100, 200, 300)))
    assert not rows_overlap(small, None)
    folder = searched(tmp_path / "run", small)
    confirmed(folder, 2)
    assert {r.avoided_split for r in folder.records()} == {None}
    assert {r.avoided_split for r in of_stage(folder, "choose")} == {plan.seed}
    assert {r.avoided_split for r in of_stage(folder, "confirm")} == {plan.seed}


def test_overlapping_rows_are_in_the_records(folder: RunFolder) -> None:
    confirmed(folder, 2)
    assert {r.avoided_split for r in of_stage(folder, "confirm")} == {None}


def test_the_sequential_rule_stops_whom_it_names(folder: RunFolder) -> None:
    looked: list[tuple[int, int, int]] = []

    def rule(scores: Sequence[Sequence[float]], done: int, planned: int) -> set[int]:
        looked.append((len(scores), done, planned))
        return {0} if len(scores[0]) == 3 and done == 0 else set()

    confirmed(folder, 9, rule)
    assert set(looked) == {(4, 0, 3), (6, 1, 3), (8, 2, 3)}
    chosen = chosen_settings(folder)
    seeds = Counter(record.setting for record in of_stage(folder, "confirm"))
    assert stopped_early(folder, rule) == {"conv": {"relu"}, "fc": frozenset()}
    dropped = chosen["conv"]["relu"]
    assert dropped is not None
    assert seeds[dropped] == (9 if dropped in chosen["fc"].values() else 4)
    kept = [one for name, one in chosen["conv"].items() if name != "relu" and one is not None]
    assert {seeds[one] for one in kept} == {9}


def test_the_real_rule_stops_what_is_far_behind(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def far(setting: Any, seed: int) -> float:
        noise = (seed % 1000) / 1e5
        return (0.6 if setting.conv_activation == "elu" else 0.9) + noise

    monkeypatch.setattr(fake_worker, "accuracy_of", far)
    confirmed(folder, 10, stats.clearly_behind)
    stopped = stopped_early(folder, stats.clearly_behind)
    assert stopped["conv"] == {"elu"}
    before = lines(folder)
    confirmed(folder, 10, stats.clearly_behind)
    assert lines(folder) == before


def test_a_study_with_fitted_rates_stops_so_however_it_is_confirmed(tmp_path: Path) -> None:
    """Its plan says so: whoever asks for more seeds need not say it again."""
    plan = replace(balanced_plan(), sampler=FittedSampler(), replicates=5)
    folder = searched(tmp_path / "fitted", plan)
    before = folder.confirmation()
    assert before == Confirmation(5, sequential=True)
    ask_for(folder, Confirmation(10))
    assert folder.confirmation() == Confirmation(10, sequential=True)
    balanced = searched(tmp_path / "balanced", balanced_plan())
    ask_for(balanced, Confirmation(10))
    assert balanced.confirmation() == Confirmation(10, sequential=False)


def test_progress_is_told_per_stage(folder: RunFolder) -> None:
    stages = confirmed(folder, 3).stages
    assert {stage for stage, _done, _planned in stages} == {"choose", "confirm"}
    choose = [(done, planned) for stage, done, planned in stages if stage == "choose"]
    total = len(of_stage(folder, "choose"))
    assert choose == sorted(choose)
    assert (choose[0], choose[-1]) == ((0, total), (total, total))
    assert stages[-1][1] == stages[-1][2] == len(of_stage(folder, "confirm"))
