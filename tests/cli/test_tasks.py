"""`actlab tasks list` and `actlab tasks suggest`, as scripts and people see them."""

import json
from pathlib import Path

import numpy as np
import pytest

from .invoke import actlab


def test_the_list_says_head_loss_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(actlab(capsys, "tasks", "list", "--json").out)
    heads = {task["task"]: (task["head"], task["loss"]) for task in document["tasks"]}
    assert heads == {
        "regression": ("none", "mse"),
        "probability": ("sigmoid", "bce"),
        "binary": ("softmax", "ce"),
        "multiclass": ("softmax", "ce"),
        "multilabel": ("sigmoid", "bce"),
    }
    assert all(task["why"] and task["pitfalls"] for task in document["tasks"])
    text = actlab(capsys, "tasks", "list").out
    assert all(name in text for name in heads)
    assert "torch.nn.functional.cross_entropy" in text


def write(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]  # arrays by name
    return path


def test_a_suggestion_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "t.npz", x=np.zeros((9, 2)), y=np.arange(9) % 3)
    result = actlab(capsys, "tasks", "suggest", "--data", path, "--json")
    document = json.loads(result.out)
    assert (result.code, result.err) == (0, "")
    assert (document["task"], document["head"], document["loss"]) == ("multiclass", "softmax", "ce")
    assert (document["array"], document["shape"], document["outputs"]) == ("y", [9], 3)
    assert document["alternatives"][0]["task"] == "regression"
    assert document["because"]


def test_a_suggestion_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "t.npz", prices=np.array([120.0, 340.5, 99.0]))
    text = actlab(capsys, "tasks", "suggest", "--data", path).out
    for part in ("task: regression", "head: none, loss: mse", "F.mse_loss", "Standardise"):
        assert part in text
    ambiguous = write(tmp_path / "u.npz", y=np.arange(9) % 3)
    assert "or regression (head none" in actlab(capsys, "tasks", "suggest", "--data", ambiguous).out


def test_a_target_with_faults_is_the_answer_no(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "t.npz", y=np.array([1.0, np.nan, 2.5]))
    result = actlab(capsys, "tasks", "suggest", "--data", path)
    assert result.code == 1
    assert "1 target is NaN or infinite (row 1)" in result.out


def test_files_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = write(tmp_path / "two.npz", a=np.zeros(3), b=np.zeros(3))
    text = tmp_path / "text.npz"
    text.write_text("y = 1")
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, y=np.array([{"a": 1}, None], dtype=object))
    cases = {
        tmp_path / "none.npz": "There is no file",
        two: "it has a, b",
        text: "cannot be read",
        pickled: "cannot be read",
    }
    for path, said in cases.items():
        result = actlab(capsys, "tasks", "suggest", "--data", path)
        assert (result.code, result.out) == (2, "")
        assert said in result.err
        assert result.err.count("\n") == 1
