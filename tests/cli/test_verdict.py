"""`actlab verdict`: every source, every format, every fault with code 2."""

import json
from pathlib import Path

import numpy as np
import optuna
import pytest

from .confirmed import confirmed
from .invoke import actlab
from .test_verdicts import SCORES


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    lines = ["activation,seed,accuracy"]
    for name, mean in (("relu", 0.93), ("gelu", 0.94), ("tanh", 0.90)):
        lines += [f"{name},{s},{mean + generator.normal(0, 0.002):.4f}" for s in range(8)]
    path = tmp_path / "scores.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_json_is_one_document(scores: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = actlab(capsys, "verdict", scores, "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["format_version"] == 1
    assert [row["candidate"] for row in document["candidates"]] == ["gelu", "relu", "tanh"]
    dry = actlab(capsys, "verdict", scores, "--dry-run", "--json")
    assert json.loads(dry.out)["seeds"] == 8


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("text", "gelu has the best mean"),
        ("markdown", "| gelu | best | 8 |"),
        ("github", "### Verdict on"),
        ("latex", "\\toprule"),
    ],
)
def test_every_format(
    scores: Path, form: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = actlab(capsys, "verdict", scores, "--format", form)
    assert result.code == 0, result.err
    assert said in result.out


def test_a_baseline_and_a_direction(scores: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(actlab(capsys, "verdict", scores, "--baseline", "relu", "--json").out)
    groups = {row["candidate"]: row["group"] for row in found["candidates"]}
    assert groups == {"gelu": "best", "relu": "tied", "tanh": "worse"}
    turned = json.loads(actlab(capsys, "verdict", scores, "--lower-is-better", "--json").out)
    assert turned["candidates"][0]["candidate"] == "tanh"


def test_a_run_folder_has_a_document_per_slot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = confirmed(tmp_path / "run", SCORES)
    document = json.loads(actlab(capsys, "verdict", folder.path, "--json").out)
    assert list(document["slots"]) == ["conv", "fc"]
    groups = [row["group"] for row in document["slots"]["conv"]["candidates"]]
    assert groups == ["best", "tied", "worse"]
    assert "relu" in actlab(capsys, "verdict", folder.path).out
    result = actlab(capsys, "verdict", folder.path, "--margin", "0.1")
    assert result.code == 2
    assert "has its own margin" in result.err


def test_an_optuna_study_with_any_parameter_as_candidate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    study = optuna.create_study(storage=storage, study_name="s", direction="minimize")
    for name, mean in (("adam", 0.3), ("sgd", 0.4)):
        for seed in range(5):
            trial = study.ask(
                {"opt": optuna.distributions.CategoricalDistribution(("adam", "sgd"))}
            )
            trial.set_user_attr("who", name)
            trial.set_user_attr("rng", seed)
            study.tell(trial, mean + 0.001 * seed)
    arguments = ("verdict", "--storage", storage, "--study", "s", "--candidate", "who")
    result = actlab(capsys, *arguments, "--seed", "rng", "--score", "value", "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["metric"]["higher_is_better"] is False
    assert [row["group"] for row in document["candidates"]] == ["best", "worse"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere.csv",),
        (),
        ("--storage", "sqlite:///nowhere.db"),
        ("--format", "pdf"),
    ],
)
def test_wrong_use_is_2(
    arguments: tuple[str, ...], scores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = (scores, *arguments) if arguments and arguments[0] == "--format" else arguments
    result = actlab(capsys, "verdict", *given)
    assert result.code == 2
    assert "Traceback" not in result.err
