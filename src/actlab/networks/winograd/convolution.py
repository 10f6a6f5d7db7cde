"""3 x 3 convolutions by Winograd's minimal filtering: a quarter of the multiplications.

F(4x4, 3x3): 16 outputs from a tile of 6 x 6 inputs take 36 multiplications per channel pair in
place of 144: Y = A'[(G g G') * (B' d B)]A. The elementwise products, summed over channels, are 36
matrix products over all tiles and images; what is multiplied and its products may be stored in
bfloat16, while all sums of the transforms are in float32. Gradients are those of the same linear
maps. Lavin and Gray 2016, arXiv:1509.09308.
"""

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from actlab.networks.winograd.extremes import Unimodal, decisive
from actlab.networks.winograd.tile_loops import (
    extremes_of,
    factors_of,
    filters_of,
    gradient_by_values,
    gradient_by_weight,
    outputs_of,
    products_gradient_of_outputs,
    products_gradient_of_windows,
)


class _Factors(NamedTuple):
    """What is multiplied: transformed tiles (36, T N, C) and filters (36, D, C)."""

    inputs: Tensor
    filters: Tensor


def _factors(values: Tensor, weight: Tensor, rows: Tensor, storage: torch.dtype) -> _Factors:
    inputs = factors_of(values, rows, storage).view(36, -1, values.shape[2])
    return _Factors(inputs, filters_of(weight, storage))


def _products(factors: _Factors, images: int) -> Tensor:
    """Return the products, of shape (36, T, N, D)."""
    inputs, filters = factors
    return torch.bmm(inputs, filters.transpose(1, 2)).view(36, -1, images, filters.shape[1])


def _gradients(
    by_products: Tensor, factors: _Factors, rows: Tensor, shape: torch.Size
) -> tuple[Tensor, Tensor]:
    """Return the gradients by values of `shape` and by weight."""
    inputs, filters = factors
    _, made, given = filters.shape
    flat = by_products.view(36, -1, made)
    by_inputs = torch.bmm(flat, filters).view(36, -1, shape[1], given)
    by_filters = torch.bmm(flat.transpose(1, 2), inputs)
    return gradient_by_values(by_inputs, rows, shape), gradient_by_weight(by_filters)


class _Winograd(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, values: Tensor, weight: Tensor, bias: Tensor, rows: Tensor, storage: torch.dtype
    ) -> Tensor:
        factors = _factors(values, weight, rows, storage)
        ctx.save_for_backward(*factors, rows)
        ctx.shape = values.shape
        return outputs_of(_products(factors, values.shape[1]), bias).flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        inputs, filters, rows = ctx.saved_tensors
        (gradient,) = gradients
        by_outputs = gradient.view(16, -1, *gradient.shape[1:])
        by_products = products_gradient_of_outputs(by_outputs, inputs.dtype)
        found = _gradients(by_products, _Factors(inputs, filters), rows, ctx.shape)
        return *found, gradient.sum((0, 1)), None, None


class _PooledWinograd(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        values: Tensor,
        weight: Tensor,
        bias: Tensor,
        rows: Tensor,
        storage: torch.dtype,
        unimodal: Unimodal | None,
    ) -> Tensor:
        factors = _factors(values, weight, rows, storage)
        products = _products(factors, values.shape[1])
        extremes = extremes_of(products, bias, 1 if unimodal is None else 2)
        pooled, places = decisive(*extremes, unimodal)
        ctx.save_for_backward(*factors, rows, places)
        ctx.shape = values.shape
        return pooled.flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        inputs, filters, rows, places = ctx.saved_tensors
        (gradient,) = gradients
        by_windows = gradient.reshape(places.shape)
        by_products = products_gradient_of_windows(by_windows, places, inputs.dtype)
        found = _gradients(by_products, _Factors(inputs, filters), rows, ctx.shape)
        return *found, gradient.sum((0, 1)), None, None, None


def winograd_convolution(
    values: Tensor,
    weight: Tensor,
    bias: Tensor,
    rows: Tensor,
    storage: torch.dtype,
) -> Tensor:
    """Return conv2d without padding, spatial-major (HWNC), tile by tile.

    `values` of shape (P, N, C), `weight` (D, C, 3, 3), `bias` (D,), on a CPU. `rows`, of shape
    (36, T), says which position is where in which tile. What is multiplied is in the dtype
    `storage`: that of the values, or bfloat16. The result has shape (16 T, N, D): the places of a
    tile row by row, then the tiles.

    >>> images, weight, bias = torch.randn(2, 3, 6, 6), torch.randn(5, 3, 3, 3), torch.randn(5)
    >>> values = images.flatten(2).permute(2, 0, 1)
    >>> rows = torch.arange(36).view(36, 1)
    >>> found = winograd_convolution(values, weight, bias, rows, torch.float32)
    >>> expected = torch.conv2d(images, weight, bias).flatten(2).permute(2, 0, 1)
    >>> torch.allclose(found, expected, atol=1e-4)
    True
    """
    found = _Winograd.apply(values, weight, bias, rows, storage)  # type: ignore[no-untyped-call]  # torch's
    return cast(Tensor, found)


def pooled_winograd_convolution(
    values: Tensor,
    weight: Tensor,
    bias: Tensor,
    rows: Tensor,
    storage: torch.dtype,
    unimodal: Unimodal | None = None,
) -> Tensor:
    """Return max_pool2d(conv2d, 2) without padding, spatial-major (HWNC), tile by tile.

    As `winograd_convolution`; the result has shape (4 T, N, D), the pooling windows of a tile row
    by row. With a `unimodal` activation, which falls and then rises, it is the value of each window
    at which the activation is highest. Of equal values of a window the first gets the gradient.

    >>> images, weight, bias = torch.randn(2, 3, 6, 6), torch.randn(5, 3, 3, 3), torch.randn(5)
    >>> values = images.flatten(2).permute(2, 0, 1)
    >>> rows = torch.arange(36).view(36, 1)
    >>> found = pooled_winograd_convolution(values, weight, bias, rows, torch.float32)
    >>> pooled = torch.max_pool2d(torch.conv2d(images, weight, bias), 2)
    >>> torch.allclose(found, pooled.flatten(2).permute(2, 0, 1), atol=1e-4)
    True
    """
    found = _PooledWinograd.apply(values, weight, bias, rows, storage, unimodal)  # type: ignore[no-untyped-call]  # torch's
    return cast(Tensor, found)
