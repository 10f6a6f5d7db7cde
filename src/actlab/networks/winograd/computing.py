"""The leading layers of a sequence, computed positions first."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from actlab.networks.winograd.extremes import Judge
from actlab.networks.winograd.fitting import Leading, extremes_for
from actlab.networks.winograd.minimal_filtering import (
    pooled_winograd_convolution,
    winograd_convolution,
)
from actlab.networks.winograd.pooled_convolution import pooled_convolution
from actlab.networks.winograd.tile_transforms import INPUTS, TILE


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
    """Return what of `grid` is in each tile of 6 x 6, of shape (36, tiles)."""
    tiles = np.lib.stride_tricks.sliding_window_view(grid, (INPUTS, INPUTS))[::TILE, ::TILE]
    return tiles.transpose(2, 3, 0, 1).reshape(INPUTS * INPUTS, -1).copy()


def apply(leading: Leading, images: Tensor) -> Tensor:
    """Return what the leading layers make of `images`, of shape (N, 1, H, W), as (N, D, H', W').

    Under autocast what the second and the third convolution multiply is in bfloat16; the first,
    whose inputs are the images, and the activations are computed as they are.
    """
    kept_as = torch.bfloat16 if torch.is_autocast_enabled("cpu") else images.dtype
    with torch.autocast("cpu", enabled=False):
        return _apply(leading, images, kept_as)


def _apply(leading: Leading, images: Tensor, kept_as: torch.dtype) -> Tensor:
    first = leading.first
    padding = int(first.padding[0])
    height, width = ((side + 2 * padding - 2) // 2 for side in images.shape[2:])
    plan = _plan(height, width)
    second, third = leading.second, leading.third
    activation, next_activation = leading.activation, leading.next_activation
    values = activation(
        pooled_convolution(images, first.weight, _bias(first), padding, _judge(activation))
    )
    pooled = pooled_winograd_convolution(
        values, second.weight, _bias(second), plan.rows, kept_as, _judge(next_activation)
    )
    values = next_activation(pooled)
    values = winograd_convolution(values, third.weight, _bias(third), plan.next_rows, kept_as)
    return _images(values, *plan.tiles)


def _judge(activation: nn.Module) -> Judge | None:
    """Return what decides which value of a window is activated: None where it is the highest."""
    return activation if extremes_for(activation) == 2 else None


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


def _images(values: Tensor, down: int, across: int) -> Tensor:
    """Return values of shape (places of a tile * tiles, N, D) as (N, D, H, W)."""
    _positions, count, channels = values.shape
    tiled = values.view(TILE, TILE, down, across, count, channels)
    return tiled.permute(4, 5, 2, 0, 3, 1).reshape(count, channels, TILE * down, TILE * across)
