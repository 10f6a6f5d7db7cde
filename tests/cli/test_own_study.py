"""`actlab study` on the user's own network and data."""

import json
from pathlib import Path

import numpy as np
import pytest

from actlab.cli.main import run

NETWORK = """
from torch import nn

def build():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
"""
PLAN = """
name = "shapes"
trials = 2
seed = 1
network = { name = "net.py:build" }
protocol = { max_epochs = 3 }
execution = { workers = 1 }
[data]
name = "shapes.npz"
splits = { train = 60, valid_epoch = 20, valid_trial = 40, test = 30 }
[space]
conv_activation = ["relu"]
fc_activation = ["relu", "tanh"]
learning_rate = { low = 0.01, high = 0.1 }
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network, separable data and a plan, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    labels = np.arange(150) % 2
    inputs = np.random.default_rng(1).normal(size=(150, 4)) + 4.0 * labels[:, None]
    np.savez(tmp_path / "shapes.npz", x=inputs, y=labels)
    (tmp_path / "net.py").write_text(NETWORK)
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path


def test_a_study_of_an_own_network_on_own_data(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["study", "run", "plan.toml", "--network", "net.py:build", "--out", "R", "--json"]
    assert run(asked) == 0
    document = json.loads(capsys.readouterr().out)
    assert {trial["outcome"] for trial in document["trials"]} == {"completed"}
    assert document["test_accuracy"] > 0.8
    assert document["plan"]["network"] == f"{place}/net.py:build"
    assert (place / "R" / "report.html").is_file()
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert run(["study", "resume", "../R"]) == 2, "no code is run because a run folder names it"
    assert f"add --network {place}/net.py:build" in capsys.readouterr().err
    assert run(["study", "resume", "../R", "--network", "../net.py:build"]) == 0
    (place / "shapes.npz").unlink()
    assert run(["study", "show", "../R"]) == 0, "what was found stays readable without the data"
    assert run(["study", "run", "../plan.toml", "--network", "../net.py:build"]) == 2
    assert "There is no file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "No code is run because a file names it"),
        (
            ["--network", "net.py"],
            'must look like pkg.module:Net or file.py:build; got "net.py"',
        ),
        (["--network", "none.py:build"], "There is no file"),
        (["--network", "net.py:bulid"], 'Did you mean "build"?'),
        (["--network", "net.py:build", "--data", "none.npz"], "There is no file"),
    ],
)
def test_what_is_not_there_or_not_named_is_told(
    place: Path, capsys: pytest.CaptureFixture[str], options: list[str], told: str
) -> None:
    assert run(["study", "run", "plan.toml", "--out", "R", *options]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert not (place / "R").exists()
