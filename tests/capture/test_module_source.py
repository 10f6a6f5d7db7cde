"""Where a module was written down: the right line or none, and found once."""

import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

import actlab
from actlab.capture import module_source

TWO = """
import torch
from torch import nn

class Teacher(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(),
                                 nn.Linear(16, 20))

    def forward(self, x):
        return self.net(x)

def build():
    layers = []
    for width in (16, 64):
        layers += [nn.Linear(width, 64), nn.Dropout(0.1)]
    return nn.Sequential(*layers, nn.Linear(64, 2))

def written_out():
    return nn.Sequential(nn.Linear(16, 64), nn.Dropout(0.1), nn.Linear(64, 64), nn.Dropout(0.1),
                         nn.Linear(64, 2))
"""


def imported(folder: Path, name: str, source: str) -> ModuleType:
    path = folder / f"{name}.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def lines_of(net: nn.Module, path: Path) -> set[int | None]:
    from actlab.checker.api import check_batch

    torch.manual_seed(0)
    batch = (torch.randn(8, 16), torch.arange(8) % 2)
    report = check_batch(net, nn.CrossEntropyLoss(), batch, files=(str(path),))
    places = [place for f in report.findings for place in (f.location, *f.others)]
    return {place.line for place in places if f"{path}" == place.file}


def test_a_container_built_in_a_loop_is_not_placed_in_another_model(tmp_path: Path) -> None:
    module = imported(tmp_path, "two_models", TWO)
    teacher = set(range(7, 10))
    assert not lines_of(module.build(), tmp_path / "two_models.py") & teacher


def test_a_container_that_is_written_out_is_placed(tmp_path: Path) -> None:
    module = imported(tmp_path, "two_more", TWO)
    assert lines_of(module.written_out(), tmp_path / "two_more.py") == {21, 22}


def test_a_module_is_searched_once(tmp_path: Path) -> None:
    filler = "\n".join(f"def f{i}(x):\n    return torch.relu(x) + nn.functional.silu(x)" for i in
                       range(1200))  # fmt: skip
    source = (
        "import torch\nfrom torch import nn\n"
        + filler
        + """

class Unrolled(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(nn.Linear(16, 16), nn.Tanh())
        self.out = nn.Linear(16, 2)

    def forward(self, x):
        for _ in range(60):
            x = x + 0.1 * self.block(x)
        return self.out(x)
"""
    )
    net = imported(tmp_path, "long_file", source).Unrolled()
    batch = (torch.randn(8, 16), torch.arange(8) % 2)
    actlab.check(net, nn.CrossEntropyLoss(), batch)
    before = module_source._written.cache_info()
    started = time.process_time()
    actlab.check(net, nn.CrossEntropyLoss(), batch)
    assert time.process_time() - started < 3.0
    after = module_source._written.cache_info()
    assert after.misses == before.misses
    assert after.hits > before.hits
