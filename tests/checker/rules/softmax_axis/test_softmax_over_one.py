"""The axis of one element is followed back to the layer with one unit, through views."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.checker.report import Report

Weigh = Callable[[Tensor], Tensor]

OVER_ONE: dict[str, Weigh] = {
    "last": lambda s: F.softmax(s, -1),
    "transposed": lambda s: F.softmax(s.transpose(1, 2), 1).transpose(1, 2),
    "permuted": lambda s: F.softmax(s.permute(0, 2, 1), dim=1).permute(0, 2, 1),
    "squeezed and back": lambda s: F.softmax(s.squeeze(-1).unsqueeze(1), 1).transpose(1, 2),
}
OVER_POSITIONS: dict[str, Weigh] = {
    "middle": lambda s: F.softmax(s, 1),
    "transposed": lambda s: F.softmax(s.transpose(1, 2), 2).transpose(1, 2),
}


class Pooling(nn.Module):
    def __init__(self, weigh: Weigh) -> None:
        super().__init__()
        self.encode, self.score, self.out = nn.Linear(12, 16), nn.Linear(16, 1), nn.Linear(16, 3)
        self.weigh = weigh

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.tanh(self.encode(x))
        return self.out((self.weigh(self.score(hidden)) * hidden).sum(1))


def pooled(weigh: Weigh) -> Report:
    torch.manual_seed(0)
    batch = (torch.randn(32, 10, 12), torch.arange(32) % 3)
    return actlab.check(Pooling(weigh), nn.CrossEntropyLoss(), batch)


@pytest.mark.parametrize("name", OVER_ONE)
def test_one_unit_is_one_element_wherever_it_was_moved(name: str) -> None:
    assert "ACT201" in [f.code for f in pooled(OVER_ONE[name]).of_severity("error", "warning")]


@pytest.mark.parametrize("name", OVER_POSITIONS)
def test_positions_are_several_elements(name: str) -> None:
    assert pooled(OVER_POSITIONS[name]).of_severity("error", "warning") == ()
