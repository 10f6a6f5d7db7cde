"""The loop over pooling windows agrees with torch's convolution and pooling."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from actlab.networks.winograd.extremes import Unimodal
from actlab.networks.winograd.pooled_convolution import pooled_convolution


def by_torch(
    images: Tensor, weight: Tensor, bias: Tensor, padding: int, unimodal: Unimodal | None = None
) -> Tensor:
    convolved = torch.conv2d(images, weight, bias, padding=padding)
    if unimodal is None:
        found = F.max_pool2d(convolved, 2)
    else:
        windows = convolved.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
        found = windows.gather(4, unimodal(windows).argmax(4, keepdim=True)).squeeze(4)
    return found.flatten(2).permute(2, 0, 1)


def values_and_gradients(found: Tensor, sources: tuple[Tensor, Tensor]) -> list[Tensor]:
    coefficients = torch.linspace(-1, 1, found.numel(), dtype=found.dtype).reshape(found.shape)
    return [found, *torch.autograd.grad((found * coefficients).sum(), sources)]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    count=st.integers(1, 3),
    channels=st.sampled_from([1, 5, 32]),
    sides=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.integers(0, 1),
    unimodal=st.sampled_from([None, F.silu, F.mish]),
    seed=st.integers(0, 2**32 - 1),
)
def test_values_and_gradients_are_those_of_torch(
    count: int,
    channels: int,
    sides: tuple[int, int],
    padding: int,
    unimodal: Unimodal | None,
    seed: int,
) -> None:
    random = torch.Generator().manual_seed(seed)
    height, width = (2 * side + 2 for side in sides)
    images = torch.randn(count, 1, height, width, generator=random, dtype=torch.float64)
    weight = torch.randn(channels, 1, 3, 3, generator=random, dtype=torch.float64).requires_grad_()
    bias = torch.randn(channels, generator=random, dtype=torch.float64).requires_grad_()
    found, expected = (
        values_and_gradients(way(images, weight, bias, padding, unimodal), (weight, bias))
        for way in (pooled_convolution, by_torch)
    )
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
def test_blank_regions_tie_and_the_first_of_equals_gets_the_gradient() -> None:
    images = -torch.ones(2, 1, 8, 8)
    images[:, :, 3:5, 3:5] = torch.rand(2, 1, 2, 2)
    weights = (torch.randn(5, 1, 3, 3).requires_grad_(), torch.randn(5).requires_grad_())
    found, expected = (
        values_and_gradients(way(images, *weights, 1), weights)
        for way in (pooled_convolution, by_torch)
    )
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("pixel", [(2, 2), (3, 3), (4, 2), (5, 5)])
def test_a_nan_among_the_pixels_comes_through_as_in_torch(pixel: tuple[int, int]) -> None:
    images = torch.randn(1, 1, 8, 8)
    images[0, 0, pixel[0], pixel[1]] = torch.nan
    weight, bias = torch.randn(3, 1, 3, 3), torch.randn(3)
    found, expected = (way(images, weight, bias, 0) for way in (pooled_convolution, by_torch))
    assert bool(expected.isnan().any())
    torch.testing.assert_close(found, expected, equal_nan=True, rtol=1e-5, atol=1e-5)
