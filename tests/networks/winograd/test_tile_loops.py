"""What loops make of tiles agrees with matrices, gathering and torch's pooling."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from actlab.networks.winograd.stem_computation import _tile_rows
from actlab.networks.winograd.tile_loops import (
    LANES,
    extremes_of,
    factors_of,
    filters_of,
    gradient_by_values,
    gradient_by_weight,
    outputs_of,
    products_gradient_of_outputs,
    products_gradient_of_windows,
)

from .matrices import INPUTS, OUTPUTS, TAPS

CLOSE = {torch.float64: 1e-12, torch.float32: 2e-5, torch.bfloat16: 1e-2}
"""Largest distance, relative to the largest number."""

SHAPES = st.tuples(st.integers(1, 3), st.sampled_from([1, 5, 64, LANES + 3]))
DTYPES = st.sampled_from(list(CLOSE))
SEEDS = st.integers(0, 2**32 - 1)


def assert_near(found: Tensor, expected: Tensor, dtype: torch.dtype) -> None:
    assert found.shape == expected.shape
    distance = (found.double() - expected.double()).abs().max()
    assert float(distance) <= CLOSE[dtype] * float(expected.abs().max())


def random(shape: tuple[int, ...], seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    numbers = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return numbers.to(dtype)


def computed(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype is torch.float64 else torch.float32


@settings(max_examples=30, deadline=None, derandomize=True)
@given(shape=SHAPES, dtype=DTYPES, seed=SEEDS)
def test_inputs(shape: tuple[int, int], dtype: torch.dtype, seed: int) -> None:
    rows = torch.from_numpy(_tile_rows(np.arange(140).reshape(10, 14)))
    values = random((140, *shape), seed, computed(dtype))
    expected = torch.einsum("ij,jtnc->itnc", INPUTS, values.double()[rows])
    assert_near(factors_of(values, rows, dtype), expected, dtype)
    by_factors = random(tuple(expected.shape), seed + 1, dtype)
    back = torch.einsum("ij,itnc->jtnc", INPUTS, by_factors.double())
    summed = torch.zeros(140, *shape, dtype=torch.float64)
    summed.index_add_(0, rows.flatten(), back.flatten(0, 1))
    found = gradient_by_values(by_factors, rows, values.shape)
    assert found.dtype is computed(dtype)
    assert_near(found, summed, computed(dtype))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(shape=SHAPES, dtype=DTYPES, seed=SEEDS)
def test_filters(shape: tuple[int, int], dtype: torch.dtype, seed: int) -> None:
    weight = random((*shape, 3, 3), seed, computed(dtype))
    expected = torch.einsum("ij,dcj->idc", TAPS, weight.double().flatten(2))
    assert_near(filters_of(weight, dtype), expected, dtype)
    by_filters = random((36, *shape), seed + 1, dtype)
    back = torch.einsum("ij,idc->dcj", TAPS, by_filters.double())
    assert_near(gradient_by_weight(by_filters).flatten(2), back, computed(dtype))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(tiles=st.integers(1, 3), shape=SHAPES, dtype=DTYPES, seed=SEEDS)
def test_outputs(tiles: int, shape: tuple[int, int], dtype: torch.dtype, seed: int) -> None:
    products = random((36, tiles, *shape), seed, dtype)
    bias = random((shape[1],), seed + 1, computed(dtype))
    expected = torch.einsum("ij,jtnc->itnc", OUTPUTS, products.double()) + bias
    assert_near(outputs_of(products, bias), expected, computed(dtype))
    gradient = random((16, tiles, *shape), seed + 2, computed(dtype))
    back = torch.einsum("ij,itnc->jtnc", OUTPUTS, gradient.double())
    assert_near(products_gradient_of_outputs(gradient, dtype), back, dtype)


def pooled(products: Tensor, bias: Tensor, extremes: int) -> Tensor:
    """Pool by matrices and torch: of shape (extremes, 4, T, N, C)."""
    outputs = torch.einsum("ij,jr->ri", OUTPUTS, products.flatten(1)).view(-1, 1, 4, 4)
    signs = (1, -1)[:extremes]
    found = [sign * F.max_pool2d(sign * outputs, 2).flatten(1).t() for sign in signs]
    return torch.stack(found).view(extremes, 4, *products.shape[1:]) + bias


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    tiles=st.integers(1, 3),
    shape=SHAPES,
    dtype=DTYPES,
    extremes=st.integers(1, 2),
    seed=SEEDS,
)
def test_extremes_of_windows(
    tiles: int, shape: tuple[int, int], dtype: torch.dtype, extremes: int, seed: int
) -> None:
    kept = random((36, tiles, *shape), seed, dtype)
    products = kept.double().requires_grad_()
    bias = random((shape[1],), seed + 1, computed(dtype))
    expected = pooled(products, bias.double(), extremes)
    found, places = extremes_of(kept, bias, extremes)
    assert_near(found, expected.detach(), computed(dtype))
    gradient = random(tuple(expected.shape[1:]), seed + 2, computed(dtype))
    for extreme, of_extreme in zip(expected, places, strict=True):
        (by_torch,) = torch.autograd.grad((extreme * gradient).sum(), products, retain_graph=True)
        back = products_gradient_of_windows(gradient, of_extreme, dtype)
        assert_near(back, by_torch, dtype)


def test_the_first_of_equal_values_is_taken() -> None:
    _values, places = extremes_of(torch.zeros(36, 1, 1, 4), torch.zeros(4), 2)
    assert places.flatten().tolist() == [0] * 32


@pytest.mark.parametrize("product", range(0, 36, 5))
def test_a_nan_comes_through_as_in_torch(product: int) -> None:
    products = torch.from_numpy(np.random.default_rng(0).normal(size=(36, 1, 1, 4)))
    products[product, 0, 0, 1] = torch.nan
    bias = torch.zeros(4, dtype=torch.float64)
    found, _places = extremes_of(products, bias, 2)
    expected = pooled(products, bias, 2)
    torch.testing.assert_close(found[:, :, :, :, 0], expected[:, :, :, :, 0])
    assert bool(found[:, :, :, :, 1].isnan().any())
