"""The last transform and the pooling after it agree with matrices and torch's maximum."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from actlab.networks.memory_order.pooled_tiles import gradient_by_products, pooled_outputs
from actlab.networks.memory_order.tiles import POINTS, TILE, cook_toom


def by_matrices(products: Tensor, bias: Tensor) -> Tensor:
    of_outputs = torch.from_numpy(cook_toom(TILE, 3, POINTS)[0]).to(products.dtype)
    _, tiles, images, channels = products.shape
    places = torch.einsum("ia,jb,abr->rij", of_outputs, of_outputs, products.view(6, 6, -1))
    pooled = F.max_pool2d(places[:, None], 2).flatten(1).t()
    return pooled.reshape(4, tiles, images, channels) + bias


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    tiles=st.integers(1, 3),
    images=st.integers(1, 3),
    channels=st.sampled_from([1, 5, 64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_values_and_gradients_are_those_of_matrices_and_pooling(
    tiles: int, images: int, channels: int, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    shape = (36, tiles, images, channels)
    products = torch.randn(shape, generator=random, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(channels, generator=random, dtype=torch.float64)
    expected = by_matrices(products, bias)
    found, places = pooled_outputs(products, bias)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    gradient = torch.randn(found.shape, generator=random, dtype=torch.float64)
    (by_torch,) = torch.autograd.grad((expected * gradient).sum(), products)
    torch.testing.assert_close(
        gradient_by_products(gradient, places), by_torch, rtol=1e-12, atol=1e-12
    )


def test_the_first_of_equal_values_is_taken() -> None:
    products = torch.zeros(36, 1, 1, 4)
    _values, places = pooled_outputs(products, torch.zeros(4))
    assert places.flatten().tolist() == [0] * 16


@pytest.mark.parametrize("product", range(0, 36, 5))
def test_a_nan_comes_through_as_in_torch(product: int) -> None:
    products = torch.from_numpy(np.random.default_rng(0).normal(size=(36, 1, 1, 4)))
    products[product, 0, 0, 1] = torch.nan
    bias = torch.zeros(4, dtype=torch.float64)
    found, _places = pooled_outputs(products, bias)
    torch.testing.assert_close(found[:, :, :, 0], by_matrices(products, bias)[:, :, :, 0])
    assert bool(found[:, :, :, 1].isnan().any())
