"""`actlab functions identify --model` names what networks of others compute, to the parameter."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cli.invoke import actlab
from tests.cli.models_with_activations import COMPUTED, EXPORTED, exportable, shape

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def library(name: str) -> Any:
    module = name.rpartition(" ")[0] or "transformers"
    try:
        return pytest.importorskip(module)
    except RuntimeError:  # torchvision's operators are of another torch
        pytest.skip(f"needs {module}")


def calls(capsys: pytest.CaptureFixture[str], *words: str) -> set[str]:
    result = actlab(capsys, "functions", "identify", *words, "--model", "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["missing"] == {}
    assert all(row["equal"] for row in document["slots"].values())
    return {row["call"] for row in document["slots"].values()}


def test_there_are_forty_networks_and_ten_exports() -> None:
    assert len(COMPUTED) >= 40
    assert len(EXPORTED) == 10


@pytest.mark.parametrize("name", COMPUTED)
def test_the_activations_of_a_network_are_named(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library(name)
    file = tmp_path / "net.py"
    file.write_text(
        "from tests.cli.models_with_activations import build\n\n\n"
        f"def network():\n    return build({name!r})\n"
    )
    given = shape(name)
    assert (
        calls(capsys, f"{file}:network", *(["--input-shape", given] if given else []))
        == COMPUTED[name]
    )


@pytest.mark.parametrize("name", EXPORTED)
def test_the_activations_of_an_exported_network_are_named(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library(name)
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    logging.getLogger("torch.onnx").setLevel(logging.CRITICAL)
    model, example = exportable(name)
    path = tmp_path / "net.onnx"
    torch.onnx.export(model, (example,), str(path), dynamo=True, verbose=False)
    returned = {"bert": {"tanh"}, "vit": {"tanh"}}  # the pooler is no part of the first output
    assert calls(capsys, str(path)) == COMPUTED[name] - returned.get(name, set())
