"""The gradients of the convolutions by minimal filtering."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from actlab.networks.winograd.convolution import (
    pooled_winograd_convolution,
    winograd_convolution,
)
from actlab.networks.winograd.extremes import Unimodal

ROWS = torch.arange(36).view(36, 1)


def sources(dtype: torch.dtype) -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    shapes = ((36, 2, 2), (3, 2, 3, 3), (3,))
    return [torch.randn(shape, dtype=dtype, generator=random).requires_grad_() for shape in shapes]


def test_gradients_are_those_of_the_values() -> None:
    assert torch.autograd.gradcheck(
        lambda *given: winograd_convolution(*given, ROWS, torch.float64), sources(torch.float64)
    )


@pytest.mark.parametrize("unimodal", [None, F.silu])
def test_gradients_are_those_of_what_decides(unimodal: Unimodal | None) -> None:
    assert torch.autograd.gradcheck(
        lambda *given: pooled_winograd_convolution(*given, ROWS, torch.float64, unimodal),
        sources(torch.float64),
    )


@pytest.mark.slow
def test_products_in_bfloat16_are_as_near_as_its_precision() -> None:
    given = sources(torch.float32)
    found, expected = (
        winograd_convolution(*given, ROWS, dtype).detach()
        for dtype in (torch.bfloat16, torch.float32)
    )
    assert found.dtype is torch.float32
    assert 0 < float((found - expected).norm() / expected.norm()) < 0.02
