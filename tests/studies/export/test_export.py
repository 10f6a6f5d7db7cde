"""What a study gives to take home: the same network as module, weights, ONNX and source lines."""

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import actlab
from actlab.cli.main import run
from actlab.studies.export import Export

pytestmark = pytest.mark.slow

NET = '''"""A network."""

import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.act = nn.ReLU()
        self.fc1, self.fc2 = nn.Linear(256, 16), nn.Linear(16, 10)

    def forward(self, x):
        x = self.act(self.conv(x)).flatten(1)
        return self.fc2(F.relu(self.fc1(x)))
'''
OVERRIDES = {
    "trials": 2, "replicates": 0, "protocol.max_epochs": 2, "execution.precision": "fp32",
    "execution.device": "cpu", "execution.workers": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("export")
    (place / "net.py").write_text(NET)
    actlab.study(
        "digits",
        model=f"{place / 'net.py'}:Net",
        conv=["silu"],
        fc=["tanh"],
        out=place / "run",
        overrides=OVERRIDES,
    )
    return place


@pytest.fixture(scope="module")
def exported(folder: Path) -> Export:
    study = actlab.open(folder / "run", model=f"{folder / 'net.py'}:Net")
    found: Export = study.export(folder / "out")
    return found


def module_of(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("edited_net", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Net()


def outputs(network: Any) -> torch.Tensor:
    rows = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        found: torch.Tensor = network(rows)
    return found


def test_the_module_is_the_users_class_with_the_trained_weights(
    folder: Path, exported: Export
) -> None:
    network = exported.network
    assert type(network).__name__ == "Net"
    assert not network.training
    study = actlab.open(folder / "run", model=f"{folder / 'net.py'}:Net")
    assert torch.equal(outputs(study.network()), outputs(network))
    kept = torch.load(exported.weights, weights_only=True)
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in kept.items())


def test_the_edited_source_gives_the_same_outputs(folder: Path, exported: Export) -> None:
    assert [(one.line, one.old, one.new) for one in exported.changes] == [
        (11, "nn.ReLU()", "nn.SiLU()"),
        (16, "F.relu(self.fc1(x))", "torch.tanh(self.fc1(x))"),
    ]
    assert exported.diff is not None
    shutil.copy(folder / "net.py", folder / "edited.py")
    patch = ["patch", "-s", str(folder / "edited.py"), str(exported.diff)]
    subprocess.run(patch, check=True)
    network = module_of(folder / "edited.py").eval()
    network.load_state_dict(torch.load(exported.weights, weights_only=True))
    assert torch.equal(outputs(network), outputs(exported.network))
    before = module_of(folder / "net.py").eval()
    before.load_state_dict(torch.load(exported.weights, weights_only=True))
    assert not torch.allclose(outputs(before), outputs(exported.network), atol=1e-3)


def test_the_onnx_file_gives_the_same_outputs(exported: Export) -> None:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(exported.onnx))
    rows = torch.randn(7, 1, 8, 8)
    (found,) = session.run(None, {"input": rows.numpy()})
    with torch.no_grad():
        expected = exported.network(rows).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    assert exported.onnx_difference is not None
    assert exported.onnx_difference < 1e-4


def test_the_card_says_what_it_is_and_that_nothing_is_confirmed(exported: Export) -> None:
    text = exported.card.read_text(encoding="utf-8")
    assert "| activation after convolutions | silu |" in text
    assert "Not confirmed" in text
    assert "`nn.ReLU()` → `nn.SiLU()`" in text


def test_the_command_writes_the_same_and_runs_no_code_unasked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["study", "export", str(folder / "run"), "-o", str(folder / "other")]
    assert run(command) == 2
    assert "--network" in capsys.readouterr().err
    named = ["--network", f"{folder / 'net.py'}:Net", "--json", "--no-onnx"]
    assert run([*command, *named]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["changes"][0]["new"] == "nn.SiLU()"
    assert document["onnx"] is None
    assert Path(document["card"]).is_file()


def test_a_built_in_network_has_no_source_to_edit(tmp_path: Path) -> None:
    study = actlab.study("digits", out=tmp_path / "run", overrides=OVERRIDES)
    found = study.export(tmp_path / "out")
    assert (found.changes, found.diff) == ((), None)
    assert found.onnx_difference is not None
    assert found.onnx_difference < 1e-4
