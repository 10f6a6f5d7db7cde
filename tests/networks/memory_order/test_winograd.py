"""The gradients of the convolutions by minimal filtering."""

import pytest
import torch

from actlab.networks.memory_order.winograd import (
    pooled_winograd_convolution,
    winograd_convolution,
)


@pytest.mark.parametrize("convolution", [winograd_convolution, pooled_winograd_convolution])
def test_gradients_are_those_of_the_values(convolution: type) -> None:
    torch.manual_seed(0)
    shapes = ((36, 2, 2), (3, 2, 3, 3), (3,))
    sources = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(lambda *given: convolution(*given, torch.arange(36)), sources)
