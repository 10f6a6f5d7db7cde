"""An activation that a library wrote out inside a layer is the architecture's."""

from types import FunctionType, SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab


class Experts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Parameter(torch.randn(8, 16) / 3), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        gate = x @ self.up
        out: Tensor = self.down(gate * torch.sigmoid(1.702 * gate))
        return out


class Configured(nn.Module):
    def __init__(self, experts: nn.Module) -> None:
        super().__init__()
        self.config, self.experts = SimpleNamespace(hidden_act="silu"), experts

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.experts(x)
        return out


@pytest.mark.parametrize(
    ("file", "severity"), [("/site-packages/library/moe.py", "info"), (__file__, "warning")]
)
def test_a_gate_that_a_library_wrote_out_was_not_exchanged(file: str, severity: str) -> None:
    code = Experts.forward.__code__.replace(co_filename=file)
    written = type("Experts", (Experts,), {"forward": FunctionType(code, globals())})
    model, x = Configured(written()), torch.randn(12, 8)
    report = actlab.check(model, F.cross_entropy, (x, torch.arange(12) % 3))
    assert [f.severity for f in report.findings if f.code == "ACT408"] == [severity]
