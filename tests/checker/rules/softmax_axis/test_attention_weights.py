"""Masks and axes of attention weights, in the forms that people write."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.checker.report import Report

MASK = torch.arange(10) < torch.arange(32)[:, None] % 9 + 1
ONES = MASK.float()
Weigh = Callable[[Tensor], Tensor]


class Pooling(nn.Module):
    def __init__(self, weigh: Weigh) -> None:
        super().__init__()
        self.encode, self.score, self.out = nn.Linear(12, 16), nn.Linear(16, 1), nn.Linear(16, 2)
        self.weigh = weigh

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.tanh(self.encode(x))
        weights = self.weigh(self.score(hidden).squeeze(-1))
        return self.out((weights.unsqueeze(-1) * hidden).sum(1))


def again(weights: Tensor) -> Tensor:
    return weights / (weights.sum(1, keepdim=True) + 1e-13)


WRONG_MASKS: dict[str, Weigh] = {
    "before": lambda s: F.softmax(s * ONES, 1),
    "before, of booleans": lambda s: F.softmax(s * MASK, dim=-1),
    "before, with a temperature": lambda s: F.softmax(s * ONES / 0.5, dim=-1),
    "after": lambda s: F.softmax(s, 1) * ONES,
}
RIGHT_MASKS: dict[str, Weigh] = {
    "minus infinity": lambda s: F.softmax(s.masked_fill(~MASK, float("-inf")), 1),
    "minus a billion, added": lambda s: F.softmax(s * ONES + (1 - ONES) * -1e9, 1),
    "minus a billion, and once more": lambda s: F.softmax(s.masked_fill(~MASK, -1e9), 1) * ONES,
    "before and after, renormalised": lambda s: again(F.softmax(s * ONES, 1) * ONES),
    "after, renormalised": lambda s: again(F.softmax(s, 1) * ONES),
    "after, normalised": lambda s: F.normalize(F.softmax(s, 1) * ONES, p=1.0, dim=1),
    "dropout by hand": lambda s: F.softmax(s, 1) * (torch.rand(32, 10) > 0.1) / 0.9,
}


def pooled(weigh: Weigh) -> Report:
    torch.manual_seed(0)
    batch = (torch.randn(32, 10, 12), torch.arange(32) % 2)
    return actlab.check(Pooling(weigh), nn.CrossEntropyLoss(), batch)


@pytest.mark.parametrize("name", WRONG_MASKS)
def test_a_mask_that_does_not_mask_is_found(name: str) -> None:
    assert [f.code for f in pooled(WRONG_MASKS[name]).warnings] == ["ACT206"]


@pytest.mark.parametrize("name", RIGHT_MASKS)
def test_a_mask_that_masks_is_left_alone(name: str) -> None:
    report = pooled(RIGHT_MASKS[name])
    assert report.of_severity("error", "warning") == (), str(report)


Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
OVER_QUERIES: dict[str, Attend] = {
    "bmm": lambda q, k, v: torch.bmm(F.softmax(torch.bmm(q, k.mT) / 3, 1), v),
    "einsum": lambda q, k, v: torch.einsum(
        "bij,bjd->bid", torch.einsum("bid,bjd->bij", q, k).softmax(1), v
    ),
    "values on the left": lambda q, k, v: (v.mT @ F.softmax(q @ k.mT, -1)).mT,
}
OVER_KEYS: dict[str, Attend] = {
    "bmm": lambda q, k, v: torch.bmm(F.softmax(torch.bmm(q, k.mT) / 3, 2), v),
    "scores the other way round": lambda q, k, v: torch.einsum(
        "bji,bjd->bid", torch.einsum("bid,bjd->bji", q, k).softmax(1), v
    ),
    "transposed behind the softmax": lambda q, k, v: F.softmax(k @ q.mT, 1).transpose(1, 2) @ v,
    "linear attention": lambda q, k, v: F.softmax(q, -1) @ (F.softmax(k, 1).transpose(1, 2) @ v),
    "divided by another sum": lambda q, k, v: (lambda a: (a / a.sum(-1, keepdim=True)) @ v)(
        F.softmax(q @ k.mT, 1) + 1e-8
    ),
    "torch's own": lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
}


class Attention(nn.Module):
    def __init__(self, attend: Attend) -> None:
        super().__init__()
        self.parts, self.out, self.attend = nn.Linear(12, 36), nn.Linear(12, 5), attend

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.attend(*self.parts(x).chunk(3, -1)).mean(1))


def attended(attend: Attend) -> Report:
    torch.manual_seed(0)
    batch = (torch.randn(16, 7, 12), torch.arange(16) % 5)
    return actlab.check(Attention(attend), nn.CrossEntropyLoss(), batch)


@pytest.mark.parametrize("name", OVER_QUERIES)
def test_a_softmax_over_the_queries_is_found(name: str) -> None:
    assert [f.code for f in attended(OVER_QUERIES[name]).warnings] == ["ACT207"]


@pytest.mark.parametrize("name", OVER_KEYS)
def test_a_softmax_over_the_keys_is_left_alone(name: str) -> None:
    report = attended(OVER_KEYS[name])
    assert report.of_severity("error", "warning") == (), str(report)


def test_an_assignment_to_prototypes_is_left_alone() -> None:
    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.assign, self.embed, self.out = (nn.Linear(12, n) for n in (4, 12, 5))

        def forward(self, x: Tensor) -> Tensor:
            share = F.softmax(self.assign(x), -1).transpose(1, 2)
            return self.out((share @ torch.tanh(self.embed(x))).mean(1))

    torch.manual_seed(0)
    batch = (torch.randn(16, 7, 12), torch.arange(16) % 5)
    report = actlab.check(Pooled(), nn.CrossEntropyLoss(), batch)
    assert report.of_severity("error", "warning") == ()
