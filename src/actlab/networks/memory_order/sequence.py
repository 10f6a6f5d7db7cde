"""A sequence whose leading convolutions are computed positions first, where that may be done."""

from collections import OrderedDict
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from actlab.catalogue import is_non_decreasing
from actlab.networks.memory_order.pooled_convolution import pooled_convolution
from actlab.networks.memory_order.tiles import INPUTS, TILE
from actlab.networks.memory_order.winograd import (
    pooled_winograd_convolution,
    winograd_convolution,
)
from actlab.networks.pooling_order import PoolingFirst

_DTYPES = (torch.float32, torch.float64)


class PositionsFirst(PoolingFirst):
    """A sequence that pools first, and computes its leading convolutions positions first.

    It does so for three convolutions of 3 x 3, the first two each followed by an activation and
    2 x 2 pooling, of grey images on a CPU whose sizes tiles fit, while both activations are
    non-decreasing. Otherwise, and under autocast, it is the sequence that pools first.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Apply all layers to `images`, of shape (N, C, H, W)."""
        layers = list(self)
        leading = _leading(layers)
        if leading is None or not _fits(leading, images):
            return super().forward(images)
        values = _apply(leading, images)
        for layer in layers[len(leading) :]:
            values = layer(values)
        return values


def positions_first(network: nn.Sequential) -> PositionsFirst:
    """Return `network` as one that computes positions first where it may, sharing its layers.

    >>> from actlab.networks.builders import build
    >>> network = build("published_cnn", "relu", "tanh", "logits")
    >>> images = torch.randn(2, 1, 28, 28)
    >>> torch.allclose(positions_first(network)(images), network(images), atol=1e-5)
    True
    """
    return PositionsFirst(OrderedDict(network.named_children()))


class _Leading(NamedTuple):
    """The layers that are computed positions first."""

    first: nn.Conv2d
    activation: nn.Module
    pool: nn.MaxPool2d
    second: nn.Conv2d
    next_activation: nn.Module
    next_pool: nn.MaxPool2d
    third: nn.Conv2d


class _Plan(NamedTuple):
    """Which positions are in which tile, for two convolutions; the tiles of the second."""

    rows: Tensor
    next_rows: Tensor
    tiles: tuple[int, int]


@lru_cache
@torch.inference_mode(False)  # made in whichever mode comes first, needed in both
def _plan(height: int, width: int) -> _Plan:
    """Return the plan for a grid of positions, row by row, that two convolutions pass through."""
    grid = np.arange(height * width).reshape(height, width)
    down, across = (height - 2) // TILE, (width - 2) // TILE
    windows = np.arange(4 * down * across).reshape(2, 2, down, across)
    pooled = windows.transpose(2, 0, 3, 1).reshape(2 * down, 2 * across)
    return _Plan(
        rows=torch.from_numpy(_tile_rows(grid)),
        next_rows=torch.from_numpy(_tile_rows(pooled)),
        tiles=((2 * down - 2) // TILE, (2 * across - 2) // TILE),
    )


def _tile_rows(grid: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what of `grid` is in each tile of 6 x 6: (place in the tile, tile), flat."""
    tiles = np.lib.stride_tricks.sliding_window_view(grid, (INPUTS, INPUTS))[::TILE, ::TILE]
    return tiles.transpose(2, 3, 0, 1).flatten()


def _apply(leading: _Leading, images: Tensor) -> Tensor:
    first = leading.first
    padding = _padding(first)
    height, width = ((side + 2 * padding - 2) // 2 for side in images.shape[2:])
    plan = _plan(height, width)
    second, third = leading.second, leading.third
    values = leading.activation(pooled_convolution(images, first.weight, _bias(first), padding))
    values = pooled_winograd_convolution(values, second.weight, _bias(second), plan.rows)
    values = leading.next_activation(values)
    values = winograd_convolution(values, third.weight, _bias(third), plan.next_rows)
    return _images(values, *plan.tiles)


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


def _padding(layer: nn.Conv2d) -> int:
    return int(layer.padding[0])


def _images(values: Tensor, down: int, across: int) -> Tensor:
    """Return values of shape (places of a tile * tiles, N, D) as (N, D, H, W)."""
    _positions, count, channels = values.shape
    tiled = values.view(TILE, TILE, down, across, count, channels)
    return tiled.permute(4, 5, 2, 0, 3, 1).reshape(count, channels, TILE * down, TILE * across)


def _leading(layers: list[nn.Module]) -> _Leading | None:
    match layers[:7]:
        case [
            nn.Conv2d() as first,
            activation,
            nn.MaxPool2d() as pool,
            nn.Conv2d() as second,
            next_activation,
            nn.MaxPool2d() as next_pool,
            nn.Conv2d() as third,
        ]:
            return _Leading(first, activation, pool, second, next_activation, next_pool, third)
        case _:
            return None


def _fits(leading: _Leading, images: Tensor) -> bool:
    if images.device.type != "cpu" or torch.is_autocast_enabled("cpu") or images.requires_grad:
        return False
    return (
        _plain(leading.first, padding=((0, 0), (1, 1)))
        and leading.first.in_channels == 1
        and _plain(leading.second, padding=((0, 0),))
        and _plain(leading.third, padding=((0, 0),))
        and _halves(leading.pool)
        and _halves(leading.next_pool)
        and _fit_sizes(images, leading.first)
        and is_non_decreasing(leading.activation)
        and is_non_decreasing(leading.next_activation)
    )


def _plain(layer: nn.Conv2d, padding: tuple[tuple[int, int], ...]) -> bool:
    return (
        layer.kernel_size == (3, 3)
        and layer.stride == layer.dilation == (1, 1)
        and layer.groups == 1
        and layer.bias is not None
        and layer.padding_mode == "zeros"
        and layer.padding in padding
    )


def _fit_sizes(images: Tensor, first: nn.Conv2d) -> bool:
    """Return whether windows and tiles cover the images: 28 x 28 with padding 1, for example.

    From the last convolution back: 4 U outputs, so 8 U + 4 before pooling, so 16 U + 12.
    """
    if images.ndim != 4 or not images.dtype == first.weight.dtype in _DTYPES:
        return False
    sides = [side + 2 * _padding(first) - 2 for side in images.shape[2:]]
    return all(side >= 28 and (side - 12) % 16 == 0 for side in sides)


def _halves(pool: nn.MaxPool2d) -> bool:
    # torch accepts a number or a pair for each.
    return (
        pool.kernel_size in (2, (2, 2))
        and pool.stride in (2, (2, 2))
        and pool.padding in (0, (0, 0))
        and pool.dilation in (1, (1, 1))
    )
