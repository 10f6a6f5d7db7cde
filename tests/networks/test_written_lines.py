"""Lines that make an activation: found where they are written, edited, and the result runs."""

import linecache
from pathlib import Path
from typing import Any

import pytest
import torch

from actlab.addresses import load
from actlab.networks.activation_slots import slots
from actlab.networks.written_lines import changes, edited

HEAD = '"""A network."""\n\nfrom torch import nn\nimport torch.nn.functional as F\n\n\n'
LOOP = (
    HEAD
    + """def build():
    layers = [nn.Linear(6, 8), nn.ReLU(inplace=True)]
    for _ in range(2):
        layers += [nn.Linear(8, 8), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(8, 3))
"""
)
CALLS = (
    HEAD
    + """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = F.relu(self.a(x))
        return self.c(self.b(x).relu())


def build():
    return Net()
"""
)
MIXED = (
    HEAD
    + """def block(a, b, layer):
    return nn.Sequential(layer, nn.ReLU())


def build():
    return nn.Sequential(
        block(1, 2, nn.Conv2d(1, 2, 1)), nn.Flatten(), block(2, 2, nn.Linear(8, 4)), nn.Linear(4, 2)
    )
"""
)


@pytest.fixture
def make(tmp_path: Path) -> Any:
    def written(source: str, name: str = "net") -> Any:
        path = tmp_path / f"{name}.py"
        path.write_text(source)
        return load(f"{path}:build").thing

    return written


@pytest.mark.parametrize("source", [LOOP, CALLS], ids=["modules", "calls"])
@pytest.mark.parametrize("name", ["silu", "leaky_relu", "gish", "gelu_tanh"])
def test_the_edited_source_has_the_chosen_activation_everywhere(
    make: Any, source: str, name: str
) -> None:
    example = torch.zeros(2, 6)
    found = changes(make(source), example, {"fc": name})
    network = make(edited(source, found), "edited")()
    names = {slot.name for slot in slots(network, example)}
    assert "relu" not in names, names
    assert network(example).shape == (2, 3)


def test_what_is_there_already_needs_no_change(make: Any) -> None:
    assert changes(make(LOOP), torch.zeros(2, 6), {"fc": "relu"}) == ()


def test_a_call_cannot_become_a_function_that_learns(make: Any) -> None:
    found = changes(make(CALLS), torch.zeros(2, 6), {"fc": "prelu"})
    assert [one.new for one in found] == [None, None]
    assert "has to be a module" in found[0].reason


def test_one_line_that_is_to_make_two_activations_is_not_edited(make: Any) -> None:
    found = changes(make(MIXED), torch.zeros(2, 1, 2, 2), {"conv": "silu", "fc": "tanh"})
    assert [one.new for one in found] == [None, None]
    assert all("several slots" in one.reason for one in found)


def test_a_cell_of_a_notebook_is_edited_though_it_is_no_file() -> None:
    name = "/nowhere/ipykernel_1/2.py"
    linecache.cache[name] = (len(LOOP), None, LOOP.splitlines(keepends=True), name)
    module: dict[str, Any] = {}
    exec(compile(LOOP, name, "exec"), module)
    found = changes(module["build"], torch.zeros(2, 6), {"fc": "silu"})
    assert [one.new for one in found] == ["nn.SiLU()", "nn.SiLU()"]
    assert "nn.ReLU" not in edited(LOOP, found)
