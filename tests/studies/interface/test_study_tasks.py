"""Studies of other tasks, by other metrics, with the user's own parts; what a constant reaches."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import actlab
from actlab.cli.main import run
from actlab.errors import ActlabError, DataError
from actlab.records import Outcome

QUICK = {
    "trials": 2,
    "replicates": 0,
    "protocol.max_epochs": 3,
    "space.learning_rate": {"low": 0.02, "high": 0.05},
}
RNG = np.random.default_rng(2)
X = RNG.normal(size=(240, 4)).astype(np.float32)
CLASSES = (X[:, 0] > 0).astype(int)


def mlp(outputs: int) -> Any:
    return lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, outputs))


def studied(out: Path, **asked: Any) -> Any:
    asked.setdefault("overrides", QUICK)
    asked.setdefault("fc", ["relu", "tanh"])
    return actlab.study(out=out, **asked)


def shown(path: Path) -> str:
    page = (path / "report.html").read_text()
    return re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)


def test_a_regression_is_judged_in_the_units_of_its_metric(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = 50 + 3 * X[:, 0] + 0.1 * RNG.normal(size=240)
    study = studied(tmp_path / "R", model=mlp(1), data=(X, target))
    assert "Task: regression" in capsys.readouterr().err
    assert study.plan.training.task == "regression"
    records = study.records
    assert {record.outcome for record in records} == {Outcome.COMPLETED}
    assert all(record.valid_accuracy is None for record in records)
    scores = [record.valid_score for record in records]
    assert study.best.valid_score == min(scores), "the lower error is the better"
    assert study.final.test_accuracy is None
    assert study.final.test_score > 0
    assert "best rmse" in repr(study)
    verdict = study.confirm(seeds=3)
    (slot,) = verdict.slots
    assert verdict.metric.name == "rmse"
    assert not verdict.metric.higher_is_better
    means = [row.mean for row in slot.candidates if row.mean is not None]
    assert means == sorted(means), "the lowest error comes first"
    assert all(row.low <= row.mean <= row.high for row in slot.candidates if row.low is not None)
    assert run(["study", "show", str(tmp_path / "R"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["task"], document["metric"]) == ("regression", "rmse")
    assert document["higher_is_better"] is False
    assert 2.5 < document["baseline"] < 3.6, "the spread of the target"
    assert document["verdict"]["metric"]["name"] == "rmse"
    text = shown(tmp_path / "R")
    assert "rmse" in text
    assert "accuracy" not in text.lower()
    assert run(["study", "show", str(tmp_path / "R")]) == 0
    printed = capsys.readouterr().out
    assert "%" not in printed.replace("95 %", "")


@pytest.mark.slow
def test_two_classes_by_one_logit_and_several_answers(tmp_path: Path) -> None:
    study = studied(tmp_path / "A", model=mlp(1), data=(X, CLASSES), metric="auc")
    assert (study.plan.training.task, study.best.valid_accuracy) == ("binary", None)
    assert study.best.valid_score > 0.8
    answers = (X[:, :3] > 0).astype(int)
    study = studied(tmp_path / "B", model=mlp(3), data=(X, answers), metric="macro_f1")
    assert study.plan.training.task == "multilabel"
    assert 0 < study.best.valid_score <= 1
    with pytest.raises(ActlabError, match="does not fit the task"):
        studied(tmp_path / "C", model=mlp(2), data=(X, CLASSES), metric="rmse")


@pytest.mark.slow
def test_parts_of_the_users_own_train_the_study(tmp_path: Path) -> None:
    called: dict[str, int] = {"loss": 0, "metric": 0, "rows": 0}

    def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        called["loss"] += 1
        return torch.nn.functional.cross_entropy(outputs, targets, label_smoothing=0.1)

    def wrong(outputs: torch.Tensor, targets: torch.Tensor) -> float:
        called["metric"] += 1
        return float((outputs.argmax(dim=1) != targets).double().mean())

    def noisy(rows: torch.Tensor) -> torch.Tensor:
        called["rows"] += len(rows)
        return rows + 0.01 * torch.randn_like(rows)

    study = studied(
        tmp_path / "R", model=mlp(2), data=(X, CLASSES), loss=loss, metric=wrong,
        lower_is_better=True, augmentation=noisy, optimiser="sgd", clip=1.0, class_weights=[1, 2],
        schedule=lambda optimiser: torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.9),
    )  # fmt: skip
    assert min(called.values()) > 0
    assert study.plan.training.measured.name == "wrong"
    assert study.best.valid_score == min(record.valid_score for record in study.records)
    page = shown(tmp_path / "R")
    assert "here:loss" in page
    assert "sgd" in page


@pytest.mark.parametrize(
    ("part", "given", "told"),
    [
        ("loss", lambda _outputs, _targets: (1, 2), "must return one number as a tensor"),
        ("loss", lambda outputs, _targets: outputs.missing, "has no attribute 'missing'"),
        ("metric", lambda _outputs, _targets: "high", "could not convert"),
        ("augmentation", lambda rows: rows[:, :2], "must return inputs of the shape"),
        ("class_weights", [1.0, 2.0, 3.0], "a weight for each of 2 classes"),
        ("optimiser", lambda _groups, _rate: None, "with a method step; it returns NoneType"),
        ("schedule", lambda _optimiser, _epochs: 1, "A schedule is called with the optimiser"),
        ("schedule", lambda _optimiser: 3, "with a method step; it returns int"),
    ],
)
def test_a_part_that_does_not_do_its_work_is_told_before_the_first_trial(
    tmp_path: Path, part: str, given: Any, told: str
) -> None:
    with pytest.raises(ActlabError, match=told):
        studied(tmp_path / "R", model=mlp(2), data=(X, CLASSES), **{part: given})
    assert not (tmp_path / "R" / "records.jsonl").exists()


def test_a_whole_training_may_be_one_function(tmp_path: Path) -> None:
    seeds = []

    def reward(setting: Any, seed: int) -> float:
        seeds.append(seed)
        module = setting.module("policy")
        return 200.0 + 10 * float(module(torch.tensor(-1.0))) + float(torch.rand(())) * 0.01

    study = actlab.study(
        train=reward, slots={"policy": ["relu", "leaky_relu(0.5)"]}, out=tmp_path / "R",
        overrides={"trials": 4, "replicates": 0},
    )  # fmt: skip
    assert study.best.setting.activations == {"policy": "relu"}
    verdict = study.confirm(seeds=4)
    (slot,) = verdict.slots
    assert {row.name: row.group for row in slot.candidates} == {
        "relu": "best",
        "leaky_relu(0.5)": "worse",
    }
    assert len(set(seeds)) > 4, "each replicate has a seed of its own"
    text = shown(tmp_path / "R")
    for absent in ("digits", "small_cnn", "conv", "accuracy"):
        assert absent not in text.lower()


@pytest.mark.slow
def test_what_a_constant_reaches_is_said_first(tmp_path: Path) -> None:
    rare = (RNG.random(240) < 0.06).astype(int)
    study = studied(tmp_path / "R", model=mlp(2), data=(X, rare))
    text = shown(tmp_path / "R")
    first = text.index("Nothing beats a constant: always answering 0 has accuracy")
    assert first < text.index("<h1")
    assert "The classes are imbalanced" in text
    assert "--metric macro_f1" in text
    study.confirm(seeds=3)
    assert "Nothing beats a constant" in shown(tmp_path / "R")
    learnt = studied(tmp_path / "L", model=mlp(2), data=(X, CLASSES))
    assert learnt.best.valid_accuracy > 0.8
    assert "Nothing beats" not in shown(tmp_path / "L")


@pytest.mark.slow
def test_groups_do_not_leak(tmp_path: Path) -> None:
    groups = np.arange(240) // 4
    noise = np.random.default_rng(7).integers(0, 2, 60)[groups]
    marks = np.random.default_rng(8).normal(size=(60, 4)).astype(np.float32)[groups] * 3
    leaking = studied(
        tmp_path / "A",
        model=mlp(2),
        data=(marks, noise),
        overrides=QUICK | {"protocol.max_epochs": 40},
    )
    split = studied(
        tmp_path / "B", model=mlp(2), data=(marks, noise), group=groups,
        overrides=QUICK | {"protocol.max_epochs": 40},
    )  # fmt: skip
    assert leaking.best.valid_accuracy > 0.7
    assert split.best.valid_accuracy < 0.65
    assert split._folder.environment().divided_by == "group"


def test_a_target_of_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must hold numbers"):
        studied(
            tmp_path / "R", model=mlp(1), data=(X, np.where(CLASSES, "a", "b")), task="regression"
        )
