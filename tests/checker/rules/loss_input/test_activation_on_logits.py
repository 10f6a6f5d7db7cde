"""Scores that cannot be far enough apart: hidden states and plain cosines before a softmax."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab


class Recurrent(nn.Module):
    def __init__(self, cell: type[nn.RNNBase], out: int, linear: bool) -> None:
        super().__init__()
        self.cell = cell(8, 24 if linear else out, batch_first=True)
        self.out = nn.Linear(24, out) if linear else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.cell(x)[0][:, -1])


class Cosines(nn.Module):
    def __init__(self, way: str, scale: float | nn.Parameter) -> None:
        super().__init__()
        self.embed, self.way = nn.Linear(16, 24), way
        self.classes, self.scale = nn.Parameter(torch.randn(50, 24)), scale

    def forward(self, x: Tensor) -> Tensor:
        e = self.embed(x)
        if self.way == "function":
            return self.scale * F.cosine_similarity(e[:, None], self.classes[None], dim=-1)
        unit = F.normalize(self.classes, dim=1)
        if self.way == "product":
            return self.scale * (F.normalize(e, dim=1) @ unit.t())
        return F.linear(F.normalize(e), unit) * self.scale


SEQUENCE = torch.randn(32, 7, 8, generator=torch.Generator().manual_seed(1))
CELLS = [nn.RNN, nn.GRU, nn.LSTM]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("linear", [False, True])
def test_a_hidden_state_is_no_score(cell: type[nn.RNNBase], linear: bool) -> None:
    torch.manual_seed(0)
    batch = (SEQUENCE, torch.arange(32) % 6)
    report = actlab.check(Recurrent(cell, 6, linear), nn.CrossEntropyLoss(), batch)
    assert [f.code for f in report.warnings] == ([] if linear else ["ACT108"])


@pytest.mark.parametrize("cell", CELLS)
def test_a_hidden_state_reaches_targets_within_its_range_only(cell: type[nn.RNNBase]) -> None:
    torch.manual_seed(0)
    net = Recurrent(cell, 1, linear=False)
    far = actlab.check(net, nn.MSELoss(), (SEQUENCE, 20 + torch.randn(32, 1)))
    near = actlab.check(net, nn.MSELoss(), (SEQUENCE, torch.linspace(-0.8, 0.8, 32)[:, None]))
    assert "ACT301" in far.codes
    assert near.of_severity("error", "warning") == ()


def test_a_projected_state_has_no_range() -> None:
    torch.manual_seed(0)
    cell = nn.LSTM(8, 16, proj_size=1, batch_first=True)
    targets = 20 + torch.randn(32, 1)
    report = actlab.check(cell, lambda o, y: F.mse_loss(o[0][:, -1], y), (SEQUENCE, targets))
    assert "ACT301" not in report.codes


@pytest.mark.parametrize("way", ["function", "product", "layer"])
def test_cosines_need_a_temperature(way: str) -> None:
    torch.manual_seed(0)
    batch = (torch.randn(64, 16), torch.arange(64) % 50)
    learnt = nn.Parameter(torch.tensor(14.0))
    found = [
        actlab.check(Cosines(way, scale), nn.CrossEntropyLoss(), batch).warnings
        for scale in (1.0, 20.0, learnt)
    ]
    assert [[f.code for f in warnings] for warnings in found] == [["ACT108"], [], []]


@pytest.mark.parametrize("temperature", [0.07, 0.5, 1.0])
def test_a_contrast_of_samples_chooses_its_own_temperature(temperature: float) -> None:
    torch.manual_seed(0)
    net, x = nn.Linear(16, 24), torch.randn(64, 16)

    def step() -> Tensor:
        a, b = F.normalize(net(x)), F.normalize(net(x + 0.1))
        return F.cross_entropy(a @ b.t() / temperature, torch.arange(64))

    assert actlab.check_step(step).of_severity("error", "warning") == ()
