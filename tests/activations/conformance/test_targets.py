"""What may be compared and named: ONNX graphs, golden vectors, models and their configurations."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from actlab.activations import get
from actlab.activations.conformance import (
    ConformanceError,
    check,
    check_vectors,
    differing,
    identify_modules,
    identify_single,
    load_onnx,
    onnx_activations,
    vectors,
)
from actlab.networks.activation_slots import slot_functions


def graph(path: Path, nodes: list[Any], constants: dict[str, float], output: str) -> Path:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    kind = onnx.TensorProto.FLOAT
    made = onnx.helper.make_graph(
        nodes,
        "net",
        [onnx.helper.make_tensor_value_info("x", kind, ["n"])],
        [onnx.helper.make_tensor_value_info(output, kind, ["n"])],
        [onnx.helper.make_tensor(name, kind, [], [value]) for name, value in constants.items()],
    )
    model = onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


def quick_gelu(path: Path) -> Path:
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node
    nodes = [
        node("Mul", ["x", "scale"], ["scaled"]),
        node("Sigmoid", ["scaled"], ["gate"]),
        node("Mul", ["x", "gate"], ["y"], name="act"),
        node("Relu", ["y"], ["z"]),
    ]
    return graph(path, nodes, {"scale": 1.702}, "z")


def test_a_value_of_a_graph_is_a_kernel(tmp_path: Path) -> None:
    path = quick_gelu(tmp_path / "net.onnx")
    for target in (f"{path}#y", f"{path}#act"):
        kernel = load_onnx(target)
        assert check(kernel, get("quick_gelu"), gradients=False).ok
        assert not check(kernel, get("gelu"), gradients=False).ok
        assert identify_single(kernel)["call"] == "quick_gelu"
    with pytest.raises(ConformanceError, match="has no value or node nowhere; its values are"):
        load_onnx(f"{path}#nowhere")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no graph")
    with pytest.raises(ConformanceError, match="cannot be read as ONNX"):
        load_onnx(str(broken))


def test_activations_between_layers_are_named(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node
    nodes = [
        node("Mul", ["x", "scale"], ["scaled"]),
        node("Sigmoid", ["scaled"], ["gate"]),
        node("Mul", ["x", "gate"], ["y"]),
        node("ReduceSum", ["y"], ["total"], keepdims=0),
        node("Tanh", ["total"], ["z"]),
    ]
    path = graph(tmp_path / "net.onnx", nodes, {"scale": 1.702}, "z")
    found = {name: identify_single(of[0])["call"] for name, of in onnx_activations(str(path))}
    assert found == {"y": "quick_gelu", "z": "tanh"}


@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_what_a_port_made_of_the_vectors_is_judged(tmp_path: Path, suffix: str) -> None:
    table = vectors(get("gelu"))
    right = {"x": table["x"], "y": table["y"], "dy": table["dy"]}
    x = torch.tensor(table["x"], dtype=torch.float32)
    wrong = {"x": table["x"], "y": F.gelu(x, approximate="tanh").tolist()}
    for name, port in (("right", right), ("wrong", wrong)):
        folder = tmp_path / name
        folder.mkdir()
        if suffix == "json":
            (folder / "port.json").write_text(json.dumps({"dtypes": {"float32": port}}))
        else:
            np.savez(folder / "port.npz", **{f"float32_{k}": np.array(v) for k, v in port.items()})
        (report,) = check_vectors(folder, get("gelu"))
        assert report.ok == (name == "right"), report
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConformanceError, match="has no golden vectors"):
        check_vectors(empty, get("gelu"))
    (empty / "a.json").write_text("[1]")
    with pytest.raises(ConformanceError, match="cannot be read as golden vectors"):
        check_vectors(empty, get("gelu"))


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 2)
        self.act = nn.LeakyReLU(0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.gelu(self.first(self.act(x)), approximate="tanh")
        x = self.second(x)
        return self.last(x * torch.sigmoid(1.702 * x))


def test_calls_of_one_pass_are_functions() -> None:
    from actlab.activations.conformance import identify

    found = [identify(f)["call"] for _slot, f in slot_functions(Mixed(), torch.randn(2, 8))]
    assert found == ["leaky_relu(negative_slope=0.3)", "gelu_tanh", "quick_gelu"]


def test_names_of_a_configuration_are_held_against_what_is_computed() -> None:
    model = nn.ModuleDict({"mlp": nn.Sequential(nn.Linear(2, 2), nn.GELU("tanh"))})
    found = identify_modules(model.named_modules())
    assert {path: row["call"] for path, row in found.items()} == {"mlp.1": "gelu_tanh"}
    assert differing({"hidden_act": "gelu_new"}, found) == {}
    assert differing({"hidden_act": "gelu"}, found) == {"hidden_act": "gelu"}
    assert differing({"hidden_act": "relu2"}, found) == {"hidden_act": "relu2 (relu_squared)"}
    assert differing({"hidden_act": "nobody_knows"}, found) == {}


TEN: dict[str, nn.Module] = {
    "relu": nn.ReLU(),
    "gelu": nn.GELU(),
    "gelu_tanh": nn.GELU("tanh"),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "hardswish": nn.Hardswish(),
    "elu": nn.ELU(),
    "leaky_relu": nn.LeakyReLU(0.2),
    "tanh": nn.Tanh(),
    "softplus": nn.Softplus(),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TEN)
def test_exported_networks_are_named(tmp_path: Path, name: str) -> None:
    pytest.importorskip("onnxscript")
    model = nn.Sequential(nn.Linear(4, 6), TEN[name], nn.Linear(6, 3)).eval()
    path = tmp_path / "net.onnx"
    torch.onnx.export(model, (torch.randn(2, 4),), str(path), dynamo=True, verbose=False)
    found = [identify_single(kernels[0]) for _name, kernels in onnx_activations(str(path))]
    assert [row["name"] for row in found] == [name]
    assert found[0]["equal"]
