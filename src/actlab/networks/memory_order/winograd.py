"""3 x 3 convolutions by Winograd's minimal filtering: a quarter of the multiplications.

F(4 x 4, 3 x 3): 16 outputs from a tile of 6 x 6 inputs take 36 multiplications per channel pair in
place of 144: Y = A'[(G g G') * (B' d B)]A. Each transform is a matrix product over all tiles,
images and channels, and the elementwise products, summed over channels, are 36 matrix products.
Gradients are those of the same linear maps. Lavin and Gray 2016, arXiv:1509.09308.
"""

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from actlab.networks.memory_order.pooled_tiles import gradient_by_products, pooled_outputs
from actlab.networks.memory_order.tiles import AT_ONE, transforms_of


class _Factors(NamedTuple):
    """What is multiplied: transformed tiles (36, T N, C) and filters (36, C, D)."""

    inputs: Tensor
    filters: Tensor


def _factors(values: Tensor, weight: Tensor, rows: Tensor) -> _Factors:
    given, made = values.shape[2], len(weight)
    transforms = transforms_of(values.dtype)
    tiles = values.reshape(len(values), -1).index_select(0, rows).view(36, -1)
    taps = weight.permute(2, 3, 1, 0).reshape(9, -1)
    return _Factors(
        inputs=(transforms.inputs @ tiles).view(36, -1, given),
        filters=(transforms.filters @ taps).view(36, given, made),
    )


def _gradients(
    by_products: Tensor, factors: _Factors, rows: Tensor, shape: torch.Size
) -> tuple[Tensor, Tensor, Tensor, None]:
    """Return the gradients by values of `shape`, weight, bias and rows."""
    inputs, filters = factors
    _tiles, given, made = filters.shape
    transforms = transforms_of(inputs.dtype)
    by_filters = torch.bmm(inputs.transpose(1, 2), by_products)
    taps = (transforms.filters.t() @ by_filters.view(36, -1)).view(3, 3, given, made)
    by_inputs = torch.bmm(by_products, filters.transpose(1, 2))
    by_tiles = (transforms.inputs.t() @ by_inputs.view(36, -1)).view(len(rows), -1)
    by_values = by_tiles.new_zeros(shape[0], by_tiles.shape[1])
    by_values.index_add_(0, rows, by_tiles)
    return by_values.view(shape), taps.permute(3, 2, 0, 1), by_products[AT_ONE].sum(0), None


class _Winograd(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, bias: Tensor, rows: Tensor) -> Tensor:
        factors = _factors(values, weight, rows)
        products = torch.bmm(*factors)
        products[AT_ONE] += bias
        ctx.save_for_backward(*factors, rows)
        ctx.shape = values.shape
        outputs = transforms_of(values.dtype).outputs
        return (outputs @ products.view(36, -1)).view(-1, values.shape[1], len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        inputs, filters, rows = ctx.saved_tensors
        outputs = transforms_of(inputs.dtype).outputs
        by_products = outputs.t() @ gradients[0].reshape(16, -1)
        by_products = by_products.view(36, -1, filters.shape[2])
        return _gradients(by_products, _Factors(inputs, filters), rows, ctx.shape)


class _PooledWinograd(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, bias: Tensor, rows: Tensor) -> Tensor:
        factors = _factors(values, weight, rows)
        images, made = values.shape[1], len(weight)
        products = torch.bmm(*factors).view(36, -1, images, made)
        pooled, places = pooled_outputs(products, bias)
        ctx.save_for_backward(*factors, rows, places)
        ctx.shape = values.shape
        return pooled.view(-1, images, made)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        inputs, filters, rows, places = ctx.saved_tensors
        by_products = gradient_by_products(gradients[0].reshape(places.shape), places)
        by_products = by_products.view(36, -1, filters.shape[2])
        return _gradients(by_products, _Factors(inputs, filters), rows, ctx.shape)


def winograd_convolution(values: Tensor, weight: Tensor, bias: Tensor, rows: Tensor) -> Tensor:
    """Return conv2d without padding, positions first, tile by tile.

    `values` of shape (P, N, C), `weight` (D, C, 3, 3), `bias` (D,). `rows` says which positions are
    in which tile: 36 T numbers, (place in the tile, tile). The result has shape (16 T, N, D): the
    places of a tile row by row, then the tiles.

    >>> images, weight, bias = torch.randn(2, 3, 6, 6), torch.randn(5, 3, 3, 3), torch.randn(5)
    >>> values = images.flatten(2).permute(2, 0, 1)
    >>> found = winograd_convolution(values, weight, bias, torch.arange(36))
    >>> expected = torch.conv2d(images, weight, bias).flatten(2).permute(2, 0, 1)
    >>> torch.allclose(found, expected, atol=1e-4)
    True
    """
    found = _Winograd.apply(values, weight, bias, rows)  # type: ignore[no-untyped-call]  # torch's
    return cast(Tensor, found)


def pooled_winograd_convolution(
    values: Tensor, weight: Tensor, bias: Tensor, rows: Tensor
) -> Tensor:
    """Return max_pool2d(conv2d, 2) without padding, positions first, tile by tile.

    As `winograd_convolution`, on a CPU; the result has shape (4 T, N, D): the pooling windows of a
    tile row by row, then the tiles. Of equal values of a window the first gets the gradient.

    >>> images, weight, bias = torch.randn(2, 3, 6, 6), torch.randn(5, 3, 3, 3), torch.randn(5)
    >>> values = images.flatten(2).permute(2, 0, 1)
    >>> found = pooled_winograd_convolution(values, weight, bias, torch.arange(36))
    >>> pooled = torch.max_pool2d(torch.conv2d(images, weight, bias), 2)
    >>> torch.allclose(found, pooled.flatten(2).permute(2, 0, 1), atol=1e-4)
    True
    """
    found = _PooledWinograd.apply(values, weight, bias, rows)  # type: ignore[no-untyped-call]  # torch's
    return cast(Tensor, found)
