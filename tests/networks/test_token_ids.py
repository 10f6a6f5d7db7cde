"""Networks that look their inputs up, and networks that compute with them."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.addresses import offer
from actlab.networks import looks_up

IDS = torch.arange(12).reshape(2, 6)


class Tokens(nn.Module):
    """Looks its inputs up, after a few steps that keep them whole numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.last = nn.Embedding(50, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.last(self.table(x.long()[:, :3].clamp(0, 49)).mean(1))
        return scores


class Positions(nn.Module):
    """Computes with its inputs, and looks up their places alone."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.first, self.last = nn.Embedding(6, 4), nn.Linear(6, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        places = F.embedding(torch.arange(6), self.table.weight).mean(0)
        scores: Tensor = self.last(self.first(x.float()) + places)
        return scores


@pytest.mark.parametrize(
    ("made", "ids"),
    [
        (Tokens, True),
        (lambda: nn.Sequential(nn.EmbeddingBag(50, 4), nn.Linear(4, 2)), True),
        (Positions, False),
        (lambda: nn.Linear(6, 2), False),  # does not run on whole numbers
    ],
)
def test_what_is_looked_up_in_an_embedding(made: type[nn.Module], ids: bool) -> None:
    offer("here:made", made)
    before = torch.get_rng_state()
    assert looks_up("here:made", IDS) is ids
    assert torch.equal(torch.get_rng_state(), before)
